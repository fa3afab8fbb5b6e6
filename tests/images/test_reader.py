"""Every row of the list of bad inputs, in one column: as many rows out as in, each with its reason."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import ssl
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import trustme
from PIL import Image

import monitor.images
from monitor.failures import Failure
from monitor.images import DecodedImage, ImageReader, RawImage, SourcePolicy, decode, source_key

from .conftest import QUICK, local_reader
from .pictures import JPEG, PNG, bomb, encode, png_claiming, png_with, scene
from .servers import Server, answer, drip, flood, redirect, reset, say


@dataclass
class World:
    """Two servers, one of them with a certificate of its own making, a folder and two readers of all."""

    server: Server
    secure: Server
    root: Path
    reader: ImageReader
    hasty: ImageReader
    """Waits a second; the other longer than any machine is busy."""


ROUTES: dict[str, Any] = {
    "/good": answer(PNG),
    "/404": answer(status="404 Not Found"),
    "/403": answer(status="403 Forbidden"),
    "/429": answer(status="429 Slow Down", headers={"Retry-After": "1000"}),
    "/503": answer(status="503 Busy"),
    "/204": answer(status="204 No Content"),
    "/garbage": say(b"what is HTTP?\r\n\r\n"),
    "/headers": say(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5_000 + b"\r\n"),
    "/reset": reset,
    "/loop": redirect("/loop"),
    "/to-file": redirect("file:///etc/passwd"),
    "/huge": flood(b"a" * 65_536, b"HTTP/1.1 200 OK\r\n\r\n"),
    "/huge-length": say(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"),
    "/gzip": answer(b"\x1f\x8b\x08", headers={"Content-Encoding": "gzip"}),
    "/slow": drip(b"a", 0.1, b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
    "/short": say(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nabc"),
    "/html": answer(b"<html>", headers={"Content-Type": "image/png"}),
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world of its own for each test."""
    root = tmp_path / "photos"
    root.mkdir()
    (root / "a.png").write_bytes(PNG)
    (root / "wrong extension.gif").write_bytes(JPEG)
    (tmp_path / "secret.png").write_bytes(PNG)
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with Server(ROUTES) as server, Server(ROUTES, tls=context) as secure:
        policy = SourcePolicy(
            hosts=[server.host, secure.host, "unknown.invalid"],
            allow_private=True,
            roots=[str(root)],
            max_bytes=1_000_000,
            max_retry_after_seconds=0.05,
            retries=1,
            **{**QUICK, "deadline_seconds": 120.0},
        )
        hasty_policy = policy.model_copy(update={"deadline_seconds": 1.0})
        with ImageReader(policy) as reader, ImageReader(hasty_policy) as hasty:
            yield World(server, secure, root, reader, hasty)


BASE64 = base64.b64encode(PNG).decode()
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50)

