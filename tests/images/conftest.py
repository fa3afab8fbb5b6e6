"""What the tests of images share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from monitor.images import ImageReader, SourcePolicy

from .servers import Internet, Server

QUICK = {"backoff_seconds": 0.01, "deadline_seconds": 5.0}


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Internet:
    """Names and public addresses that lead to loopback, every dial recorded."""
    return Internet(monkeypatch)


@pytest.fixture
def server() -> Iterator[Server]:
    """A running server without routes."""
    with Server() as running:
        yield running


def local_reader(server: Server, **options: Any) -> ImageReader:
    """A reader that may ask `server` and nobody else."""
    settings = {**QUICK, "hosts": [server.host], "allow_private": True, **options}
    return ImageReader(SourcePolicy(**settings))
