"""Pictures for the page: fetched as allowed, made anew, bounded."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from monitor.reports import thumbnails
from monitor.reports.thumbnails import SIDE, collect_thumbnails, link_of

from .conftest import MARK, PictureServer


def test_pixels_are_encoded_anew(pictures: PictureServer) -> None:
    url = pictures.url("a.png")
    data = collect_thumbnails([url], pictures.policy)[url].data

    assert data is not None
    kind, _, content = data.partition(",")
    assert kind == "data:image/webp;base64"
    raw = base64.b64decode(content)
    assert MARK.encode() not in raw
    assert len(raw) < 5_000
    with Image.open(io.BytesIO(raw)) as image:
        assert (image.format, image.size) == ("WEBP", (SIDE, SIDE))


def test_large_pictures_are_no_larger_than_they_are(pictures: PictureServer) -> None:
    url = pictures.url("a.png")
    data = collect_thumbnails([url], pictures.policy, large={url})[url].data

    assert data is not None
    with Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))) as image:
        assert image.size == (120, 120)  # the middle of 160 × 120


def test_pictures_stay_within_a_page(
    pictures: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "MAX_BYTES", 400)
    urls = [pictures.url(f"{i}.png") for i in range(6)]
    found = collect_thumbnails(urls, pictures.policy)

    assert list(found) == urls[: len(found)]
    assert 0 < sum(len(t.data or "") for t in found.values()) <= 400


def test_each_source_is_fetched_once(pictures: PictureServer) -> None:
    urls = [pictures.url(name) for name in ("a.png", "b.png", "a.png")]

    assert list(collect_thumbnails(urls, pictures.policy)) == urls[:2]
    assert len(pictures.paths) == 2


def test_the_first_come_first(pictures: PictureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnails, "MAX_THUMBNAILS", 2)
    urls = [pictures.url(f"{i}.png") for i in range(5)]

    assert list(collect_thumbnails(urls, pictures.policy)) == urls[:2]


def test_a_failure_says_why(pictures: PictureServer) -> None:
    url = pictures.url("gone.png")
    found = collect_thumbnails([url], pictures.policy)[url]

    assert found.data is None
    assert found.failure is not None
    assert found.failure.reason == "http_404"


def test_without_a_policy_nothing_private_is_asked(pictures: PictureServer) -> None:
    url = pictures.url("a.png")
    found = collect_thumbnails([url])[url]

    assert found.failure is not None
    assert pictures.paths == []


def test_no_fetch_starts_when_time_is_up(
    pictures: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "_START_WITHIN_SECONDS", -1.0)
    url = pictures.url("a.png")

    assert str(collect_thumbnails([url], pictures.policy)[url].failure).startswith("deadline")
    assert pictures.paths == []


@pytest.mark.parametrize(
    "source",
    [
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//example.com/a.jpg",
        "http://",
        "http:///a.jpg",
        "https://user:pass@example.com/a.jpg",
        "https://exa\u202emple.com/a.jpg",
        "https://example.com/a b.jpg",
        "https:\\\\example.com\\a.jpg",
        "http://[::1/a.jpg",
        "/home/me/a.jpg",
        "",
    ],
)
def test_what_is_no_plain_web_address_is_not_linked(source: str) -> None:
    assert link_of(source) is None


def test_web_addresses_are_linked_whole() -> None:
    assert link_of(" https://example.com/a.jpg?w=3&h=4 ") == "https://example.com/a.jpg?w=3&h=4"
