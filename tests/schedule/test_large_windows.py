"""A scheduled window of many rows is read in pieces, wherever its rows are, and judged as ever."""

import sqlite3

import numpy as np
import pandas as pd
import pytest

from monitor import frames
from monitor.clusters import WindowSketch
from monitor.pipeline import pieces
from monitor.rules import RunRules
from monitor.schedule import WindowJudge, judging
from monitor.sources import CallableSource, DataFile, FileSource, SqlSource, rows_seen
from monitor.sources import reading as reading_module
from tests.embedding.cutting import CuttingExecutor
from tests.store.samples import DAY, FIRST, POINTS, baseline, day, vectors

N = 120


@pytest.fixture(scope="module")
def rows():
    """A day of rows, of which some moved."""
    cells = [*vectors(N - 30, 7), *vectors(28, 8, 3.0), None, None]
    return pd.DataFrame(
        {
            "vector": cells,
            "ts": pd.date_range(FIRST, FIRST + DAY, periods=N + 1, tz="UTC")[:-1],
            "country": ["de", "fr", "jp"] * (N // 3),
        }
    )


def files(rows, folder):
    """A few files of a few rows."""
    for i in range(0, N, 15):
        rows.iloc[i : i + 15].reset_index(drop=True).to_parquet(folder / f"{i:03}.parquet")
    return FileSource(f"{folder}/*.parquet", "ts", chunk_rows=10)


def query(rows, folder):
    """Vectors as texts."""
    texts = [None if cell is None else str(cell.tolist()) for cell in rows["vector"]]
    with sqlite3.connect(folder / "rows.db") as connection:
        rows.assign(vector=texts, ts=rows["ts"].astype(str)).to_sql("rows", connection)
    return SqlSource(
        f"sqlite:///{folder}/rows.db",
        "SELECT vector, ts, country FROM rows WHERE ts >= :start AND ts < :end ORDER BY ts",
        "ts",
        chunk_rows=10,
    )


def function(rows, folder):
    """All at once."""
    rows.to_parquet(folder / "all.parquet")
    (folder / "large_rows.py").write_text(
        "import pandas as pd\n"
        f"def rows(start, end):\n    return pd.read_parquet({str(folder / 'all.parquet')!r})\n"
    )
    return CallableSource("large_rows:rows", "ts", folder=str(folder))


@pytest.mark.parametrize("make", [files, query, function])
def test_every_source_gives_the_same_result_in_pieces(rows, tmp_path, monkeypatch, make):
    source, feature = make(rows, tmp_path), POINTS
    if make is query:
        feature = POINTS.model_copy(update={"parse_text": True})
    of_feature = baseline()
    if make is query:
        monkeypatch.setitem(of_feature.feature, "parse_text", True)
    rules = RunRules(segment_column="country", minimum_rows=10)
    judge = WindowJudge(source, {"points": feature}, {"points": of_feature}, "1d", rules=rules)
    whole = judge("points", day(0))
    monkeypatch.setattr(judging, "MOST_SHOWN", 20)
    for module in (pieces, reading_module):
        monkeypatch.setattr(module, "CHUNK_ROWS", 25)
    monkeypatch.setattr(judging, "judge_frame", None)
    in_pieces = judge("points", day(0))
    assert in_pieces.report.to_json() == whole.report.to_json()
    assert whole.report.has_drift
    assert in_pieces.rows_seen == whole.rows_seen == str(rows_seen(source, FIRST, FIRST + DAY))
    assert np.array_equal(units(in_pieces.sketch), units(whole.sketch))


def test_workers_read_a_window_where_it_lies(rows, tmp_path, monkeypatch):
    source = files(rows, tmp_path)
    # Of this file no row group can hold a row of the window.
    rows.assign(ts=rows["ts"] + DAY).to_parquet(tmp_path / "later.parquet")
    workers = CuttingExecutor(rows=10)
    judge = WindowJudge(
        source, {"points": POINTS}, {"points": baseline()}, "1d", executor=workers,
        rules=RunRules(segment_column="country", minimum_rows=10),
    )  # fmt: skip
    monkeypatch.setattr(judging, "MOST_SHOWN", 20)
    with monkeypatch.context() as patch:
        patch.setattr(DataFile, "is_here", False)
        here = judge("points", day(0))
    workers.largest.clear()
    monkeypatch.setattr(judging, "judge_pieces", None)
    there = judge("points", day(0))
    assert there.report.to_json() == here.report.to_json()
    assert there.rows_seen == here.rows_seen == str(rows_seen(source, FIRST, FIRST + DAY))
    assert np.array_equal(units(there.sketch), units(here.sketch))
    # Two pieces of each of eight files: their times, their sums, their rows.
    assert len(workers.largest) == 3 * 16


def units(sketch: WindowSketch) -> np.ndarray:
    return sketch.cluster_units


def test_small_files_are_joined_to_pieces_worth_the_work(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(reading_module, "CHUNK_ROWS", 30)
    reading = reading_module.WindowReading(
        files(rows, tmp_path), FIRST, FIRST + DAY, columns=["vector", frames.ROW], most_rows=20
    )
    assert reading.is_large
    assert [table.num_rows for table in reading.tables()] == [30, 30, 30, 30]
    assert reading.seen.n == N
