"""Parquet files are embedded where the workers are, and nothing shows that afterwards."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from monitor import frames
from monitor.cli import in_pieces
from monitor.cli.embedded import Prepared
from monitor.cli.project import Project
from monitor.cli.tables import one_file
from monitor.cli.terminal import Terminal
from monitor.embedding import LocalExecutor
from monitor.encoders.architecture import COMPACT_DIR
from monitor.encoders.spec import WEIGHTS_FILE
from monitor.pipeline import gathered, judged
from monitor.sources import DataFile
from tests.embedding.cutting import CuttingExecutor

with_weights = pytest.mark.skipif(
    not (COMPACT_DIR / WEIGHTS_FILE).is_file(), reason="the compact model has no weights here"
)

CONFIG = """\
features:
  - {name: photo, type: FROM_IMAGE_EMBEDDING, source_column: image, column: vector, model: compact}
  - {name: thumb, type: FROM_IMAGE_EMBEDDING, source_column: small, column: small_vector, model: compact}
data:
  baseline: {path: day=1/rows.parquet}
  production: {path: day=1/rows.parquet}
sources: {roots: [images]}
output: out=1
"""
SOURCE = Path("day=1/rows.parquet")
COMMAND = ("embed", "--input", "day=1/rows.parquet", "--output", "out=1/made.parquet")
TARGET = Path("out=1/made.parquet")
N = 11


@pytest.fixture
def rows(folder) -> Path:
    """Rows in two row groups, some without an image, under an index, and of a partition."""
    Path("monitor.yaml").write_text(CONFIG, encoding="utf-8")
    Path("images").mkdir()
    Path("day=1").mkdir()
    for i in range(4):
        pixels = np.random.default_rng(i).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(f"images/{i}.png")
    images = [f"{i % 4}.png" for i in range(N)]
    images[2], images[9] = "gone.png", "=1+1.png"
    frame = pd.DataFrame(
        {"image": images, "small": images[::-1], "kind": pd.Categorical(["a", "b"] * 5 + ["a"])},
        index=[f"row {i}" for i in range(N)],
    )
    frame.to_parquet("day=1/rows.parquet", row_group_size=7)
    return folder


@pytest.fixture
def workers(monkeypatch) -> CuttingExecutor:
    executor = CuttingExecutor()
    monkeypatch.setattr(Project, "executor", executor)
    return executor


def failures() -> list[dict[str, str]]:
    with TARGET.with_name("made.failures.csv").open(encoding="utf-8", newline="") as file:
        return [{**row, "failed_at": ""} for row in csv.DictReader(file)]


def outcome() -> tuple[object, object, list[dict[str, str]]]:
    names = ("vector", "small_vector", "vector_quality", "small_vector_quality")
    table = pq.ParquetFile(TARGET).read()
    return table.drop_columns(names), [table[name] for name in names], failures()


@pytest.fixture
def expected(rows, monitor_command):
    """What comes of the rows when they are embedded whole."""
    assert monitor_command(*COMMAND).exit_code == 0
    made = outcome()
    facts = frames.facts_of(frames.read_table(TARGET))
    shutil.rmtree("out=1")
    return made, facts


def assert_is(expected) -> None:
    (others, vectors, failed), facts = expected
    made = outcome()
    assert made[0].equals(others)
    assert made[0].schema.names == others.schema.names
    for mine, theirs in zip(made[1], vectors, strict=True):
        assert mine.type == theirs.type
        assert mine.is_null().equals(theirs.is_null())
        flat = [np.asarray(c.combine_chunks().drop_null().flatten()) for c in (mine, theirs)]
        np.testing.assert_allclose(*flat, atol=1e-5)
    assert made[2] == failed
    assert [row["row"] for row in failed if row["column"] == "vector"] == ["2", "9"]
    assert frames.facts_of(frames.read_table(TARGET)) == facts
    assert list(pd.read_parquet(TARGET).index) == [f"row {i}" for i in range(N)]
    assert {path.name for path in TARGET.parent.iterdir()} == {
        "made.parquet",
        "made.failures.csv",
        "cache",
    }


@with_weights
def test_the_table_is_that_of_a_file_embedded_whole(expected, workers, monitor_command):
    result = monitor_command(*COMMAND)
    assert result.exit_code == 0, result.stderr
    assert "embedding 11 rows of day=1/rows.parquet for thumb (compact)" in result.stderr
    assert "vector: 2 rows without vector: not_found, such as gone.png" in result.stdout
    assert_is(expected)
    # Failures and counts come back, no vectors of 512 numbers.
    assert len(workers.largest) == 5
    assert max(workers.largest) < 1_000
    # Windows are then judged by workers that read some rows each.
    file = Prepared(one_file(Project.open(Path("monitor.yaml"), Terminal()).config, SOURCE), TARGET)
    pieces = [table for rows in (range(5), range(5, N)) for table in file.tables({"kind"}, rows)]
    assert frames.join(pieces).equals(frames.join(list(file.tables({"kind"}))))
    assert "kept  out=1/made.parquet: 11 rows" in monitor_command(*COMMAND).stdout
    retried = monitor_command(*COMMAND, "--retry-failed=all")
    assert "4 tried again" in retried.stdout
    assert [row["attempts"] for row in failures()] == ["2"] * 4


@with_weights
def test_what_was_done_before_a_kill_is_not_done_again(
    expected, workers, monitor_command, monkeypatch
):
    whole, done = in_pieces.EmbedPiece.__call__, []

    def killed(work, piece, executor, cache):
        failed = whole(work, piece, executor, cache)
        done.append(piece.start)
        if len(done) == 3:
            raise KeyboardInterrupt
        return failed

    monkeypatch.setattr(in_pieces.EmbedPiece, "__call__", killed)
    stopped = monitor_command(*COMMAND)
    assert stopped.exit_code == 130
    assert "the same command continues from there" in stopped.stderr
    parts = TARGET.with_name(".made.parts")
    manifest = parts / "manifest.jsonl"
    # The last part was written, and the command did not hear of it; and a line may be cut off.
    assert len(list(parts.glob("*.parquet"))) == 3
    assert len(manifest.read_text().splitlines()) == 1 + 2
    manifest.write_text(manifest.read_text()[:-5])
    embedded = []
    monkeypatch.setattr(in_pieces.EmbedPiece, "__call__", whole)
    monkeypatch.setattr(LocalExecutor, "embed", _counted(LocalExecutor.embed, embedded))
    # Pieces are those that it was begun with.
    monkeypatch.setattr(Project, "executor", CuttingExecutor(rows=5))
    assert monitor_command(*COMMAND).exit_code == 0
    # One piece of four, for two features.
    assert embedded == [3, 3]
    assert_is(expected)


def _counted(embed, counts):
    def counted(self, cells, *arguments, **options):
        counts.append(len(cells))
        return embed(self, cells, *arguments, **options)

    return counted


@with_weights
def test_other_rows_or_another_time_begin_anew(rows, workers, monitor_command, monkeypatch):
    def killed(work, piece, executor, cache):
        raise KeyboardInterrupt

    whole = in_pieces.EmbedPiece.__call__
    monkeypatch.setattr(in_pieces.EmbedPiece, "__call__", killed)
    assert monitor_command(*COMMAND).exit_code == 130
    manifest = TARGET.with_name(".made.parts") / "manifest.jsonl"
    shutil.copy("day=1/rows.parquet", manifest.parent / "000000.parquet")
    (head,) = map(json.loads, manifest.read_text().splitlines())
    manifest.write_text(json.dumps(head | {"begun": head["begun"] - 8 * 24 * 3600}) + "\n")
    monkeypatch.setattr(in_pieces.EmbedPiece, "__call__", whole)
    assert monitor_command(*COMMAND).exit_code == 0
    assert pq.ParquetFile(TARGET).metadata.num_rows == N


@with_weights
def test_where_workers_do_not_see_the_folder_rows_pass_through_the_command(
    expected, workers, monitor_command, monkeypatch
):
    whole = in_pieces.EmbedPiece.__call__

    def elsewhere(work, piece, executor, cache):
        shutil.rmtree(piece.part.parent, ignore_errors=True)
        return whole(work, piece, executor, cache)

    monkeypatch.setattr(in_pieces.EmbedPiece, "__call__", elsewhere)
    result = monitor_command(*COMMAND)
    assert result.exit_code == 0, result.stderr
    assert "note: not all workers see" in result.stderr
    assert_is(expected)


def test_windows_of_many_rows_are_gathered_by_the_workers(fitted, monitor_command, monkeypatch):
    """Of two files with ready-made vectors, of which one day has moved; if the workers see them."""
    Path("monitor.yaml").write_text(Path("monitor.yaml").read_text() + "report: {html: null}\n")
    workers = CuttingExecutor(rows=70)
    monkeypatch.setattr(Project, "executor", workers)
    for module in (gathered, judged):
        monkeypatch.setattr(module, "MOST_HELD", 60)
    monkeypatch.setattr(gathered, "LEAST_SHOWN", 20)
    with monkeypatch.context() as patch:
        patch.setattr(DataFile, "is_here", False)
        result = monitor_command("drift")
    assert "not all workers see the files" in result.stderr
    here = Path("report.json").read_text()
    workers.largest.clear()
    monkeypatch.setattr(judged, "judge_tables", None)
    result = monitor_command("drift")
    assert result.exit_code == 0, result.stderr
    assert Path("report.json").read_text() == here
    assert json.loads(here)["windows"][1]["judgement"]["verdict"] == "drift"
    # Two pieces of each file, counted, and the rows that were drawn of them taken.
    assert len(workers.largest) == 8
