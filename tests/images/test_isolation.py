"""Decoding in processes of its own: the same pixels, and no crash that costs more than its image."""

import os
import signal
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import monitor.images
from monitor.failures import Failure
from monitor.images import DecodedImage, ImageReader, RawImage, SourcePolicy, decode
from monitor.images.cancellation import Cancellation
from monitor.images.isolation import DecoderPool

from .pictures import JPEG, PNG, encode, png_claiming, scene
from .servers import Server, silence

ROOT = str(Path(monitor.images.__file__).parents[2])

CRASHES = b"this one crashes the decoder"
HANGS = b"this one never comes back"
SWALLOWS = b"this one takes all memory"

# Pillow's JPEG reader with faults in native code, for pictures that say so.
FAULTY = f"""
import ctypes, os, signal, sys
import PIL.JpegImagePlugin as jpeg

_open = jpeg.JpegImageFile._open

def _faulty(self):
    data = self.fp.getvalue()
    if {CRASHES!r} in data:
        ctypes.string_at(0)
    if {HANGS!r} in data:
        open(os.environ["HANGS_AT"], "w").close()
        signal.pause()
    if {SWALLOWS!r} in data:
        ctypes.CDLL(None).abort() if not ctypes.create_string_buffer(1 << 30) else None
    _open(self)

jpeg.JpegImageFile._open = _faulty
"""


def marked(mark: bytes) -> bytes:
    """A JPEG that the faulty reader knows by its tail."""
    return JPEG + mark


@pytest.fixture
def faulty_decoder(tmp_path, monkeypatch):
    """Workers find a Pillow with native faults; this process keeps the healthy one."""
    (tmp_path / "sitecustomize.py").write_text(FAULTY, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    # Who opens a pipe waits for its other end: a worker that hangs waits there, and is waited for.
    os.mkfifo(tmp_path / "hangs")
    monkeypatch.setenv("HANGS_AT", str(tmp_path / "hangs"))
    return tmp_path / "hangs"


@contextmanager
def running_pool(n_workers=1, memory_bytes=None, **options):
    cancellation = Cancellation()
    decoders = DecoderPool(
        SourcePolicy(**options), cancellation, n_workers=n_workers, memory_bytes=memory_bytes
    )
    try:
        yield decoders
    finally:
        cancellation.cancel()
        decoders.close()


@pytest.fixture
def pool():
    with ExitStack() as running:
        yield lambda *words, **options: running.enter_context(running_pool(*words, **options))


@pytest.fixture(scope="module")
def shared():
    """One worker for all pictures that harm none."""
    with running_pool() as decoders:
        yield decoders


def worker_of(decoders: DecoderPool):
    worker = decoders._slots.get()
    decoders._slots.put(worker)
    return worker._process


@pytest.mark.parametrize(
    "data", [PNG, JPEG, encode(scene(), "WEBP", lossless=True), b"<html>", PNG[:60],
             png_claiming(60_000, 60_000)],
    ids=["png", "jpeg", "webp", "html", "truncated", "bomb"],
)  # fmt: skip
def test_it_gives_what_decoding_here_gives(shared, data):
    isolated, here = shared.decode(RawImage.of(data)), decode(RawImage.of(data), SourcePolicy())
    if isinstance(here, Failure):
        assert isolated == here
    else:
        assert isinstance(isolated, DecodedImage)
        assert (np.asarray(isolated.image) == np.asarray(here.image)).all()
        assert (isolated.notes, isolated.sha256) == (here.notes, here.sha256)


def test_a_native_crash_costs_its_image_alone(pool, faulty_decoder):
    decoders = pool()
    assert isinstance(decoders.decode(RawImage.of(PNG)), DecodedImage)
    first = worker_of(decoders).pid
    crashed = decoders.decode(RawImage.of(marked(CRASHES)))
    assert crashed == Failure("decoder_crashed", "the decoding process ended by signal SIGSEGV")
    assert isinstance(decoders.decode(RawImage.of(PNG)), DecodedImage)
    assert worker_of(decoders).pid != first


def test_a_decoder_that_hangs_is_given_up_in_time(pool, faulty_decoder):
    decoders = pool(deadline_seconds=1.0)
    assert isinstance(decoders.decode(RawImage.of(PNG)), DecodedImage)
    hung = decoders.decode(RawImage.of(marked(HANGS)))
    assert hung == Failure("decoder_crashed", "not decoded after 1 s")
    # It was not tried in another worker.
    assert decoders._slots.get() is None
    decoders._slots.put(None)
    assert isinstance(decoders.decode(RawImage.of(PNG)), DecodedImage)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces it")
def test_memory_is_bounded(pool, faulty_decoder):
    decoders = pool(memory_bytes=60_000_000)
    # Memory that native code asks for in vain, and pixels that do not fit.
    assert isinstance(decoders.decode(RawImage.of(marked(SWALLOWS))), Failure)
    large = encode(Image.new("RGB", (6_000, 6_000)))
    too_much = decoders.decode(RawImage.of(large))
    assert isinstance(too_much, Failure)
    assert too_much.reason in {"too_many_pixels", "decoder_crashed"}
    assert isinstance(decoders.decode(RawImage.of(PNG)), DecodedImage)


def test_the_largest_image_of_the_policy_fits(pool):
    side = 2_000
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 4), dtype=np.uint8)
    decoders = pool(max_pixels=side * side)
    # Written in a hurry, which makes the files no smaller.
    quick = {"PNG": {"compress_level": 1}, "WEBP": {"method": 0}}
    for mode, kind in (("RGBA", "PNG"), ("CMYK", "JPEG"), ("RGBA", "WEBP"), ("RGB", "TIFF")):
        image = (
            Image.fromarray(noise, "RGBA").convert(mode)
            if mode != "CMYK"
            else (Image.fromarray(noise).convert("RGB").convert("CMYK"))
        )
        data = encode(image, kind, **quick.get(kind, {}))
        assert isinstance(decoders.decode(RawImage.of(data)), DecodedImage), kind


