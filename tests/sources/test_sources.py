"""One contract for every source, and what each has of its own."""

import datetime as dt
import sqlite3
import tracemalloc

import fsspec
import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor import frames
from monitor.errors import InvalidInputError, MissingColumnError, MissingExtraError
from monitor.frames.fingerprints import FINGERPRINT_KEY
from monitor.sources import CallableSource, FileSource, RowsSeen, SqlSource, read_window, rows_seen

UTC = dt.UTC
FIRST = dt.datetime(2026, 3, 1, tzinfo=UTC)
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
N = 72  # three days of hours


def table(n=N, **columns):
    times = pd.date_range(FIRST, periods=n, freq="h", unit="us")
    vectors = list(np.arange(n * 4, dtype=np.float32).reshape(n, 4))
    return pd.DataFrame({"ts": times, "row": range(n), "vector": vectors, **columns})


GIVEN = table()
MODULE = """
import pandas as pd
from tests.sources.test_sources import GIVEN

def given(start, end):
    return GIVEN

def in_pieces(start, end):
    for at in range(0, len(GIVEN), 7):
        yield GIVEN.iloc[at : at + 7]

def nothing(start, end):
    return iter(())

not_a_function = 3
"""


def from_parquet(folder):
    GIVEN.to_parquet(folder / "rows.parquet", row_group_size=10)
    return FileSource(f"{folder}/rows.parquet", "ts", chunk_rows=7)


def from_many_parquet(folder):
    for i in range(0, N, 10):
        GIVEN.iloc[i : i + 10].to_parquet(folder / f"{i:02}.parquet")
    return FileSource(f"{folder}/*.parquet", "ts", chunk_rows=7)


def from_csv(folder):
    GIVEN.drop(columns="vector").to_csv(folder / "rows.csv", index=False)
    return FileSource(f"{folder}/*.csv", "ts", chunk_rows=7)


def from_csv_in_another_zone(folder):
    shown = GIVEN.drop(columns="vector")
    shown["ts"] = shown["ts"].dt.tz_convert("Asia/Kolkata")
    shown.to_csv(folder / "rows.csv", index=False)
    return FileSource(f"{folder}/*.csv", "ts", chunk_rows=7)


def from_partitions(folder):
    for i in range(0, N, 10):
        place = folder / f"country={'a%20b' if i % 20 else 'de'}"
        place.mkdir(exist_ok=True)
        GIVEN.iloc[i : i + 10].to_parquet(place / f"{i:02}.parquet")
    return FileSource(f"{folder}/**/*.parquet", "ts", chunk_rows=7)


def from_fsspec(folder):
    store = fsspec.filesystem("memory")
    with store.open(f"/{folder.name}/rows.parquet", "wb") as file:
        GIVEN.to_parquet(file)
    return FileSource(f"memory://{folder.name}/*.parquet", "ts", chunk_rows=7)


def from_sqlite(folder):
    with sqlite3.connect(folder / "rows.db") as connection:
        connection.execute("CREATE TABLE requests (ts TEXT, row INTEGER)")
        rows = [(ts.isoformat(), row) for ts, row in zip(GIVEN["ts"], GIVEN["row"], strict=True)]
        connection.executemany("INSERT INTO requests VALUES (?, ?)", rows)
    connection.close()
    query = "SELECT * FROM requests WHERE datetime(ts) >= datetime(:start) AND datetime(ts) < :end;"
    return SqlSource(f"sqlite:///{folder}/rows.db", query, "ts", chunk_rows=7)


def from_function(folder):
    return _module(folder, "given")


def from_pieces(folder):
    return _module(folder, "in_pieces")


def _module(folder, function):
    name = f"source_{abs(hash(str(folder)))}"
    (folder / f"{name}.py").write_text(MODULE)
    return CallableSource(f"{name}:{function}", "ts", folder=str(folder))


