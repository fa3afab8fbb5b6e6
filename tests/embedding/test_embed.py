"""Columns of images to columns of vectors, on the compact model and a real local server."""

import base64
import io
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image

import monitor
from monitor import frames
from monitor.demo.render import KINDS, draw
from monitor.encoders import load_encoder
from monitor.errors import FingerprintMismatchError, MissingColumnError, ModelNotFoundError
from tests.images.servers import Server, silence

FEATURE = monitor.ImageEmbedding(
    name="photo", source_column="image", column="vector", model="compact", n_clusters=2
)
ENCODER = load_encoder(FEATURE.encoder_spec)

ROOT = Path(monitor.__file__).parents[1]


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return [draw(KINDS[i % len(KINDS)], rng).image for i in range(8)]


@pytest.fixture(scope="module")
def expected(images):
    return ENCODER.encode_images(images)


@pytest.fixture
def server(images):
    """Serves the images as /0.png … and counts what is asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            asked.append(self.path)
            name = self.path.partition("?")[0].strip("/").removesuffix(".png")
            body = png(images[int(name)]) if name.isdigit() else b"<html>no image</html>"
            self.send_response(404 if name == "gone" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"127.0.0.1:{running.server_port}", asked
    running.shutdown()
    running.server_close()
    thread.join()


def local(host):
    return monitor.SourcePolicy(hosts=[host], allow_private=True, retries=0)


def vectors_of(frame):
    return frames.read_vectors(frame, "vector").matrix


def test_urls_are_embedded_in_order(server, expected):
    host, _ = server
    order = [3, 0, 7, 1]
    table = pd.DataFrame({"image": [f"http://{host}/{i}.png" for i in order]}, index=list("wxyz"))
    result = monitor.embed(table, FEATURE, policy=local(host))
    assert result.index.tolist() == list("wxyz")
    assert result["vector_failure"].isna().all()
    np.testing.assert_allclose(vectors_of(result), expected[order], atol=1e-6)


def test_bad_rows_get_reasons_and_good_rows_are_as_in_a_clean_run(server, expected):
    host, _ = server
    cells = [
        None,
        f"http://{host}/0.png",
        f"http://{host}/gone.png",
        f"http://{host}/page.png",
        "http://127.0.0.1:1/x.png",
        "ftp://example.com/x.png",
        "/etc/passwd",
        3.5,
        "",
        f"http://{host}/1.png",
    ]
    result = monitor.embed(
        pd.DataFrame({"image": cells}), FEATURE, policy=local(host), details=True
    )
    assert result["vector_failure"].fillna("").tolist() == [
        "missing",
        "",
        "http_404",
        "not_an_image",
        "port",
        "scheme",
        "path_outside_roots",
        "unsupported_type",
        "missing",
        "",
    ]
    assert result["vector_failure_detail"].notna().tolist() == [
        reason != "" for reason in result["vector_failure"].fillna("")
    ]
    assert result["vector"].isna().tolist() == result["vector_failure"].notna().tolist()
    np.testing.assert_allclose(vectors_of(result), expected[:2], atol=1e-6)


def test_private_addresses_are_refused_by_default(server):
    host, asked = server
    result = monitor.embed(pd.DataFrame({"image": [f"http://{host}/0.png"]}), FEATURE)
    assert result["vector_failure"][0] == "blocked_address"
    assert asked == []


def test_one_source_is_fetched_once_and_the_same_bytes_are_encoded_once(server, images, expected):
    from monitor.embedding import embed_cells
    from monitor.images import ImageReader

    host, asked = server
    url = f"http://{host}/2.png"
    cells = [url, png(images[2]), url, f"{url}?copy=1", png(images[5]), url]
    with ImageReader(local(host)) as reader:
        embedded = embed_cells(cells, ENCODER, reader)
    assert sorted(asked) == ["/2.png", "/2.png?copy=1"]
    assert embedded.failures == (None,) * 6
    assert embedded.n_encoded == 2
    np.testing.assert_allclose(embedded.vectors[0], expected[2], atol=1e-6)
    np.testing.assert_array_equal(embedded.vectors[0], embedded.vectors[5])


def test_every_kind_of_cell(images, expected, tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(png(images[0]))
    uri = "data:image/png;base64," + base64.b64encode(png(images[0])).decode()
    cells = [
        str(file),
        Path(file),
        file.as_uri(),
        uri,
        png(images[0]),
        images[0],
        np.asarray(images[0]),
    ]
    result = monitor.embed(
        pd.DataFrame({"image": pd.Series(cells, dtype=object)}),
        FEATURE,
        policy=monitor.SourcePolicy(roots=[str(tmp_path)]),
    )
    assert result["vector_failure"].isna().all(), result["vector_failure"].tolist()
    np.testing.assert_allclose(
        vectors_of(result), np.repeat(expected[:1], len(cells), 0), atol=1e-6
    )


@pytest.mark.parametrize("convert", [pl.DataFrame, pa.table], ids=["polars", "arrow"])
def test_other_frames_come_back_as_they_are(images, expected, convert):
    result = monitor.embed(convert({"image": [png(images[1]), None]}), FEATURE)
    assert type(result) is type(convert({"a": [1]}))
    np.testing.assert_allclose(vectors_of(result), expected[1:2], atol=1e-6)


def test_an_empty_frame_stays_empty():
    result = monitor.embed(pd.DataFrame({"image": []}), FEATURE)
    assert list(result) == ["image", "vector", "vector_failure", "vector_quality"]
    assert len(result) == 0


def test_a_description_is_added_to_its_image(images, expected):
    class Product(monitor.Schema):
        image: monitor.Blob
        text: monitor.String

    product = Product()
    feature = monitor.ImageEmbedding(
        name="described",
        source_column="image",
        column="vector",
        space=monitor.ImageSpace(product.image + product.text, model="compact"),
    )
    frame = pd.DataFrame(
        {
            "image": [png(images[0]), png(images[1]), png(images[2]), None],
            "text": ["a mug", None, " ", "an apple"],
        }
    )
    result = monitor.embed(frame, feature)
    summed = expected[0] + ENCODER.encode_texts(["a mug"])[0]
    np.testing.assert_allclose(vectors_of(result)[0], summed / np.linalg.norm(summed), atol=1e-6)
    np.testing.assert_allclose(vectors_of(result)[1:], expected[1:3], atol=1e-6)
    assert result["vector_failure"].tolist()[3] == "missing"


def test_vectors_are_unit_float32_and_carry_their_encoder(images):
    result = monitor.embed(pd.DataFrame({"image": [png(i) for i in images]}), FEATURE)
    read = frames.read_vectors(result, "vector")
    assert read.matrix.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(read.matrix, axis=1), 1, atol=1e-6)
    assert read.fingerprint == ENCODER.fingerprint
    baseline = monitor.fit_baseline(result, FEATURE)
    assert baseline.fingerprint == ENCODER.fingerprint
    result.attrs["monitor.fingerprint"] = {"vector": "other:0"}
    with pytest.raises(FingerprintMismatchError):
        monitor.detect_drift(result, baseline)


def test_a_missing_column_or_model_is_said_before_anything_is_fetched():
    with pytest.raises(MissingColumnError, match="no column 'image'"):
        monitor.embed(pd.DataFrame({"img": ["x"]}), FEATURE)
    unknown = monitor.ImageEmbedding(
        name="p", source_column="image", column="v", model="local-dir:/nowhere"
    )
    with pytest.raises(ModelNotFoundError):
        monitor.embed(pd.DataFrame({"image": ["x"]}), unknown)


def test_progress_is_shown_on_stderr_when_asked(images, capsys):
    monitor.embed(pd.DataFrame({"image": [png(images[0])]}), FEATURE, progress=True)
    shown = capsys.readouterr()
    assert "embed photo" in shown.err
    assert shown.out == ""


EMBED_SLOWLY = """
import signal, sys
import pandas as pd
import monitor
from monitor.encoders import register_handler
from tests.embedding.plain import HANDLER, PlainEncoder

