"""Encoders on a GPU: the same contract, and the vectors of the CPU; skipped where there is none."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from monitor.embedding import Cells, EmbeddingTask, LocalExecutor
from monitor.encoders import EncoderSpec, load_encoder
from monitor.encoders.vectors import resolve_device
from monitor.errors import EncoderError
from monitor.testing import EncoderContract, ExecutorContract
from monitor.testing.fakes import pictures

from .tiny import RESNET, VIT, write_model

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is here")


def on_cuda(folder: Path, **fields: object) -> EncoderSpec:
    values = {"handler": "open_clip", "model": f"local-dir:{folder}", "device": "cuda", **fields}
    return EncoderSpec.model_validate(values)


@pytest.fixture(scope="module", params=["vit", "resnet"])
def folders(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    place = tmp_path_factory.mktemp(f"cuda-{request.param}")
    architecture = {"vit": VIT, "resnet": RESNET}[request.param]
    return [write_model(place / str(seed), architecture, seed) for seed in (0, 1)]


class TestOpenClipOnCuda(EncoderContract):
    @pytest.fixture
    def spec(self, folders: list[Path]) -> EncoderSpec:
        return on_cuda(folders[0])

    @pytest.fixture
    def other_weights(self, folders: list[Path]) -> EncoderSpec:
        return on_cuda(folders[1])


class TestLocalExecutorOnCuda(ExecutorContract):
    @pytest.fixture(params=[0, 2])
    def executor(self, request: pytest.FixtureRequest) -> LocalExecutor:
        return LocalExecutor(processes=request.param)

    @pytest.fixture
    def task(self, tmp_path_factory: pytest.TempPathFactory) -> EmbeddingTask:
        # Not the one of convolutions: cuDNN computes them in TF32, so that batches differ by 1e-5.
        folder = write_model(tmp_path_factory.mktemp("vit"), VIT)
        return EmbeddingTask(on_cuda(folder, batch_size=4))


@pytest.mark.parametrize(
    ("precision", "least"), [("float32", 1 - 1e-5), ("float16", 0.9999), ("bfloat16", 0.999)]
)
def test_vectors_are_those_of_the_cpu(folders: list[Path], precision: str, least: float) -> None:
    here = load_encoder(on_cuda(folders[0], device="cpu")).encode_images(pictures(9))
    there = load_encoder(on_cuda(folders[0], precision=precision)).encode_images(pictures(9))
    assert (here * there).sum(axis=1).min() >= least


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_is_told_that_cuda_does_not_follow_it(folders: list[Path]) -> None:
    encoder = load_encoder(on_cuda(folders[0]))
    encoder.encode_images(pictures(2))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            encoder.encode_images(pictures(2))
            os.write(writer, b"no error")
        except EncoderError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert b"'spawn'" in os.read(reader, 1_000)


def test_memory_that_is_not_there_is_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    encoder = load_encoder(on_cuda(write_model(tmp_path, VIT)))
    tensors = [encoder.preprocess(image) for image in pictures(6)] * 100
    expected = encoder.encode_batch(tensors)
    torch.cuda.empty_cache()
    whole = torch.cuda.get_device_properties(0).total_memory
    most = torch.cuda.memory_allocated() + (12 << 20)
    torch.cuda.set_per_process_memory_fraction(most / whole)
    try:
        rows = encoder.encode_batch(tensors)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "encoded in halves" in caplog.text
    assert (rows * expected).sum(axis=1).min() >= 1 - 1e-5


def test_auto_takes_it() -> None:
    assert resolve_device("auto").type == "cuda"


def test_a_batch_on_the_device_is_a_batch(folders: list[Path]) -> None:
    encoder = load_encoder(on_cuda(folders[0]))
    tensors = torch.stack([encoder.preprocess(image) for image in pictures(3)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        there = encoder.encode_batch(tensors.to("cuda"))
    np.testing.assert_allclose(there, encoder.encode_batch(tensors), atol=1e-6)
    np.testing.assert_allclose(there, encoder.encode_batch(list(tensors.to("cuda"))), atol=1e-6)


def test_streams_are_used_again(folders: list[Path]) -> None:
    encoder = load_encoder(on_cuda(folders[0]))
    tensors = [encoder.preprocess(image) for image in pictures(3)]
    for _ in range(3):
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(encoder.encode_batch, [tensors] * 6))
    assert len(encoder._staging._free) <= 2  # type: ignore[attr-defined]


def test_a_whole_column(folders: list[Path]) -> None:
    encoder = load_encoder(on_cuda(folders[0], batch_size=8))
    images = [np.asarray(picture.convert("RGB")) for picture in pictures(50)]
    column = LocalExecutor().embed(Cells(images), EmbeddingTask(encoder.spec))
    expected = encoder.encode_images(pictures(50))
    assert (column.vectors * expected).sum(axis=1).min() >= 1 - 1e-5
