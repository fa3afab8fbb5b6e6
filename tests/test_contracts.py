"""The contract suites over what is built in and over the public fakes; a toy of each kind passes too."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitor.drift import DISTANCES, Distance
from monitor.embedding import Cells, EmbeddedColumn, EmbeddingTask, Executor, LocalExecutor
from monitor.encoders.spec import EncoderSpec
from monitor.errors import InvalidInputError, UnknownNameError
from monitor.sources import CallableSource, FileSource, Source, SqlSource
from monitor.testing import (
    DistanceContract,
    EncoderContract,
    ExecutorContract,
    FakeEncoder,
    MemorySource,
    SourceContract,
)
from monitor.testing.source import MakeSource


@pytest.mark.parametrize("distance", DISTANCES, ids=lambda distance: distance.name)
class TestBuiltInDistances(DistanceContract):
    pass


class TestToyDistance(DistanceContract):
    @pytest.fixture
    def distance(self) -> Distance:
        def total_variation(baseline: np.ndarray, window: np.ndarray) -> np.ndarray:
            p = baseline / baseline.sum(axis=-1, keepdims=True)
            q = window / window.sum(axis=-1, keepdims=True)
            return np.asarray(abs(p - q).sum(axis=-1) / 2)

        return Distance("total_variation", total_variation)


class TestFakeEncoder(EncoderContract):
    @pytest.fixture
    def spec(self) -> EncoderSpec:
        return FakeEncoder.spec_of("a")

    @pytest.fixture
    def other_weights(self) -> EncoderSpec:
        return FakeEncoder.spec_of("b")


class TestLocalExecutor(ExecutorContract):
    @pytest.fixture(params=[1, 4, None])
    def executor(self, request: pytest.FixtureRequest) -> LocalExecutor:
        return LocalExecutor(threads=request.param)

    @pytest.mark.parametrize("threads", [0, -1, 2.5, True, "4"])
    def test_refuses_what_is_no_number_of_threads(self, threads: object) -> None:
        with pytest.raises(InvalidInputError, match=r"threads=.* must be a whole number from 1"):
            LocalExecutor(threads=threads)  # type: ignore[arg-type]

    @pytest.mark.parametrize("processes", [-1, 2.5, True, "4"])
    def test_refuses_what_is_no_number_of_processes(self, processes: object) -> None:
        with pytest.raises(InvalidInputError, match=r"processes=.* must be a whole number from 0"):
            LocalExecutor(processes=processes)  # type: ignore[arg-type]


class TestLocalExecutorOfProcesses(ExecutorContract):
    @pytest.fixture
    def executor(self) -> LocalExecutor:
        # One starts twice as fast as two; that two keep the order, `tests.embedding.test_processes` shows.
        return LocalExecutor(processes=1)

    @pytest.fixture
    def task(self) -> EmbeddingTask:
        # The fake encoder does not say what its preprocessing does.
        return EmbeddingTask(EncoderSpec(handler="open_clip", model="compact", batch_size=4))


class HalvesExecutor:
    """A toy engine: two workers, each with half of the rows."""

    def __init__(self, workers: int = 2) -> None:
        self.workers = workers

    def embed(
        self,
        cells: Cells,
        task: EmbeddingTask,
        *,
        cache: object = None,
        on_progress: Callable[[int], object] = lambda n_rows: None,
    ) -> EmbeddedColumn:
        parts = []
        for first in range(self.workers):
            texts = cells.descriptions
            part = Cells(
                cells.images[first :: self.workers],
                None if texts is None else texts[first :: self.workers],
            )
            parts.append(LocalExecutor(1).embed(part, task, cache=cache, on_progress=on_progress))  # type: ignore[arg-type]
        vectors = np.zeros((len(cells), parts[0].vectors.shape[1]), dtype=np.float32)
        quality = np.zeros((len(cells), parts[0].quality.shape[1]), dtype=np.float32)
        failures = [None] * len(cells)
        for first, part_result in enumerate(parts):
            vectors[first :: self.workers] = part_result.vectors
            quality[first :: self.workers] = part_result.quality
            failures[first :: self.workers] = part_result.failures
        n_encoded = sum(part_result.n_encoded for part_result in parts)
        return EmbeddedColumn(vectors, tuple(failures), parts[0].fingerprint, n_encoded, quality)


@pytest.mark.extension("an executor: its class and its registration", 2)
class TestToyExecutor(ExecutorContract):
    @pytest.fixture
    def executor(self) -> HalvesExecutor:
        return HalvesExecutor()


class TestMemorySource(SourceContract):
    @pytest.fixture(params=[7, 10_000])
    def make_source(self, request: pytest.FixtureRequest) -> MakeSource:
        return lambda rows: MemorySource(rows, "ts", chunk_rows=request.param)


class TestFileSource(SourceContract):
    @pytest.fixture(params=["parquet", "csv"])
    def make_source(self, request: pytest.FixtureRequest, tmp_path: Path) -> MakeSource:
        def make(rows: pd.DataFrame) -> Source:
            for number, part in enumerate((rows.iloc[:50], rows.iloc[50:])):
                path = tmp_path / f"part{number}.{request.param}"
                if request.param == "csv":
                    part.to_csv(path, index=False)
                else:
                    part.to_parquet(path)
            return FileSource(str(tmp_path / f"*.{request.param}"), "ts", chunk_rows=20)

        return make


class TestSqlSource(SourceContract):
    @pytest.fixture
    def make_source(self, tmp_path: Path) -> MakeSource:
        def make(rows: pd.DataFrame) -> Source:
            with sqlite3.connect(tmp_path / "rows.db") as connection:
                rows.assign(ts=rows["ts"].dt.strftime("%Y-%m-%d %H:%M:%S")).to_sql(
                    "photos", connection, index=False
                )
            connection.close()
            query = (
                "SELECT * FROM photos WHERE datetime(ts) >= datetime(:start) "
                "AND datetime(ts) < datetime(:end)"
            )
            return SqlSource(f"sqlite:///{tmp_path / 'rows.db'}", query, "ts")

        return make


class TestCallableSource(SourceContract):
    @pytest.fixture
    def make_source(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeSource:
        def make(rows: pd.DataFrame) -> Source:
            rows.to_parquet(tmp_path / "rows.parquet")
            (tmp_path / "our_rows_of_a_contract.py").write_text(
                "import pandas as pd\n"
                f"def rows(start, end):\n    return pd.read_parquet({str(tmp_path / 'rows.parquet')!r})\n"
            )
            monkeypatch.syspath_prepend(tmp_path)
            return CallableSource("our_rows_of_a_contract:rows", "ts", folder=str(tmp_path))

        return make


def test_an_executor_is_given_by_name_or_as_an_object(tmp_path: Path) -> None:
    import monitor
    from monitor.embedding.executors import registry

    photos = monitor.ImageEmbedding(
        name="photos",
        source_column="image",
        column="vector",
        space=monitor.ImageSpace(
            "image", model="fake", model_handler=FakeEncoder.spec_of().handler
        ),
    )
    frame = pd.DataFrame({"image": [np.full((8, 8, 3), grey, np.uint8) for grey in (10, 200)]})
    usual = monitor.embed(frame, photos)
    registry.register("halves", HalvesExecutor)
    for executor in ("halves", HalvesExecutor(workers=1)):
        other = monitor.embed(frame, photos, executor=executor)
        pd.testing.assert_frame_equal(other, usual)
    assert isinstance(HalvesExecutor(), Executor)
    with pytest.raises(UnknownNameError, match=r"no executor 'halfs'; did you mean 'halves'\?"):
        monitor.embed(frame, photos, executor="halfs")
    with pytest.raises(InvalidInputError, match="expected an executor or its name, got int"):
        monitor.embed(frame, photos, executor=3)  # type: ignore[arg-type]