# Shells start what runs in the background with Ctrl-C ignored, and that is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
host = sys.argv[1]
# Without torch, which this has nothing to do with and which takes five seconds to load.
register_handler(HANDLER, PlainEncoder)
space = monitor.ImageSpace("image", model="plain", model_handler=HANDLER)
feature = monitor.ImageEmbedding(name="photo", source_column="image", column="vector", space=space)
# Whoever waits for the server waits for a day.
policy = monitor.SourcePolicy(hosts=[host], allow_private=True, deadline_seconds=86_400)
table = pd.DataFrame({"image": [f"http://{host}/{i}.png" for i in range(200)]})
monitor.embed(table, feature, policy=policy)
"""


def test_ctrl_c_ends_it_although_no_server_answers():
    with Server({"*": silence}) as tarpit:
        process = subprocess.Popen(
            [sys.executable, "-c", EMBED_SLOWLY, tarpit.host], stderr=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        try:
            while not tarpit.await_requests(seconds=1):
                assert process.poll() is None, process.stderr.read()
            process.send_signal(signal.SIGINT)
            _, shown = process.communicate()
        finally:
            process.kill()
            process.wait()
    assert process.returncode == -signal.SIGINT
    assert shown.splitlines()[-1] == "KeyboardInterrupt"


def test_an_error_of_the_encoder_does_not_wait_for_slow_servers(images, monkeypatch):
    from monitor.embedding import embed_cells
    from monitor.images import ImageReader

    def fail(tensors):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(ENCODER, "encode_batch", fail)
    n_images = ENCODER.spec.batch_size
    with Server({"*": silence}) as tarpit:
        cells = [png(images[0])] + [np.full((8, 8, 3), i, np.uint8) for i in range(n_images - 1)]
        cells += [f"{tarpit.url}/{i}.png" for i in range(40)]
        policy = monitor.SourcePolicy(
            hosts=[tarpit.host], allow_private=True, deadline_seconds=86_400
        )
        with ImageReader(policy) as reader:
            with pytest.raises(RuntimeError, match="out of memory"):
                embed_cells(cells, ENCODER, reader)
            # All of it was over before the reader was closed.
            names = [thread.name for thread in threading.enumerate()]
            assert not [name for name in names if name.startswith("monitor-read")]


def test_batches_are_no_larger_than_the_encoder_says_is_enough(images):
    from monitor.embedding import embed_cells
    from monitor.encoders.traits import EncoderTraits
    from monitor.images import ImageReader
    from monitor.testing import FakeEncoder

    class Large(FakeEncoder):
        traits = EncoderTraits(is_parallel=True, enough=3)

        def encode_batch(self, tensors):
            sizes.append(len(tensors))
            return super().encode_batch(tensors)

    sizes: list[int] = []
    encoder = Large(FakeEncoder.spec_of(batch_size=32))
    with ImageReader() as reader:
        column = embed_cells(images, encoder, reader)
    assert max(sizes) <= 3
    assert sum(sizes) == len(images)
    np.testing.assert_allclose(column.vectors, encoder.encode_images(images), atol=1e-6)


def test_a_second_ctrl_c_while_the_reader_is_told_of_the_first_waits_for_nobody():
    from monitor.embedding import embed_cells
    from monitor.embedding.readers import Readers
    from monitor.images import ImageReader

    class Reader(ImageReader):
        n_told = 0

        def cancel(self):
            self.n_told += 1
            if self.n_told == 1:
                raise KeyboardInterrupt
            super().cancel()

    def interrupt(n_rows):
        raise KeyboardInterrupt

    with Server({"*": silence}) as tarpit:
        policy = monitor.SourcePolicy(
            hosts=[tarpit.host], allow_private=True, deadline_seconds=86_400
        )
        cells = [None] + [f"{tarpit.url}/{i}.png" for i in range(40)]
        with Reader(policy) as reader, pytest.raises(KeyboardInterrupt):
            embed_cells(cells, ENCODER, reader, on_progress=interrupt, readers=Readers(threads=4))
        assert reader.n_told == 2
