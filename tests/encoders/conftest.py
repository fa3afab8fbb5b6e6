"""Fixtures for encoders: one torch thread, and tiny architectures under names of their own."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from monitor.encoders import architecture, registry
from monitor.encoders.imports import open_clip

from .tiny import ARCHITECTURES


@pytest.fixture(scope="session", autouse=True)
def _one_torch_thread() -> Iterator[None]:
    # The models are so small that threads would only wait for each other.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session", autouse=True)
def _one_vocabulary() -> Iterator[None]:
    # Each encoder has a tokenizer of its own, which sorts the same 49,408 words anew.
    with pytest.MonkeyPatch.context() as patch:
        made = functools.cache(open_clip.tokenizer.SimpleTokenizer)
        patch.setattr(open_clip.factory, "SimpleTokenizer", made)
        yield


@pytest.fixture
def tiny_architectures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny models under names that open_clip and we look up like any other architecture."""
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIGS", dict(open_clip.factory._MODEL_CONFIGS))
    known = dict(architecture.known_architectures())
    for key, config in ARCHITECTURES.items():
        path = tmp_path / f"tiny-{key}.json"
        path.write_text(json.dumps(config))
        open_clip.factory._MODEL_CONFIGS[path.stem] = config
        known[path.stem] = path
    monkeypatch.setattr(architecture, "known_architectures", lambda: known)
    monkeypatch.setattr("monitor.encoders.open_clip.known_architectures", lambda: known)
    # An encoder loaded under these names must not outlive them, nor one from before them.
    monkeypatch.setattr(registry, "_loaded", {})
