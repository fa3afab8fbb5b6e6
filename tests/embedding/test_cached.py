"""Embedding through the vector cache: what is fetched and encoded again, and what is not."""

import io
import os
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import monitor
from monitor.cache import VectorCache
from monitor.embedding import embed_cells
from monitor.encoders import load_encoder
from monitor.images import ImageReader
from monitor.images.quality import QUALITY_FIELDS, measure
from tests.images.servers import Server, answer

FEATURE = monitor.ImageEmbedding(
    name="photo", source_column="image", column="vector", model="compact"
)


@pytest.fixture(scope="module")
def encoder():
    return load_encoder(FEATURE.encoder_spec)


def png(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8))
    buffer = io.BytesIO()
    small.resize((40, 40)).save(buffer, "PNG")
    return buffer.getvalue()


class Site:
    """A real server whose pages can change; it answers conditions and counts what it sends."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.redirects: dict[str, str] = {}
        self.answers: list[tuple[str, int]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                headers = site.headers.get(self.path, {})
                if self.path in site.redirects:
                    return self.answer(302, b"", {"Location": site.redirects[self.path]})
                if self.path not in site.bodies:
                    return self.answer(404, b"", {})
                asked = (
                    (self.headers.get("If-None-Match"), headers.get("ETag")),
                    (self.headers.get("If-Modified-Since"), headers.get("Last-Modified")),
                )
                if any(known is not None and known == now for known, now in asked):
                    return self.answer(304, b"", headers)
                return self.answer(200, site.bodies[self.path], headers)

            def answer(self, status, body, headers):
                site.answers.append((self.path, status))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 304:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.policy = monitor.SourcePolicy(hosts=[self.host], allow_private=True, retries=0)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def asked(self) -> Counter:
        """The statuses since the last call."""
        found = Counter(status for _, status in self.answers)
        self.answers.clear()
        return found

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def site():
    running = Site()
    for i in range(6):
        running.bodies[f"/{i}"] = png(i)
    yield running
    running.close()


@pytest.fixture(autouse=True)
def every_file_is_settled(monkeypatch):
    """What has just changed is otherwise not taken as settled for a tenth of a second."""
    monkeypatch.setattr("monitor.images.files._UNSETTLED_NS", 0)


@pytest.fixture
def embed(site, encoder, tmp_path):
    """Embeds cells through a cache of the given options: the vectors, failures and counts."""

    def run(cells, policy=None, encoder=encoder, **options):
        with (
            VectorCache(tmp_path / "cache", **options) as cache,
            ImageReader(policy or site.policy) as reader,
        ):
            return embed_cells(cells, encoder, reader, cache=cache)

    return run


def test_a_second_run_fetches_and_encodes_nothing(site, embed, tmp_path, encoder):
    file = tmp_path / "a.png"
    file.write_bytes(png(20))
    os.utime(file, (1, 1))
    rows = [site.url(f"/{i}") for i in range(6)] + [
        png(21),
        np.asarray(Image.open(file)),
        str(file),
    ]
    policy = site.policy.model_copy(update={"roots": (str(tmp_path),)})
    first = embed(rows, policy)
    assert first.failures == (None,) * 9
    assert first.n_encoded == 9
    assert site.asked() == {200: 6}
    reads = []
    with (
        VectorCache(tmp_path / "cache") as cache,
        ImageReader(policy) as reader,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(
            "monitor.images.reader.read_file", lambda path, policy: reads.append(path) or b""
        )
        second = embed_cells(rows, encoder, reader, cache=cache)
    assert second.n_encoded == 0
    assert site.asked() == {}
    assert reads == []
    assert second.vectors.tobytes() == first.vectors.tobytes()
    assert second.quality.tobytes() == first.quality.tobytes()


def test_quality_is_that_of_the_decoded_picture(site, embed):
    cells = [png(0), site.url("/0"), np.asarray(Image.open(io.BytesIO(png(0)))), None]
    found = embed(cells).quality
    pixels = np.asarray(Image.open(io.BytesIO(png(0))).convert("RGB"))
    expected = measure(pixels, n_bytes=len(png(0)))
    assert found.shape == (4, len(QUALITY_FIELDS))
    np.testing.assert_array_equal(found[:2], np.stack([expected, expected]))
    np.testing.assert_array_equal(found[2], measure(pixels, n_bytes=None))
    assert np.isnan(found[3]).all()


def test_after_the_time_to_live_a_url_is_asked_whether_it_changed(site, embed, encoder):
    site.headers = {
        "/0": {"ETag": '"v1"'},
        "/1": {"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"},
        "/2": {"ETag": 'W/"v1"'},
        "/3": {"ETag": 'W/"v1"', "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"},
    }
    cells = [site.url(f"/{i}") for i in range(5)]
    first = embed(cells, ttl_seconds=0)
    assert site.asked() == {200: 5}
    second = embed(cells, ttl_seconds=0)
    # A weak tag and no tag at all say nothing about bytes.
    assert site.asked() == {304: 3, 200: 2}
    assert second.n_encoded == 0
    assert second.vectors.tobytes() == first.vectors.tobytes()
    # What changed under its tag's eyes is fetched and encoded.
    site.bodies["/0"], site.headers["/0"] = png(30), {"ETag": '"v2"'}
    third = embed(cells, ttl_seconds=0)
    assert site.asked() == {304: 2, 200: 3}
    assert third.n_encoded == 1
    assert not np.allclose(third.vectors[0], first.vectors[0])
    np.testing.assert_allclose(
        third.vectors[0], encoder.encode_images([Image.open(io.BytesIO(png(30)))])[0], atol=1e-6
    )
    # An unchanged answer counts as looked at just now.
    embed(cells, ttl_seconds=3_600)
    assert site.asked() == {}


def test_a_version_of_one_url_says_nothing_about_another(site, embed):
    """A redirect that leads elsewhere now, to a page with the same tag."""
    site.headers = {"/0": {"ETag": '"same"'}, "/1": {"ETag": '"same"'}}
    site.redirects["/moved"] = "/0"
    first = embed([site.url("/moved")], ttl_seconds=0)
    site.redirects["/moved"] = "/1"
    site.asked()
    second = embed([site.url("/moved")], ttl_seconds=0)
    assert site.asked() == {302: 1, 200: 1}
    assert not np.allclose(first.vectors, second.vectors)
    again = embed([site.url("/moved")], ttl_seconds=0)
    assert site.asked() == {302: 1, 304: 1}
    assert again.vectors.tobytes() == second.vectors.tobytes()


def test_an_unasked_for_304_is_a_failure(embed):
    with Server({"*": answer(status="304 Not Modified")}) as server:
        policy = monitor.SourcePolicy(hosts=[server.host], allow_private=True, retries=0)
        assert embed([f"{server.url}/a"], policy).failures[0].reason == "http_304"


def test_a_url_that_another_policy_forbids_is_not_taken_from_the_cache(site, embed):
    assert embed([site.url("/0")]).failures == (None,)
    stricter = monitor.SourcePolicy(hosts=["example.com"])
    assert embed([site.url("/0")], stricter).failures[0].reason == "host"
    small = site.policy.model_copy(update={"max_pixels": 100})
    assert embed([site.url("/0"), png(0)], small).failures[1].reason == "too_many_pixels"
    patient = site.policy.model_copy(update={"deadline_seconds": 60.0})
    site.asked()
    assert embed([site.url("/0")], patient).n_encoded == 0
    assert site.asked() == {}


def test_the_background_of_transparent_pixels_makes_another_vector(site, embed):
    buffer = io.BytesIO()
    Image.new("RGBA", (20, 20), (200, 0, 0, 90)).save(buffer, "PNG")
    white = embed([buffer.getvalue()])
    black = embed(
        [buffer.getvalue()], monitor.SourcePolicy(hosts=[site.host], background=(0, 0, 0))
    )
    assert black.n_encoded == 1
    assert not np.allclose(white.vectors, black.vectors)


def test_a_file_is_read_again_when_it_has_changed(site, embed, tmp_path):
    file = tmp_path / "a.png"
    policy = monitor.SourcePolicy(roots=[str(tmp_path)])
    seen = []
    bodies = [png(0), png(1), png(2)]
    longest = max(map(len, bodies))
    for body in bodies:
        # The same size and the same time of change: what is left to tell them is the entry's own.
        fresh = tmp_path / "new.png"
        fresh.write_bytes(body + b"\0" * (longest - len(body)))
        os.utime(fresh, (1_000, 1_000))
        fresh.replace(file)
        seen.append(embed(["a.png"], policy))
    assert [found.n_encoded for found in seen] == [1, 1, 1]
    assert embed(["a.png"], policy).n_encoded == 0
    file.unlink()
    assert embed(["a.png"], policy).failures[0].reason == "not_found"


def test_a_failure_is_tried_again_in_the_next_run(site, embed):
    assert embed([site.url("/late")]).failures[0].reason == "http_404"
    site.bodies["/late"] = png(0)
    assert embed([site.url("/late")]).failures == (None,)


def test_a_job_that_was_cut_off_goes_on_from_its_last_batch(site, embed, monkeypatch, encoder):
    cells = [site.url(f"/{i}") for i in range(6)] + [site.url("/gone")]
    for i in range(90):
        site.bodies[f"/more{i}"] = png(100 + i)
        cells.append(site.url(f"/more{i}"))
    expected = embed(cells, ttl_seconds=0, job="other")
    site.asked()
    cut_off = {"ttl_seconds": 0, "job": "long"}
    calls = []

    def fail_at_the_third(self, tensors):
        calls.append(len(tensors))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return encode(self, tensors)

    encode = type(encoder).encode_batch
    # Another encoder's name, so that nothing but this job's own vectors is in the cache.
    monkeypatch.setattr(encoder, "fingerprint", "compact:cut-off")
    monkeypatch.setattr(type(encoder), "encode_batch", fail_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        embed(cells, **cut_off)
    n_asked_before = site.asked().total()
    n_kept = sum(calls[:2])
    rest = embed(cells, **cut_off)
    assert 0 < n_kept < 96 / 10
    assert rest.n_encoded == 96 - n_kept
    # Whole batches are not fetched again, nor what is not there.
    assert site.asked() == {200: 96 - n_kept}
    assert n_asked_before < 97
    assert rest.vectors.tobytes() == expected.vectors.tobytes()
    assert rest.failures == expected.failures


def test_descriptions_are_added_after_the_cache(tmp_path, encoder):
    class Product(monitor.Schema):
        image: monitor.Blob
        text: monitor.String

    product = Product()
    described = monitor.ImageEmbedding(
        name="described",
        source_column="image",
        column="vector",
        space=monitor.ImageSpace(product.image + product.text, model="compact"),
    )
    one = pd.DataFrame({"image": [png(0)], "text": ["a mug"]})
    two = pd.DataFrame({"image": [png(0)], "text": ["an apple"]})
    fresh = [monitor.embed(table, described)["vector"][0] for table in (one, two)]
    cached = [
        monitor.embed(table, described, cache=tmp_path)["vector"][0] for table in (one, two, one)
    ]
    np.testing.assert_array_equal(cached[0], cached[2])
    np.testing.assert_allclose(cached[:2], fresh, atol=1e-6)
    assert not np.allclose(cached[0], cached[1])
    plain = monitor.embed(one, FEATURE, cache=tmp_path)["vector"][0]
    np.testing.assert_allclose(
        plain, encoder.encode_images([Image.open(io.BytesIO(png(0)))])[0], atol=1e-6
    )


def test_without_a_cache_nothing_is_written(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monitor.embed(pd.DataFrame({"image": [png(0)]}), FEATURE)
    assert list(tmp_path.iterdir()) == []