def test_a_worker_that_somebody_kills_costs_nothing(pool):
    decoders = pool()
    assert isinstance(decoders.decode(RawImage.of(PNG)), DecodedImage)
    os.kill(worker_of(decoders).pid, signal.SIGKILL)
    assert isinstance(decoders.decode(RawImage.of(PNG)), DecodedImage)


def test_a_reader_isolates_when_its_policy_says_so(faulty_decoder):
    policy = SourcePolicy(isolation="process")
    with ImageReader(policy) as reader:
        outcomes = [reader.read(cell) for cell in (PNG, marked(CRASHES), JPEG, np.zeros((4, 4)))]
        process = worker_of(reader._decoders)
    kinds = [getattr(outcome, "reason", "image") for outcome in outcomes]
    assert kinds == ["image", "decoder_crashed", "image", "image"]
    # Nothing stays behind.
    assert process.poll() is not None


def test_no_worker_stays_behind(pool):
    decoders = pool(n_workers=3)
    threads = [threading.Thread(target=decoders.decode, args=(RawImage.of(PNG),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    workers = [decoders._slots.get() for _ in range(3)]
    for worker in workers:
        decoders._slots.put(worker)
    running = [worker._process for worker in workers if worker is not None]
    assert len(running) >= 2
    decoders.close()
    assert all(process.poll() is not None for process in running)


def test_embedding_goes_on_after_a_crash(faulty_decoder):
    import pandas as pd

    import monitor

    feature = monitor.ImageEmbedding(
        name="photo", source_column="image", column="vector", model="compact"
    )
    cells = [PNG, marked(CRASHES), JPEG, encode(scene(60, 60))]
    table = monitor.embed(
        pd.DataFrame({"image": cells}), feature, policy=SourcePolicy(isolation="process")
    )
    assert table["vector_failure"].fillna("").tolist() == ["", "decoder_crashed", "", ""]


def test_to_cancel_ends_a_decoding_at_once(faulty_decoder):
    reader = ImageReader(SourcePolicy(isolation="process", deadline_seconds=86_400))
    assert isinstance(reader.read(PNG), DecodedImage)
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(reader.read(marked(HANGS))))
    thread.start()
    faulty_decoder.open().close()
    reader.close()
    thread.join()
    assert outcome[0].reason == "deadline"


def test_a_worker_loads_neither_torch_nor_pandas():
    import subprocess

    code = (
        "import sys, monitor.images.worker\n"
        "print([n for n in ('torch', 'pandas', 'pyarrow', 'requests') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_fetching_is_not_held_up(server: Server):
    """The workers decode; how many sources are fetched at once is another matter."""
    server.routes = {"/slow": silence}
    policy = SourcePolicy(
        hosts=[server.host], allow_private=True, isolation="process", deadline_seconds=0.5
    )
    with ImageReader(policy) as reader:
        assert reader.read(f"{server.url}/slow").reason == "deadline"
        assert isinstance(reader.read(PNG), DecodedImage)


@pytest.mark.parametrize("isolation", ["none", "process"])
def test_an_image_that_takes_too_long_is_told_alike(isolation):
    policy = SourcePolicy(deadline_seconds=1e-6, isolation=isolation)
    with ImageReader(policy) as reader:
        outcome = reader.read(encode(scene(1_000, 1_000)))
    assert outcome == Failure("decoder_crashed", "not decoded after 1e-06 s")
