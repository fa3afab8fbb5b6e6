"""Object stores: named buckets only, no chains."""

from __future__ import annotations

import builtins
import threading
from typing import Any

import pytest

from monitor.failures import Failure
from monitor.images import ImageReader, RawImage, SourcePolicy

from .pictures import PNG

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A store in memory, in the place of each store that has a name."""
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    monkeypatch.setattr(fsspec, "filesystem", lambda scheme: memory)
    with memory.open("/ours/a b?#.png", "wb") as file:
        file.write(PNG)
    return memory


def fetch(url: str, **options: Any) -> RawImage | Failure:
    settings = {"schemes": ["s3", "gs", "az"], "buckets": ["ours"], **options}
    with ImageReader(SourcePolicy(**settings)) as reader:
        return reader.fetch(url)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_brings_an_object_of_a_named_bucket(scheme: str) -> None:
    raw = fetch(f"{scheme}://ours/a b?#.png")
    assert isinstance(raw, RawImage)
    assert raw.data == PNG


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://theirs/a.png", "host"),
        ("s3://ours.evil/a.png", "host"),
        ("s3:///ours/a.png", "host"),
        ("s3://me:pw@ours/a.png", "host"),
        ("s3://ours/nothing.png", "not_found"),
        ("s3://ours/", "invalid_url"),
        ("s3://ours", "invalid_url"),
        ("s3:ours/a.png", "invalid_url"),
        ("s3://ours/a.png::file:///etc/passwd", "invalid_url"),
        ("simplecache::s3://ours/a.png", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("memory://ours/a.png", "scheme"),
        ("gcs://ours/a.png", "scheme"),
    ],
)
def test_each_fault_gets_its_reason(url: str, expected: str) -> None:
    outcome = fetch(url)
    assert isinstance(outcome, Failure)
    assert outcome.reason == expected


def test_limits_and_errors_of_the_store(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def outcome(**options: Any) -> str:
        outcome = fetch("s3://ours/a b?#.png", **options)
        assert isinstance(outcome, Failure)
        return outcome.reason

    assert outcome(max_bytes=10) == "too_large"
    monkeypatch.setattr(store, "size", lambda path: None)
    assert outcome(max_bytes=10) == "too_large"
    hang = threading.Event()
    monkeypatch.setattr(store, "size", lambda path: hang.wait(5) and 0)
    assert outcome(deadline_seconds=0.1) == "deadline"
    hang.set()
    for error, expected in (
        (PermissionError("no"), "unreadable"),
        (ConnectionError("secret"), "network"),
        (ValueError("secret"), "network"),
    ):

        def fail(path: str, error: Exception = error) -> int:
            raise error

        monkeypatch.setattr(store, "size", fail)
        assert outcome() == expected


def test_missing_packages_name_their_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    really = builtins.__import__

    def without(name: str, *args: Any, **options: Any) -> Any:
        if name == "fsspec":
            raise ImportError(name)
        return really(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    outcome = fetch("gs://ours/a.png")
    assert isinstance(outcome, Failure)
    assert outcome.reason == "scheme"
    assert "pip install 'embedding-monitor[gs]'" in outcome.detail