@pytest.fixture(
    params=[
        from_parquet, from_many_parquet, from_csv, from_csv_in_another_zone, from_partitions,
        from_fsspec, from_sqlite, from_function, from_pieces,
    ]
)  # fmt: skip
def source(request, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    return request.param(tmp_path)


def rows_of(table):
    """The numbers of the rows; those of a CSV file are text."""
    return [int(row) for row in table["row"].to_pylist()]


@pytest.mark.parametrize(
    ("start", "end", "rows"),
    [
        (FIRST, FIRST + DAY, range(24)),
        (FIRST + DAY, FIRST + 2 * DAY, range(24, 48)),
        (FIRST + 5 * HOUR, FIRST + 6 * HOUR, [5]),
        (FIRST - DAY, FIRST, []),
        (FIRST - DAY, FIRST + 9 * DAY, range(N)),
        (FIRST + HOUR * 0.5, FIRST + HOUR * 1.5, [1]),
    ],
)
def test_a_window_is_half_open(source, start, end, rows):
    found = read_window(source, start, end)
    assert sorted(rows_of(found)) == list(rows)
    seen = rows_seen(source, start, end)
    assert seen.n == len(rows)
    assert seen == RowsSeen.of(frames.read_times(found, "ts").values)


def test_bounds_may_be_in_any_zone(source):
    east = dt.timezone(5.5 * HOUR)
    found = read_window(source, FIRST.astimezone(east), (FIRST + 3 * HOUR).astimezone(east))
    assert sorted(rows_of(found)) == [0, 1, 2]


def test_only_the_columns_that_are_wanted_are_read(source):
    found = read_window(source, FIRST, FIRST + DAY, ["ts", "row", "not there"])
    assert set(found.column_names) == {"ts", "row"}


def test_pieces_are_small(source):
    sizes = [chunk.num_rows for chunk in source.chunks(FIRST, FIRST + 9 * DAY)]
    assert sum(sizes) == N
    if not isinstance(source, CallableSource):
        assert max(sizes) <= 7


def test_rows_seen_do_not_know_an_order_but_know_each_row():
    times = GIVEN["ts"].dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    seen = RowsSeen.of(times)
    assert RowsSeen.of(times[::-1]) == seen
    assert RowsSeen.of(times[:5]) + RowsSeen.of(times[5:]) == seen
    moved = times.copy()
    moved[3] += np.timedelta64(1, "us")
    assert RowsSeen.of(moved) != seen
    assert str(RowsSeen.of(times[:0])) == "0:0"


def test_partitions_become_columns(tmp_path):
    source = from_partitions(tmp_path)
    found = read_window(source, FIRST, FIRST + 20 * HOUR)
    assert set(found["country"].to_pylist()) == {"de", "a b"}
    assert "country" not in read_window(source, FIRST, FIRST + DAY, ["row"]).column_names


def test_row_groups_without_rows_of_the_window_are_not_read(tmp_path, monkeypatch):
    source = from_parquet(tmp_path)
    read = []
    whole = pq.ParquetFile.iter_batches

    def counted(self, n_rows, row_groups, columns):
        read.extend(row_groups)
        return whole(self, n_rows, row_groups, columns)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counted)
    assert read_window(source, FIRST + 30 * HOUR, FIRST + 40 * HOUR).num_rows == 10
    assert read == [3]


def test_a_wide_file_needs_little_memory(tmp_path):
    n, width = 40_000, 128
    rng = np.random.default_rng(0)
    flat = pa.array(rng.normal(size=n * width).astype(np.float32))
    times = pd.date_range(FIRST, periods=n, freq="s", unit="us")
    rows = pa.table({"ts": times, "vector": pa.FixedSizeListArray.from_arrays(flat, width)})
    pq.write_table(rows, tmp_path / "rows.parquet", row_group_size=2_000)
    del rows, flat
    source = FileSource(f"{tmp_path}/rows.parquet", "ts", chunk_rows=1_000)
    next(source.chunks(FIRST, FIRST + DAY))  # modules are loaded
    before = pa.total_allocated_bytes()
    peak = 0
    tracemalloc.start()
    for chunk in source.chunks(FIRST, FIRST + DAY):
        assert chunk.num_rows <= 1_000
        peak = max(peak, pa.total_allocated_bytes() - before)
    _, python_peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak + python_peak < 8e6  # of 20 MB in all


