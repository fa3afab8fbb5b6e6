"""Columns read by processes of their own: the same vectors, and no process that costs more than its image."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import monitor.images
from monitor.cache import VectorCache
from monitor.embedding import Cells, EmbeddedColumn, EmbeddingTask, LocalExecutor, readers
from monitor.embedding.reader_processes import ReaderProcesses
from monitor.encoders import EncoderSpec, load_encoder
from monitor.encoders.traits import EncoderTraits, traits_of
from monitor.errors import MonitorError
from monitor.failures import Failure
from monitor.geometry import Geometry
from monitor.images import ImageReader, SourcePolicy
from monitor.testing import FakeEncoder
from tests.images.servers import Server, answer

ROOT = str(Path(monitor.images.__file__).parents[2])
CRASHES = b"this one crashes the decoder"
FAULTY = f"""
import ctypes
import PIL.JpegImagePlugin as jpeg

_open = jpeg.JpegImageFile._open

def _faulty(self):
    if {CRASHES!r} in self.fp.getvalue():
        ctypes.string_at(0)
    _open(self)

jpeg.JpegImageFile._open = _faulty
"""


def encoded(seed: int, size: tuple[int, int] = (120, 90), kind: str = "JPEG") -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(stream, kind)
    return stream.getvalue()


def embed(
    cells: list[object],
    processes: int,
    policy: SourcePolicy | None = None,
    cache: VectorCache | None = None,
    **spec: object,
) -> EmbeddedColumn:
    values = {"handler": "open_clip", "model": "compact", "device": "cpu", **spec}
    task = EmbeddingTask(EncoderSpec.model_validate(values), policy or SourcePolicy())
    return LocalExecutor(processes=processes).embed(Cells(cells), task, cache=cache)


def assert_same(one: EmbeddedColumn, other: EmbeddedColumn) -> None:
    assert one.failures == other.failures
    np.testing.assert_array_equal(one.quality, other.quality)
    np.testing.assert_array_equal(one.vectors, other.vectors)
    assert one.n_encoded == other.n_encoded


@pytest.mark.parametrize(("preprocessing", "n"), [("exact", 2), ("fast", 1)])
def test_as_threads_read_them(tmp_path: Path, preprocessing: str, n: int) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(encoded(1, kind="PNG"))
    rng = np.random.default_rng(0)
    cells: list[object] = [
        encoded(2), encoded(3, (701, 1403)), encoded(4, (250, 90), "WEBP"), str(file), file,
        file.as_uri(), rng.integers(0, 256, (70, 50), dtype=np.uint8), rng.random((40, 60, 3)),
        Image.open(io.BytesIO(encoded(5))), None, b"<html>", encoded(2), encoded(6)[:-90], "/etc/passwd",
        encoded(7, (900, 4)), bytearray(encoded(8)), "nan",
    ]  # fmt: skip
    policy = SourcePolicy(roots=(str(tmp_path),))
    there, here = (embed(cells, n, policy, preprocessing=preprocessing) for n in (n, 0))
    assert_same(there, here)
    assert sum(failure is None for failure in there.failures) == 13


def test_urls_with_as_many_connections_as_the_policy_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = []
    make = readers.ReaderProcesses

    def counted(policy: SourcePolicy, geometry: Geometry, n: int) -> ReaderProcesses:
        started.append(n)
        return make(policy, geometry, n)

    monkeypatch.setattr(readers, "ReaderProcesses", counted)
    with Server({f"/{i}": answer(encoded(i)) for i in range(6)}) as server:
        cells: list[object] = [f"{server.url}/{i}" for i in (0, 1, 2, 9, 3, 4, 5, 0)]
        policy = SourcePolicy(
            hosts=(server.host,), allow_private=True, retries=0, max_connections_per_host=2
        )
        there, here = (embed(cells, n, policy) for n in (8, 0))
    assert_same(there, here)
    assert started == [2]
    reasons = [failure and failure.reason for failure in there.failures]
    assert [reason is None for reason in reasons] == [True] * 3 + [False] + [True] * 4


def test_by_themselves_they_do_not_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []
    read = ReaderProcesses.read

    def recorded(self: ReaderProcesses, cells: list[object]) -> list[object]:
        sent.extend(cells)
        return read(self, cells)  # type: ignore[return-value]

    monkeypatch.setattr(ReaderProcesses, "read", recorded)
    monkeypatch.setattr(readers, "_that_pay", lambda *which: 2)
    large = encoded(5, (900, 900))
    with Server(
        {f"/{i}": answer(encoded(i)) for i in range(4)} | {"/large": answer(large)}
    ) as server:
        cells: list[object] = [
            *(f"{server.url}/{i}" for i in (0, 1, 9, 2, 3, 1)), encoded(2), f"{server.url}/large",
        ]  # fmt: skip
        # A deadline below the default time for a connection; and the large image takes more than half.
        policy = SourcePolicy(
            hosts=(server.host,), allow_private=True, retries=0, deadline_seconds=4.0,
            max_decode_bytes=5_000_000,
        )  # fmt: skip
        here = embed(cells, 0, policy)
        task = EmbeddingTask(
            EncoderSpec(handler="open_clip", model="compact", device="cpu"), policy
        )
        assert_same(LocalExecutor().embed(Cells(cells), task), here)
        assert sorted(map(repr, sent)) == sorted(
            repr(data) for data in [*map(encoded, (0, 1, 2, 3)), encoded(2), large]
        )
        monkeypatch.setattr(readers, "_that_pay", lambda *which: 1)
        with VectorCache(tmp_path) as cache:
            for n_encoded in (5, 0):
                column = LocalExecutor().embed(Cells(cells), task, cache=cache)
                assert column.failures == here.failures
                assert column.n_encoded == n_encoded
    # With a cache batches are smaller.
    np.testing.assert_allclose(column.vectors, here.vectors, atol=1e-6)


def test_what_the_cache_knows_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else what has just changed is not taken as settled.
    monkeypatch.setattr("monitor.images.files._UNSETTLED_NS", 0)
    file = tmp_path / "a.jpg"
    file.write_bytes(encoded(1))
    cells: list[object] = [str(file), encoded(2), encoded(3)]
    policy = SourcePolicy(roots=(str(tmp_path),))
    with VectorCache(tmp_path / "cache") as cache:
        first = embed(cells, 1, policy, cache)
        with pytest.MonkeyPatch.context() as patch:

            def asked(self: ReaderProcesses, cells: list[object]) -> list[object]:
                assert not cells
                return []

            patch.setattr(ReaderProcesses, "read", asked)
            again = embed(cells, 1, policy, cache)
    assert (first.n_encoded, again.n_encoded) == (3, 0)
    np.testing.assert_array_equal(first.vectors, again.vectors)
    assert first.failures == again.failures


@pytest.fixture
def faulty_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that start find a Pillow with native faults; this one keeps the healthy one."""
    (tmp_path / "sitecustomize.py").write_text(FAULTY, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")


@pytest.mark.usefixtures("faulty_decoder")
def test_a_native_crash_costs_its_image_alone() -> None:
    cells: list[object] = [encoded(i) + (CRASHES if i == 3 else b"") for i in range(20)]
    column = embed(cells, 1)
    crashed = Failure("decoder_crashed", "the reading process ended by signal 11")
    assert column.failures == (None,) * 3 + (crashed,) + (None,) * 16


def test_images_beyond_a_processes_part_of_the_memory_are_read_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # 4 bytes a pixel while a JPEG is decoded, and its data twice.
    small, large = encoded(1, (50, 50)), encoded(2, (500, 500))
    policy = SourcePolicy(max_decode_bytes=1_500_000)
    here = []
    decoding = ImageReader.decoding

    def seen(self: ImageReader, raw: monitor.images.RawImage, least: int | None = None) -> object:
        here.append(raw.data)
        return decoding(self, raw, least)

    monkeypatch.setattr(ImageReader, "decoding", seen)
    column = embed([small, large], 2, policy)
    assert column.failures == (None, None)
    assert here == [large]


def test_where_no_process_can_be_started(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cells: list[object] = [encoded(i) for i in range(40)]
    here = embed(cells, 0)
    monkeypatch.setattr(readers, "_that_pay", lambda *which: 2)
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(MonitorError, match=r"no reading process.*processes=0"):
        embed(cells, 2)
    # Nobody asked for them: threads do.
    task = EmbeddingTask(EncoderSpec(handler="open_clip", model="compact", device="cpu"))
    assert_same(LocalExecutor().embed(Cells(cells), task), here)
    assert "images are read by threads alone" in caplog.text


def test_an_error_ends_all_processes() -> None:
    encoder = load_encoder(EncoderSpec(handler="open_clip", model="compact", device="cpu"))
    geometry = traits_of(encoder).geometry
    assert geometry is not None
    processes = ReaderProcesses(SourcePolicy(), geometry, 2)
    assert [outcome.read for outcome in processes.read([b"<html>"])] != []
    running = [slot for slot in list(processes._slots.queue) if slot is not None]
    processes.cancel()
    cancelled = processes.read([encoded(1)])[0].read
    assert cancelled == Failure("deadline", "the reader was cancelled")
    processes.close()
    assert [process._process.poll() is not None for process in running] == [True]


class OnAGpu(FakeEncoder):
    traits = EncoderTraits(at_once=2, geometry=Geometry(8, "BICUBIC"))


class TestWhetherTheyPay:
    @pytest.fixture
    def n(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
        """How many processes there are on 16 cores."""
        monkeypatch.setattr(readers, "n_cores", lambda: 16)

        def count(n: int, encoder: FakeEncoder | None = None, **policy: object) -> int:
            chosen = readers.Readers(processes=None)
            encoder = encoder or OnAGpu(FakeEncoder.spec_of())
            with ImageReader(SourcePolicy.model_validate(policy)) as reader:
                return chosen._n_processes([b""] * n, encoder, reader)

        return count

    def test_for_a_long_column_and_a_gpu(self, n: Callable[..., int]) -> None:
        assert (n(2_048), n(2_047)) == (16, 0)

    def test_not_where_no_process_may_be_started(self, n: Callable[..., int]) -> None:
        assert n(5_000, isolation="none") == 0

    def test_not_where_the_program_is_its_own_interpreter(
        self, n: Callable[..., int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.frozen", True, raising=False)
        assert n(5_000) == 0

    def test_no_more_than_were_ever_tried(
        self, n: Callable[..., int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(readers, "n_cores", lambda: 192)
        assert n(50_000) == 32

    def test_not_for_preprocessing_that_is_not_known(self, n: Callable[..., int]) -> None:
        assert n(5_000, FakeEncoder(FakeEncoder.spec_of())) == 0

    def test_not_where_the_model_needs_the_cores(self, n: Callable[..., int]) -> None:
        small, large = (
            EncoderTraits(is_parallel=True, enough=enough, geometry=Geometry(8, "BICUBIC"))
            for enough in (None, 8)
        )
        encoder = OnAGpu(FakeEncoder.spec_of())
        encoder.traits = large  # type: ignore[misc]
        assert n(5_000, encoder) == 0
        encoder.traits = small  # type: ignore[misc]
        assert (n(5_000, encoder), n(1_500, encoder)) == (12, 0)

    def test_not_on_few_cores(self, n: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(readers, "n_cores", lambda: 2)
        assert n(5_000) == 0
        monkeypatch.setattr(readers, "n_cores", lambda: 7)
        encoder = OnAGpu(FakeEncoder.spec_of())
        assert n(5_000, encoder) == 7
        encoder.traits = EncoderTraits(is_parallel=True, geometry=Geometry(8, "BICUBIC"))  # type: ignore[misc]
        assert n(5_000, encoder) == 0
