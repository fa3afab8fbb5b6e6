"""The executor on Ray keeps the contract, and a worker that is killed costs nothing but time."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from monitor import VectorFeature, fit_baseline
from monitor.cli import main
from monitor.cli.embedded import Prepared, RowsOfFile
from monitor.cli.project import Project
from monitor.embedding import Cells, EmbeddingTask, LocalExecutor
from monitor.embedding.executors.on_ray import RayExecutor
from monitor.encoders.spec import EncoderSpec
from monitor.errors import EncoderError, InvalidInputError
from monitor.pipeline.pieces import Gatherer
from monitor.pipeline.spread import gathered_by_workers
from monitor.rules import RunRules
from monitor.sources import find_files
from monitor.testing import ExecutorContract, pictures
from tests.embedding import plain

ROOT = str(Path(__file__).parents[2])

CONFIG = f"""\
features:
  - name: photo
    type: FROM_IMAGE_EMBEDDING
    source_column: image
    column: vector
    space:
      image: image
      model: plain
      model_handler: {plain.HANDLER}
      embedding_engine_config: {{batch_size: 4}}
data: {{baseline: {{path: rows.parquet}}, production: {{path: rows.parquet}}}}
sources: {{roots: [.]}}
"""
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
            executor.embed(Cells([images[0], plain.Bomb()]), task)
        assert executor.embed(Cells(images[:1]), task).failures == (None,)

    def test_a_file_is_embedded_by_the_workers(
        self, executor: RayExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("monitor.yaml").write_text(CONFIG)
        for i, picture in enumerate(pictures(9)):
            picture.save(f"{i}.png")
        cells = [f"{i}.png" for i in range(11)]
        pq.write_table(pa.table({"image": cells}), "rows.parquet")
        words = ["embed", "--input", "rows.parquet", "--output"]
        tables = []
        for target, where in (("here.parquet", LocalExecutor()), ("there.parquet", executor)):
            monkeypatch.setattr(Project, "executor", where)
            done = CliRunner().invoke(main, [*words, target])
            assert done.exit_code == 0, done.output
            tables.append(pq.read_table(target))
        here, there = tables
        assert there.drop_columns("vector").equals(here.drop_columns("vector"))
        assert there["vector"].is_null().to_pylist() == [False] * 9 + [True] * 2
        np.testing.assert_allclose(*(np.stack(t["vector"].to_pylist()[:9]) for t in tables))
        assert not list(tmp_path.glob(".*.parts"))

    def test_windows_are_gathered_by_the_workers(
        self, executor: RayExecutor, tmp_path: Path
    ) -> None:
        vectors = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
        rows = pa.table({"v": pa.FixedSizeListArray.from_arrays(vectors.ravel(), 4)})
        pq.write_table(rows, tmp_path / "rows.parquet", row_group_size=90)
        points = VectorFeature(name="points", column="v", n_clusters=2)
        baseline = fit_baseline(rows, points, learn_changes=False)
        gatherer = Gatherer([baseline], RunRules(), None, None, keeps_rows=False)
        (file,) = map(partial(Prepared, target=None), find_files(str(tmp_path / "rows.parquet")))
        pieces = [
            RowsOfFile(file, frozenset({"v"}), range(first, first + 100), first)
            for first in (0, 100, 200)
        ]
        windowed = gathered_by_workers(pieces, gatherer, executor)
        assert windowed is not None
        (window,) = windowed.feature(baseline).windows
        expected = baseline.sketch(vectors, {})
        assert window.n_rows == 300
        np.testing.assert_array_equal(window.sketch.cluster_units, expected.cluster_units)
        np.testing.assert_array_equal(window.sketch.kernel_units, expected.kernel_units)

    def test_a_model_of_torch(self, executor: RayExecutor, images: list[Any]) -> None:
        task = EmbeddingTask(EncoderSpec(handler="open_clip", model="compact", device="cpu"))
        # One row, for one of the workers: loading the model takes seconds.
        result = executor.embed(Cells(images[:1]), task)
        np.testing.assert_allclose(result.vectors, self.expected(task, images[:1]), atol=1e-5)

    def test_a_model_that_is_not_there_is_an_error(self, executor: RayExecutor) -> None:
        # Last: it ends the workers, and the one above has loaded torch.
        super().test_a_model_that_is_not_there_is_an_error(executor)


def pids(executor: RayExecutor) -> list[int]:
    """The processes of the workers."""
    return ray.get([actor.process.remote() for actor in executor._actors])


@pytest.mark.parametrize(
    "settings", [{"workers": 0}, {"workers": True}, {"cpus": -1}, {"cpus": 0, "gpus": 0}]
)
def test_refuses_what_is_out_of_range(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="must"):
        RayExecutor(**settings)
