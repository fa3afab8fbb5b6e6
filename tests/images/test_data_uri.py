"""`data:` URIs and bare base64."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from monitor.failures import Failure
from monitor.images import ImageReader, RawImage, SourcePolicy

from .pictures import JPEG, PNG, encode, scene

PLAIN = base64.b64encode(PNG).decode()


def fetch(cell: str, **options: object) -> RawImage | Failure:
    with ImageReader(SourcePolicy(**options)) as reader:
        return reader.fetch(cell)


@pytest.mark.parametrize(
    "cell",
    [
        f"data:image/png;base64,{PLAIN}",
        f"DATA:image/jpeg;charset=x;BASE64,{PLAIN}",
        f"data:;base64,{PLAIN.rstrip('=')}",
        f"data:;base64,{quote(PLAIN, safe='')}",
        "data:;base64," + "\n".join(PLAIN[i : i + 76] for i in range(0, len(PLAIN), 76)),
        f"data:image/png,{quote(PNG)}",
        PLAIN,
        PLAIN.rstrip("="),
        "\n".join(PLAIN[i : i + 76] for i in range(0, len(PLAIN), 76)),
    ],
)
def test_every_spelling_gives_the_bytes(cell: str) -> None:
    raw = fetch(cell)
    assert isinstance(raw, RawImage)
    assert raw.data == PNG


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "PPM"])
def test_bare_base64_of_each_format_is_known(kind: str) -> None:
    data = encode(scene(), kind)
    raw = fetch(base64.b64encode(data).decode())
    assert isinstance(raw, RawImage)
    assert raw.data == data


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("data:image/png;base64", "bad_data_uri"),
        ("data:", "bad_data_uri"),
        ("data:;base64,A", "bad_data_uri"),
        ("data:;base64,@@@@", "bad_data_uri"),
        ("data:;base64,AA\u00e9A", "bad_data_uri"),
        ("data:;base64,AA=A", "bad_data_uri"),
        ("data:,%zz", "bad_data_uri"),
        ("data:,100%", "bad_data_uri"),
        ("data:;base64,", "empty_body"),
        ("data:,", "empty_body"),
        ("data:;base64," + "A" * 4_000, "too_large"),
        ("data:;base64," + "A" * 40_000, "too_large"),
        ("data:," + "A" * 1_001, "too_large"),
        (base64.b64encode(PNG + bytes(1_000)).decode(), "too_large"),
        (base64.b64encode(PNG + bytes(9_000)).decode(), "too_large"),
        # Not base64 of an image, so a path.
        (base64.b64encode(b"hello world, how are you?").decode(), "path_outside_roots"),
        ("iVBORw0KGgoAAAANSUhEUgAA!.png", "path_outside_roots"),
        (PLAIN[:60] + "!", "path_outside_roots"),
    ],
)
def test_each_fault_gets_its_reason(cell: str, expected: str) -> None:
    outcome = fetch(cell, max_bytes=1_000)
    assert isinstance(outcome, Failure)
    assert outcome.reason == expected


def test_the_limit_is_exact() -> None:
    cell = "data:;base64," + base64.b64encode(JPEG).decode()
    assert isinstance(fetch(cell, max_bytes=len(JPEG)), RawImage)
    assert isinstance(fetch(cell, max_bytes=len(JPEG) - 1), Failure)


def test_scheme_data_switches_both_off() -> None:
    with ImageReader(SourcePolicy(schemes=["https"])) as reader:
        outcomes = [reader.fetch(f"data:;base64,{PLAIN}"), reader.fetch(PLAIN)]
    assert [getattr(o, "reason", o) for o in outcomes] == ["scheme", "path_outside_roots"]