def test_who_made_the_vectors_is_not_forgotten(tmp_path):
    made = table().assign(v=GIVEN["vector"])
    made.attrs = {FINGERPRINT_KEY: {"v": "one"}}
    made.to_parquet(tmp_path / "a.parquet")
    source = FileSource(f"{tmp_path}/*.parquet", "ts")
    found = read_window(source, FIRST, FIRST + DAY)
    assert frames.read_vectors(found, "v").fingerprint == "one"
    made.attrs = {FINGERPRINT_KEY: {"v": "another"}}
    made.to_parquet(tmp_path / "b.parquet")
    with pytest.raises(InvalidInputError, match="two encoders"):
        read_window(source, FIRST, FIRST + DAY)


def test_a_query_on_postgresql(postgres):
    url = postgres.new_database()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE requests (ts timestamptz, row int, vector real[])")
        for row, hour in enumerate(range(N)):
            connection.execute(
                "INSERT INTO requests VALUES (%s, %s, %s)",
                (FIRST + hour * HOUR, row, [float(row)] * 4),
            )
    query = "SELECT * FROM requests WHERE ts >= :start AND ts < :end ORDER BY row"
    source = SqlSource(url, query, "ts", chunk_rows=7)
    found = read_window(source, FIRST + DAY, FIRST + 2 * DAY)
    assert found["row"].to_pylist() == list(range(24, 48))
    assert frames.read_vectors(found, "vector").matrix.shape == (24, 4)
    assert rows_seen(source, FIRST, FIRST + DAY).n == 24
    with pytest.raises(InvalidInputError, match="no_such"):
        read_window(SqlSource(url, query.replace("requests", "no_such"), "ts"), FIRST, FIRST + DAY)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: FileSource(f"{d}/no*.parquet", "ts"), "no file matches"),
        (lambda d: FileSource(f"{d}/a.txt", "ts"), "is of kind 'txt'"),
        (lambda d: FileSource(f"{d}/broken.parquet", "ts"), "cannot be read"),
        (lambda d: FileSource(f"{d}/broken.csv", "ts"), "cannot be read"),
        (lambda d: FileSource("simplecache::memory://a.csv", "ts"), "must not hold '::'"),
        (lambda d: FileSource("nothing://a.csv", "ts"), "cannot be searched"),
        (lambda d: SqlSource("sqlite://", "SELECT 1 WHERE :start", "ts"), "the query lacks :end"),
        (lambda d: SqlSource("what", "SELECT :start, :end", "ts"), "cannot be read as SQLAlchemy"),
        (
            lambda d: SqlSource("sqlite://", "SELECT * FROM a WHERE :start < :end", "ts"),
            "no such table",
        ),
        (lambda d: CallableSource("nowhere", "ts"), "names no function"),
        (lambda d: CallableSource("no.where:given", "ts"), "names no function"),
        (lambda d: CallableSource("json:missing", "ts"), "names no function"),
        (lambda d: _module(d, "not_a_function"), "is int, not a function"),
        (lambda d: _module(d, "nothing"), "gave no frame"),
    ],
)
def test_what_cannot_be_read_is_told(make, message, tmp_path):
    (tmp_path / "a.txt").write_text("ts\n")
    (tmp_path / "broken.parquet").write_bytes(b"no")
    (tmp_path / "broken.csv").write_text("")
    with pytest.raises(InvalidInputError, match=message):
        read_window(make(tmp_path), FIRST, FIRST + DAY)


def test_a_missing_column_of_times_is_told(source):
    other = type(source)(**{**vars(source), "timestamp_column": "when"})
    with pytest.raises((MissingColumnError, InvalidInputError), match="when"):
        read_window(other, FIRST, FIRST + DAY)


def test_a_missing_extra_is_told():
    with pytest.raises(MissingExtraError, match=r"embedding-monitor\[gs\]"):
        read_window(FileSource("gs://bucket/*.parquet", "ts"), FIRST, FIRST + DAY)


def test_the_output_folder_is_not_searched(tmp_path):
    for place in (tmp_path, tmp_path / "out"):
        place.mkdir(exist_ok=True)
        GIVEN.to_parquet(place / "rows.parquet")
    pattern = f"{tmp_path}/**/*.parquet"
    assert read_window(FileSource(pattern, "ts"), FIRST, FIRST + DAY).num_rows == 48
    source = FileSource(pattern, "ts", exclude=f"{tmp_path}/out")
    assert read_window(source, FIRST, FIRST + DAY).num_rows == 24
