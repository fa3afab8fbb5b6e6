"""The executor on Ray keeps the contract, and a worker that is killed costs nothing but time."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.embedding import Cells, EmbeddingTask
from monitor.embedding.executors.on_ray import RayExecutor
from monitor.encoders.spec import EncoderSpec
from monitor.errors import EncoderError, InvalidInputError
from monitor.testing import ExecutorContract
from tests.embedding import plain

ROOT = str(Path(__file__).parents[2])

ray = pytest.importorskip("ray")

pytestmark = [
    pytest.mark.slow,
    # Ray's own, on its way out and in.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayExecutor]:
    """Two workers, which find the encoder by its entry point."""
    site = tmp_path_factory.mktemp("site")
    plain.install(site)
    executor = RayExecutor(workers=2, cpus=0.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(site), ROOT]))
        yield executor
        executor.close()
        ray.shutdown()


class TestContract(ExecutorContract):
    @pytest.fixture
    def task(self) -> EmbeddingTask:
        return EmbeddingTask(EncoderSpec(handler=plain.HANDLER, model="plain", batch_size=4))

    @pytest.fixture
    def executor(self, shared: RayExecutor) -> RayExecutor:
        return shared

    def test_killed_workers_are_survived(
        self, executor: RayExecutor, task: EmbeddingTask, images: list[Any]
    ) -> None:
        expected = executor.embed(Cells(images), task)
        killed: list[int] = []

        def kill(n_rows: int) -> None:
            if not killed:
                killed.extend(pids(executor))
                os.kill(killed[0], signal.SIGKILL)

        result = executor.embed(Cells(images * 4), task, on_progress=kill)
        # Other pieces have other batches, whose rounding differs.
        np.testing.assert_allclose(result.vectors, np.tile(expected.vectors, (4, 1)), atol=1e-6)
        assert killed[0] not in pids(executor)

    def test_images_that_end_their_workers_are_an_error(
        self, executor: RayExecutor, task: EmbeddingTask, images: list[Any]
    ) -> None:
        with pytest.raises(EncoderError, match="3 workers died over the same images"):
            executor.embed(Cells([images[0], Bomb()]), task)
        assert executor.embed(Cells(images[:1]), task).failures == (None,)

    def test_a_model_of_torch(self, executor: RayExecutor, images: list[Any]) -> None:
        task = EmbeddingTask(EncoderSpec(handler="open_clip", model="compact", device="cpu"))
        # One row, for one of the workers: loading the model takes seconds.
        result = executor.embed(Cells(images[:1]), task)
        np.testing.assert_allclose(result.vectors, self.expected(task, images[:1]), atol=1e-5)

    def test_a_model_that_is_not_there_is_an_error(self, executor: RayExecutor) -> None:
        # Last: it ends the workers, and the one above has loaded torch.
        super().test_a_model_that_is_not_there_is_an_error(executor)


class Bomb:
    """Ends the process that takes it up."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (3,)


def pids(executor: RayExecutor) -> list[int]:
    """The processes of the workers."""
    return ray.get([actor.process.remote() for actor in executor._actors])


@pytest.mark.parametrize(
    "settings", [{"workers": 0}, {"workers": True}, {"cpus": -1}, {"cpus": 0, "gpus": 0}]
)
def test_refuses_what_is_out_of_range(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="must"):
        RayExecutor(**settings)