CELLS: list[tuple[Any, str | None]] = [
    (None, "missing"),
    (float("nan"), "missing"),
    (np.float32("nan"), "missing"),
    (decimal.Decimal("NaN"), "missing"),
    (pd.NA, "missing"),
    (pd.NaT, "missing"),
    (np.datetime64("NaT"), "missing"),
    ("", "missing"),
    (" \t\n", "missing"),
    (5, "unsupported_type"),
    (5.0, "unsupported_type"),
    (True, "unsupported_type"),
    ([1, 2], "unsupported_type"),
    ({"url": "x"}, "unsupported_type"),
    (dt.date(2024, 1, 1), "unsupported_type"),
    (object(), "unsupported_type"),
    (b"", "empty_body"),
    ("http://", "invalid_url"),
    ("http://[::1", "invalid_url"),
    ("{url}:99999/good", "invalid_url"),
    ("http://a\ud800.com/", "invalid_url"),
    ("{url}/" + "a" * 9_000, "url_too_long"),
    ("ftp://example.com/a.jpg", "scheme"),
    ("javascript:alert(1)", "scheme"),
    ("s3://bucket/a.jpg", "scheme"),
    ("simplecache::s3://bucket/a.jpg", "scheme"),
    ("data:image/png;base64,@@@", "bad_data_uri"),
    ("data:image/png", "bad_data_uri"),
    ("data:;base64," + "A" * 1_500_000, "too_large"),
    ("nothing.png", "not_found"),
    (Path("/"), "path_outside_roots"),
    (".", "not_a_file"),
    ("link.png", "path_outside_roots"),
    ("../secret.png", "path_outside_roots"),
    ("/proc/self/environ", "path_outside_roots"),
    ("a\0b", "bad_path"),
    ("http://unknown.invalid/a.jpg", "dns"),
    ("{url}/reset", "network"),
    ("{tls}/good", "tls"),
    ("{url}/404", "http_404"),
    ("{url}/403", "http_403"),
    ("{url}/429", "http_429"),
    ("{url}/503", "http_503"),
    ("{url}/204", "http_204"),
    ("{url}/garbage", "protocol"),
    ("{url}/headers", "protocol"),
    ("http://example.com/", "host"),
    ("http://127.0.0.1:1/", "port"),
    ("{url}/loop", "too_many_redirects"),
    ("{url}/to-file", "scheme"),
    ("http://me:secret{at}/good", "userinfo"),
    ("http://@{host}/good", "userinfo"),
    ("{url}/huge", "too_large"),
    ("{url}/huge-length", "too_large"),
    ("{url}/gzip", "content_encoding"),
    ("{url}/slow", "deadline"),
    ("{url}/short", "short_body"),
    ("{url}/html", "not_an_image"),
    (bytes(2_000_000), "too_large"),
    (b'{"a": 1}', "not_an_image"),
    (b"<svg/>", "not_an_image"),
    (b"%!PS", "not_an_image"),
    (b"%PDF-1.4", "not_an_image"),
    (b"PK\3\4", "not_an_image"),
    (HEIC, "not_an_image"),
    (JPEG[: len(JPEG) // 2], "truncated"),
    (PNG[:-20], "truncated"),
    (PNG[:29] + b"\0\0\0\0" + PNG[33:], "corrupt"),
    (png_claiming(65_500, 65_500), "too_many_pixels"),
    (png_claiming(20_000, 20_000), "too_many_pixels"),
    (png_with(b"zTXt", b"a\0\0" + bomb()), "corrupt"),
    (png_with(b"iCCP", b"a\0\0" + bomb()), "corrupt"),
    (encode(scene(1, 1)), "too_small"),
    (encode(scene(1, 5_000)), "too_small"),
    (np.zeros(512), "unsupported_type"),
    # A view of one byte: to take its digest would make all of it.
    (np.broadcast_to(np.uint8(0), (20_000, 20_000)), "too_many_pixels"),
    (np.broadcast_to(np.uint8(0), (8, 8, 10**9)), "unsupported_type"),
    ("{url}/good", None),
    ("{url}/good#again", None),
    (" {url}/good?x=1 ", None),
    ("a.png", None),
    ("wrong extension.gif", None),
    (Path("a.png"), None),
    (f"data:image/png;base64,{BASE64}", None),
    (BASE64, None),
    (PNG, None),
    (bytearray(PNG), None),
    (memoryview(PNG), None),
    (memoryview(PNG + b"\0" * (-len(PNG) % 4)).cast("I"), None),
    (scene(), None),
    (np.asarray(scene()), None),
    (np.str_("a.png"), None),
    (encode(scene().convert("CMYK"), "JPEG"), None),
]


def test_as_many_rows_out_as_in_each_with_its_reason(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    host = world.server.host
    names = {
        "{url}": world.server.url,
        "{tls}": world.secure.url,
        "{at}": f"@{host}",
        "{host}": host,
    }
    column = []
    for cell, _ in CELLS:
        if isinstance(cell, str) and not isinstance(cell, np.str_):
            for name, value in names.items():
                cell = cell.replace(name, value)
        column.append(cell)
    is_slow = [isinstance(cell, str) and cell.endswith("/slow") for cell in column]
    outcomes = [
        (world.hasty if slow else world.reader).read(cell)
        for cell, slow in zip(column, is_slow, strict=True)
    ]
    reasons = [o.reason if isinstance(o, Failure) else None for o in outcomes]
    wrong = [
        f"{str(cell)[:80]!r}: {outcome}"
        for (cell, expected), reason, outcome in zip(CELLS, reasons, outcomes, strict=True)
        if reason != expected
    ]
    assert wrong == []
    for outcome in outcomes:
        if isinstance(outcome, DecodedImage):
            assert outcome.image.mode == "RGB"
            assert outcome.image.size == (48, 32)
            assert len(outcome.sha256) == 64
        else:
            assert len(outcome.detail) < 700
            assert "secret" not in outcome.detail.replace("secret.png", "")


def test_a_broken_neighbour_changes_no_pixel(world: World) -> None:
    good = [f"{world.server.url}/good", PNG, "a.png"]
    alone = [world.reader.read(cell) for cell in good]
    for bad in (JPEG[:300], f"{world.server.url}/reset", png_claiming(9, 9)):
        world.reader.read(bad)
    among = [world.reader.read(cell) for cell in good]
    for lone, mixed in zip(alone, among, strict=True):
        assert isinstance(lone, DecodedImage)
        assert isinstance(mixed, DecodedImage)
        assert lone.image.tobytes() == mixed.image.tobytes()
        assert lone.sha256 == mixed.sha256


def test_many_threads_share_a_reader_and_an_image(world: World, tmp_path: Path) -> None:
    (tmp_path / "big.jpg").write_bytes(encode(scene(600, 400), "JPEG"))
    with Image.open(tmp_path / "big.jpg") as lazy:
        expected = scene(600, 400).size
        outcomes: list[object] = []

        def work() -> None:
            for _ in range(5):
                outcomes.append(world.reader.read(lazy))
                outcomes.append(world.reader.read(f"{world.server.url}/good"))

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(outcomes) == 60
    images = [outcome.image for outcome in outcomes if isinstance(outcome, DecodedImage)]
    assert len(images) == 60
    assert {image.size for image in images} == {expected, (48, 32)}
    assert len({image.tobytes() for image in images}) == 2


def test_damaged_pillow_image_is_a_failure(world: World, tmp_path: Path) -> None:
    (tmp_path / "cut.jpg").write_bytes(encode(scene(600, 400), "JPEG")[:3_000])
    with Image.open(tmp_path / "cut.jpg") as lazy:
        outcome = world.reader.read(lazy)
    assert isinstance(outcome, Failure)
    assert outcome.reason == "truncated"


def test_digest_tells_pixels_apart(world: World) -> None:
    def digest(cell: object) -> str:
        raw = world.reader.fetch(cell)
        assert isinstance(raw, RawImage)
        return raw.sha256

    array = np.zeros((4, 6), np.uint8)
    assert digest(array) == digest(array.copy())
    assert digest(array) != digest(array.reshape(6, 4))
    assert digest(array) != digest(array.astype(bool))
    assert digest(scene()) == digest(scene())
    assert digest(scene()) != digest(scene().transpose(Image.Transpose.ROTATE_180))
    plain, inverted = scene().convert("P"), scene().convert("P")
    inverted.putpalette([255 - value for value in plain.getpalette() or []])
    assert digest(plain) != digest(inverted)
    turned = scene()
    turned.getexif()[0x0112] = 6
    assert digest(turned) != digest(scene())


def test_interrupts_pass_through(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("monitor.images.decoding.to_rgb", interrupt)
    with pytest.raises(KeyboardInterrupt):
        world.reader.read(PNG)
    monkeypatch.setattr("monitor.images.fetch.resolve", interrupt)
    with pytest.raises(KeyboardInterrupt):
        world.reader.read(f"{world.server.url}/good")


@pytest.mark.parametrize(
    ("cell", "key"),
    [
        ("https://a.com/x?y=1#z", "https://a.com/x?y=1"),
        (" https://a.com/x ", "https://a.com/x"),
        ("a#1.png", "a#1.png"),
        (Path("b/a.png"), "b/a.png"),
        ("data:,x", "data:,x"),
        (None, None),
        (float("nan"), None),
        ("  ", None),
        (b"abc", None),
        (5, None),
    ],
)
def test_source_key(cell: object, key: str | None) -> None:
    assert source_key(cell) == key
    assert ImageReader.source_key(cell) == key


def test_public_names() -> None:
    for name in monitor.images.__all__:
        assert getattr(monitor.images, name).__name__ == name
        assert getattr(monitor.images, name).__doc__
    with pytest.raises(AttributeError, match=r"attribute.*nothing"):
        monitor.images.nothing  # noqa: B018
    assert callable(decode)


def test_closing_ends_pauses() -> None:
    with Server({"/a": answer(status="503 Busy")}) as server:
        policy = SourcePolicy(
            hosts=[server.host], allow_private=True, backoff_seconds=20, deadline_seconds=60
        )
        reader = ImageReader(policy)
        outcomes: list[object] = []
        thread = threading.Thread(target=lambda: outcomes.append(reader.fetch(server.url + "/a")))
        thread.start()
        while not server.requests:
            thread.join(0.01)
        reader.close()
        thread.join(5)
    assert [getattr(o, "reason", o) for o in outcomes] == ["deadline"]


def test_cells_that_raise_when_they_are_looked_at() -> None:
    released = memoryview(bytearray(b"abc"))
    released.release()
    cells = [released, Decimal("sNaN"), "a\ud83d.jpg", "http://example.com/\ud83d", "a\0b"]
    with ImageReader() as reader:
        outcomes = [reader.read(cell) for cell in cells]
        assert [outcome.reason for outcome in outcomes if isinstance(outcome, Failure)] == [
            "unsupported_type",
            "missing",
            "path_outside_roots",
            "invalid_url",
            "path_outside_roots",
        ]


def test_marks_that_nobody_sees_are_no_part_of_an_address(server: Server) -> None:
    server.routes["/a.png"] = answer(PNG)
    with local_reader(server) as reader:
        for cell in (f"\ufeff{server.url}/a.png", f" \u200b{server.url}/a.png\u2060\n"):
            assert isinstance(reader.read(cell), DecodedImage)
            assert reader.source_key(cell) == f"{server.url}/a.png"
        assert str(reader.read("\ufeff")) == "missing"
