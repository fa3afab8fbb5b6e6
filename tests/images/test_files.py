"""Local paths: off unless roots are given, and never outside of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from monitor.failures import Failure
from monitor.images import ImageReader, RawImage, SourcePolicy

from .pictures import PNG


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with one image, beside a secret."""
    root = tmp_path / "photos"
    (root / "sub").mkdir(parents=True)
    (root / "a b.png").write_bytes(PNG)
    (root / "sub" / "c.png").write_bytes(PNG)
    (root / "empty.png").write_bytes(b"")
    (tmp_path / "secret.png").write_bytes(PNG)
    (root / "link.png").symlink_to(root / "sub" / "c.png")
    (root / "out.png").symlink_to(tmp_path / "secret.png")
    (root / "up").symlink_to(tmp_path)
    (root / "environ").symlink_to("/proc/self/environ")
    (root / "loop.png").symlink_to(root / "loop.png")
    os.mkfifo(root / "pipe.png")
    return root


def fetch(cell: object, root: Path, **options: object) -> RawImage | Failure:
    with ImageReader(SourcePolicy(roots=[str(root)], **options)) as reader:
        return reader.fetch(cell)


def test_every_way_to_name_a_file_under_a_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "sub")
    path = root / "a b.png"
    escaped = str(path).replace(" ", "%20")
    cells = [
        path,
        str(path),
        f" {path} ",
        f"file://{escaped}",
        f"file://localhost{escaped}",
        f"FILE:{escaped}",
        "a b.png",
        "sub/../a b.png",
        root / "sub" / ".." / "a b.png",
        root / "link.png",
        "c.png",
    ]
    for cell in cells:
        raw = fetch(cell, root)
        assert isinstance(raw, RawImage), (cell, raw)
        assert raw.data == PNG


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nothing.png", "not_found"),
        ("a b.png/x", "not_found"),
        ("sub", "not_a_file"),
        ("pipe.png", "not_a_file"),
        ("empty.png", "empty_body"),
        ("out.png", "path_outside_roots"),
        ("up/secret.png", "path_outside_roots"),
        ("environ", "path_outside_roots"),
        ("../secret.png", "path_outside_roots"),
        ("../nothing.png", "path_outside_roots"),
        ("sub/../../secret.png", "path_outside_roots"),
        ("/etc/passwd", "path_outside_roots"),
        ("/proc/self/environ", "path_outside_roots"),
        ("/dev/zero", "path_outside_roots"),
        ("~/a.png", "not_found"),
        ("C:\\a.png", "not_found"),
        ("a\0b.png", "bad_path"),
        ("a\ud800.png", "bad_path"),
        ("loop.png", "bad_path"),
        ("a" * 5_000, "bad_path"),
        ("a/" * 2_000, "not_found"),
        ("a/" * 5_000_000, "bad_path"),
    ],
)
def test_each_path_gets_its_reason(root: Path, name: str, expected: str) -> None:
    outcome = fetch(name, root)
    assert isinstance(outcome, Failure)
    assert outcome.reason == expected
    assert len(outcome.detail) < 700


def test_devices_are_not_opened() -> None:
    outcome = fetch("/dev/zero", Path("/dev"))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "not_a_file"


def test_file_uris_of_other_machines_and_nul(root: Path) -> None:
    outcomes = [fetch(f"file://{host}", root) for host in ("nas/a.png", "[::1/a", "/a%00.png")]
    assert [getattr(o, "reason", o) for o in outcomes] == ["invalid_url", "invalid_url", "bad_path"]


def test_a_neighbour_with_the_same_beginning_is_outside(root: Path) -> None:
    neighbour = root.with_name("photos-private")
    neighbour.mkdir()
    (neighbour / "a.png").write_bytes(PNG)
    outcome = fetch(neighbour / "a.png", root)
    assert isinstance(outcome, Failure)
    assert outcome.reason == "path_outside_roots"


def test_too_large_and_unreadable(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = fetch("a b.png", root, max_bytes=len(PNG) - 1)
    assert isinstance(outcome, Failure)
    assert outcome.reason == "too_large"
    assert isinstance(fetch("a b.png", root, max_bytes=len(PNG)), RawImage)

    def refuse(*args: object, **options: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    outcome = fetch("a b.png", root)
    assert isinstance(outcome, Failure)
    assert outcome.reason == "unreadable"


def test_without_roots_no_path_is_read(root: Path) -> None:
    with ImageReader() as reader:
        assert reader.fetch(root / "a b.png") == Failure(
            "path_outside_roots",
            f"{root / 'a b.png'}; no local path may be read: name folders in roots",
        )
        outcome = reader.fetch(f"file://{root}/a%20b.png")
    assert isinstance(outcome, Failure)
    assert outcome.reason == "scheme"
