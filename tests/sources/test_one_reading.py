"""Files are read by one set of rules, whole or window by window: same rows, same types."""

import base64
import bz2
import datetime as dt
import gzip
import io
import lzma
import os
import shutil
import sqlite3
import tempfile
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

import monitor
from monitor import frames
from monitor.encoders.architecture import COMPACT_DIR
from monitor.encoders.spec import WEIGHTS_FILE
from monitor.errors import InvalidInputError, MissingColumnError, TimestampError
from monitor.frames import ReadOptions
from monitor.pipeline.rows import segment_values
from monitor.schedule import WindowJudge
from monitor.sources import FileSource, SqlSource, find_files, read_window
from monitor.windows import Every, Grid, Window, cut

UTC = dt.UTC
START = dt.datetime(2026, 2, 1, tzinfo=UTC)
DAY = dt.timedelta(days=1)
N = 24


def hours(first, n=N):
    return pd.date_range(START + first * DAY, periods=n, freq="h", tz="UTC")


def plain(i):
    return pd.DataFrame({"ts": hours(i), "code": ["007", "NA", "A1", ""] * (N // 4), "n": range(N)})


def parquet(change=lambda frame: frame, **options):
    def write(folder, i):
        change(plain(i)).to_parquet(folder / f"{i}.parquet", **options)

    return write


def csv(change=lambda frame: frame, **options):
    def write(folder, i):
        change(plain(i)).to_csv(folder / f"{i}.csv", **{"index": False, **options})

    return write


def compressed(ending, pack, **options):
    def write(folder, i):
        text = plain(i).to_csv(index=False, **options).encode()
        (folder / f"{i}.{ending}").write_bytes(pack(text))

    return write


def spark(folder, i):
    (folder / f"{i}.parquet").mkdir()
    plain(i).to_parquet(folder / f"{i}.parquet" / "part-0.snappy.parquet")
    (folder / f"{i}.parquet" / "_SUCCESS").touch()


def arrow(change):
    def write(folder, i):
        table = pa.Table.from_pandas(plain(i), preserve_index=False)
        pq.write_table(change(table), folder / f"{i}.parquet", row_group_size=5)

    return write


def polars(change):
    def write(folder, i):
        change(pl.from_pandas(plain(i))).write_parquet(folder / f"{i}.parquet")

    return write


def partition(folder, i):
    below = folder / f"country={'de' if i % 2 else '__HIVE_DEFAULT_PARTITION__'}"
    below.mkdir(exist_ok=True)
    plain(i).to_parquet(below / f"{i}.parquet")


def cast(**kinds):
    def change(table):
        for name, kind in kinds.items():
            column = table[name].cast(kind)
            table = table.set_column(table.column_names.index(name), name, column)
        return table

    return change


SHAPES = {
    "pandas": parquet(),
    "pandas in small row groups": parquet(row_group_size=5),
    "pandas, another zone": parquet(lambda f: f.assign(ts=f.ts.dt.tz_convert("Asia/Kolkata"))),
    "pandas, Etc/UTC": parquet(lambda f: f.assign(ts=f.ts.dt.tz_convert("Etc/UTC"))),
    "pandas, no zone": parquet(lambda f: f.assign(ts=f.ts.dt.tz_localize(None))),
    "pandas, nanoseconds": parquet(lambda f: f.assign(ts=f.ts.astype("datetime64[ns, UTC]"))),
    "pandas, times as text": parquet(lambda f: f.assign(ts=f.ts.astype(str))),
    "pandas, the time as index": parquet(lambda f: f.set_index("ts")),
    "pandas, an index without a name": parquet(
        lambda f: f.set_axis(list("abcdefghijklmnopqrstuvwx"))
    ),
    "pandas, a category": parquet(lambda f: f.assign(code=f.code.astype("category"))),
    "pandas, a code that is a number": parquet(lambda f: f.assign(code=range(N))),
    "pandas, a code that is a broken number": parquet(lambda f: f.assign(code=np.arange(N) / 2)),
    "pandas, a code that is a truth value": parquet(lambda f: f.assign(code=[True, False] * 12)),
    "pandas, an empty code": parquet(lambda f: f.assign(code=np.nan)),
    "pandas, no code": parquet(lambda f: f.drop(columns="code")),
    "pandas, ArrowDtype": parquet(
        lambda f: f.assign(
            code=f.code.astype(pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string())))
        )
    ),
    "arrow, dictionary": arrow(cast(code=pa.dictionary(pa.int8(), pa.string()))),
    "arrow, large text": arrow(cast(code=pa.large_string())),
    "arrow, milliseconds": arrow(cast(ts=pa.timestamp("ms", "Europe/Berlin"))),
    "arrow, small numbers": arrow(cast(n=pa.int8())),
    "arrow, unsigned numbers": arrow(cast(n=pa.uint64())),
    "polars": polars(lambda f: f),
    "polars, categorical": polars(lambda f: f.with_columns(pl.col("code").cast(pl.Categorical))),
    "csv": csv(),
    "csv with semicolons": csv(sep=";"),
    "csv in quotes": csv(quoting=1),
    "csv with its index": csv(index=True),
    "csv in UTF-16": csv(encoding="utf-16"),
    "csv in quotes and semicolons": csv(sep=";", quoting=1),
    "csv of Excel": compressed("csv", lambda text: b"sep=;\r\n" + text, sep=";"),
    "csv in gzip": compressed("csv.gz", gzip.compress),
    "csv in two parts of gzip": compressed(
        "csv.gz", lambda text: gzip.compress(text[:99]) + gzip.compress(text[99:])
    ),
    "csv in bzip2": compressed("csv.bz2", bz2.compress),
    "tsv in xz": compressed("tsv.xz", lzma.compress, sep="\t"),
    "csv in zstd": compressed("csv.zst", lambda text: pa.compress(text, "zstd", asbytes=True)),
    "csv in UTF-32 in gzip": compressed(
        "csv.gz", lambda text: gzip.compress(text.decode().encode("utf-32"))
    ),
    "hive partition": partition,
    "a folder of Spark": spark,
}


def read_whole(files, columns):
    """As the commands read them."""
    kept = {*columns, frames.ROW}
    return frames.join([piece for file in files for piece in file.tables(kept)])


def both_ways(folder, chunk_rows=7, options=None, n_days=2):
    """All rows of the folder, read whole as the commands do, and window by window."""
    files = find_files(str(folder), options=options)
    columns = {"ts", "code", "n", "country"}
    whole = read_whole(files, columns)
    source = FileSource(str(folder), "ts", chunk_rows=chunk_rows, options=options or ReadOptions())
    wanted = [frames.ROW, *columns]
    windows = [
        read_window(source, START + i * DAY, START + (i + 1) * DAY, wanted)
        for i in range(-1, n_days + 2)  # a day of Kolkata ends on the next
    ]
    return whole, frames.join([window for window in windows if window.num_rows])


def rows_of(table):
    """The rows, each as its label and cells, in any order of the columns."""
    times = frames.read_times(table, "ts").values.tolist()
    return sorted(
        [
            (row[frames.ROW], time, *(row.get(name) for name in ("code", "n", "country")))
            for row, time in zip(table.to_pylist(), times, strict=True)
        ],
        key=repr,
    )


def assert_same(whole, by_window):
    assert rows_of(whole) == rows_of(by_window)
    assert set(whole.column_names) == set(by_window.column_names)
    for name in whole.column_names:
        assert whole.schema.field(name).type == by_window.schema.field(name).type, name


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_read_alike_whole_and_by_window(shape, tmp_path):
    for i in range(2):
        SHAPES[shape](tmp_path, i)
    whole, by_window = both_ways(tmp_path)
    assert whole.num_rows == 2 * N
    assert_same(whole, by_window)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    shapes=st.lists(st.sampled_from(sorted(SHAPES)), min_size=2, max_size=5),
    chunk_rows=st.integers(1, 30),
)
@example(shapes=["pandas, an empty code", "pandas", "csv"], chunk_rows=5)
@example(shapes=["pandas, no zone", "pandas", "pandas, times as text"], chunk_rows=30)
@example(shapes=["hive partition", "pandas, no code", "pandas, the time as index"], chunk_rows=3)
@example(shapes=["arrow, unsigned numbers", "arrow, small numbers", "csv in UTF-16"], chunk_rows=9)
def test_files_of_any_writers_go_together(shapes, chunk_rows):
    with tempfile.TemporaryDirectory() as name:
        for i, shape in enumerate(shapes):
            SHAPES[shape](Path(name), i)
        whole, by_window = both_ways(name, chunk_rows, n_days=len(shapes))
        assert whole.num_rows == len(shapes) * N
        assert_same(whole, by_window)


TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=6
) | st.sampled_from(["007", "NA", "null", "1e5", "1,5", "1;5", '"', "\n", " "])
INSTANTS = st.integers(0, 11 * 86_400).map(
    lambda seconds: dt.datetime(2026, 3, 24, tzinfo=UTC) + dt.timedelta(seconds=seconds)
)
WRITERS = {
    "parquet, another zone": lambda f: f.assign(ts=f.ts.dt.tz_convert("America/St_Johns")),
    "parquet, no zone": lambda f: f.assign(ts=f.ts.dt.tz_localize(None)),
    "parquet, text": lambda f: f.assign(ts=f.ts.astype(str)),
    "csv, another zone": lambda f: f.assign(ts=f.ts.dt.tz_convert("Pacific/Apia").astype(str)),
    "csv": lambda f: f,
}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(st.tuples(INSTANTS, TEXTS), min_size=1, max_size=30),
    writers=st.lists(st.sampled_from(sorted(WRITERS)), min_size=1, max_size=3),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"]),
    every=st.sampled_from(["1d", "6h", "1w"]),
    separator=st.sampled_from([",", ";", "\t"]),
)
@example([(dt.datetime(2026, 3, 28, 23, tzinfo=UTC), "NA")], ["csv"], "Europe/Berlin", "1d", ",")
@example(
    [(dt.datetime(2026, 3, 29, 22, tzinfo=UTC), "007")],
    ["csv", "parquet, text"],
    "Europe/Berlin",
    "6h",
    ";",
)
def test_the_windows_of_a_zone_hold_the_same_rows_both_ways(rows, writers, zone, every, separator):
    """Cut from all rows, as `drift` and `baseline fit` do, and read one by one, as `run` does."""
    grid = Grid(Every.parse(every), ZoneInfo(zone))
    options = ReadOptions(separator=separator)
    with tempfile.TemporaryDirectory() as name:
        for i, writer in enumerate(writers):
            part = rows[i :: len(writers)]
            times = pd.to_datetime([time for time, _ in part], utc=True).as_unit("us")
            frame = WRITERS[writer](pd.DataFrame({"ts": times, "code": [text for _, text in part]}))
            if writer.startswith("csv"):
                frame.to_csv(Path(name, f"{i}.csv"), index=False, sep=separator, quoting=1)
            else:
                frame.to_parquet(Path(name, f"{i}.parquet"))
        files = find_files(name, options=options)
        whole = read_whole(files, {"ts", "code"})
        source = FileSource(name, "ts", chunk_rows=4, options=options)
        parts = cut(frames.read_times(whole, "ts").values, grid)
        assert not len(parts.far)
        cells = whole["code"].to_pylist()
        for part in parts.windows:
            window = read_window(source, part.window.start, part.window.end, ["code"])
            assert sorted(map(str, window["code"].to_pylist())) == sorted(
                str(cells[i]) for i in part.rows
            )
    assert sum(len(part.rows) for part in parts.windows) == len(rows)
    # No cell became a number, and none but the empty one is missing.
    assert {cell or "" for cell in cells} == {text for _, text in rows}


def test_vectors_of_several_writers_go_together(tmp_path):
    vectors = np.arange(N * 4, dtype=np.float32).reshape(N, 4) + 1
    flat = pa.array(vectors.ravel())
    kinds = {
        "fixed": pa.FixedSizeListArray.from_arrays(flat, 4),
        "list": pa.array(list(vectors), pa.list_(pa.float64())),
        "large": pa.array(list(vectors), pa.large_list(pa.float32())),
        "tensor": pa.FixedShapeTensorArray.from_numpy_ndarray(vectors),
        "view": pa.array([list(v) for v in vectors], pa.list_view(pa.float32())),
        "none": pa.nulls(N),
    }
    for name, column in kinds.items():
        pq.write_table(pa.table({"ts": hours(0), "v": column}), tmp_path / f"{name}.parquet")
    source = FileSource(str(tmp_path), "ts", chunk_rows=7)
    table = read_window(source, START, START + DAY)
    read = frames.read_vectors(table, "v")
    assert read.usable.sum() == 5 * N
    np.testing.assert_array_equal(read.matrix, np.concatenate([vectors] * 5))


def test_columns_beside_the_vectors_may_be_as_they_like(tmp_path):
    """pandas cannot read back what it writes of lists, structs, maps and dictionaries of Arrow types."""
    beside = {
        "list": pd.Series([["a"]] * N, dtype=pd.ArrowDtype(pa.list_(pa.string()))),
        "struct": pd.Series([{"a": 1}] * N, dtype=pd.ArrowDtype(pa.struct({"a": pa.int64()}))),
        "map": pd.Series([[("a", 1)]] * N, dtype=pd.ArrowDtype(pa.map_(pa.string(), pa.int64()))),
        "category": pd.Series(
            ["a"] * N, dtype=pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))
        ),
        "period": pd.Series(pd.period_range("2026", periods=N, freq="M")),
        "interval": pd.Series(pd.interval_range(0, N)),
        "decimal": pd.Series([1] * N, dtype=pd.ArrowDtype(pa.decimal128(5, 2))),
    }
    for name, column in beside.items():
        plain(0).assign(beside=column).to_parquet(tmp_path / f"{name}.parquet")
        assert len(frames.read_file(tmp_path / f"{name}.parquet")) == N
    whole, by_window = both_ways(tmp_path)
    assert whole.num_rows == len(beside) * N
    assert_same(whole, by_window)


def test_files_without_rows_go_with_others(tmp_path):
    """pandas writes an empty frame as a row group without rows, pyarrow may write none at all."""
    plain(0)[:0].to_parquet(tmp_path / "a.parquet")
    pq.write_table(pa.Table.from_pandas(plain(0)).schema.empty_table(), tmp_path / "b.parquet")
    plain(0)[:0].to_csv(tmp_path / "c.csv", index=False)
    assert [len(file.read()) for file in find_files(str(tmp_path))] == [0, 0, 0]
    plain(1).to_parquet(tmp_path / "d.parquet")
    whole, by_window = both_ways(tmp_path)
    assert whole.num_rows == N
    assert_same(whole, by_window)


def test_what_does_not_go_together_names_the_column(tmp_path):
    pd.DataFrame({"ts": hours(0), "v": [[1.0]] * N}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"ts": hours(0), "v": "text"}).to_parquet(tmp_path / "b.parquet")
    source = FileSource(str(tmp_path), "ts")
    with pytest.raises(InvalidInputError, match=r"column 'v' is list<.*> in one file and .*string"):
        read_window(source, START, START + DAY)
    assert read_window(source, START, START + DAY, ["ts"]).num_rows == 2 * N


def test_two_columns_of_one_name_are_refused_where_they_are_asked_for(tmp_path):
    (tmp_path / "a.csv").write_text("ts,url,ts,note,note\n2026-02-01T00:30:00Z,a,b,c,d\n")
    source = FileSource(str(tmp_path / "a.csv"), "ts")
    with pytest.raises(InvalidInputError, match=r"a\.csv has 2 columns 'ts': rename all but one"):
        read_window(source, START, START + DAY)
    (tmp_path / "a.csv").write_text("ts,url,x,note,note\n2026-02-01T00:30:00Z,a,b,c,d\n")
    assert read_window(source, START, START + DAY, ["url"]).num_rows == 1
    with pytest.raises(InvalidInputError, match="2 columns 'note'"):
        read_window(source, START, START + DAY)


def test_hidden_files_are_left_out_until_they_are_named(tmp_path):
    for name in (
        "a.parquet", ".b.parquet", ".ipynb_checkpoints/a-checkpoint.parquet", "_temporary/0/c.parquet",
        "_delta_log/d.checkpoint.parquet", "_year=2026/e.parquet", "sub/f.parquet", "notes.txt",
        "_SUCCESS", "_committed_17", "_g.parquet",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        plain(0).to_parquet(tmp_path / name)

    def names(pattern):
        return [os.path.relpath(file.path, tmp_path) for file in find_files(f"{tmp_path}{pattern}")]

    seen = ["_g.parquet", "_year=2026/e.parquet", "a.parquet", "sub/f.parquet"]
    assert names("/**/*.parquet") == names("") == names("/") == seen
    assert names("/*.parquet") == ["_g.parquet", "a.parquet"]
    assert names("/*") == ["_g.parquet", "a.parquet", "notes.txt"]
    assert names("/_S*") == ["_SUCCESS"]
    assert names("/*/*.parquet") == ["_year=2026/e.parquet", "sub/f.parquet"]
    assert names("/.*/*.parquet") == [".ipynb_checkpoints/a-checkpoint.parquet"]
    assert names("/_temporary/**/*.parquet") == ["_temporary/0/c.parquet"]
    assert names("/_*/*.parquet") == ["_delta_log/d.checkpoint.parquet", "_year=2026/e.parquet"]


def test_names_with_brackets_are_found(tmp_path):
    folder = tmp_path / "proj[1]" / "day[2]"
    folder.mkdir(parents=True)
    plain(0).to_parquet(folder / "rows[3].parquet")
    plain(0).to_parquet(folder / "rows3.parquet")
    for pattern, n in (
        (f"{folder}/rows[3].parquet", 1),
        (f"{folder}/*.parquet", 2),
        (f"{folder}/rows[23].parquet", 1),
        (f"{tmp_path}/*/day[2]/*.parquet", 2),
        (str(folder), 2),
        (f"{tmp_path}/**", 2),
    ):
        assert len(find_files(pattern)) == n, pattern
    with pytest.raises(InvalidInputError, match=r"did you mean 'rows3\.parquet'"):
        find_files(f"{folder}/row3.parquet")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InvalidInputError, match=r"holds no \.parquet"):
        find_files(str(empty))


def test_links_are_followed_and_broken_ones_are_not_there(tmp_path):
    plain(0).to_parquet(tmp_path / "a.parquet")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "b.parquet").symlink_to(tmp_path / "a.parquet")
    (tmp_path / "there" / "broken.parquet").symlink_to(tmp_path / "gone.parquet")
    (tmp_path / "there" / "below").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    plain(0).to_parquet(tmp_path / "elsewhere" / "c.parquet")
    (tmp_path / "elsewhere" / "round").symlink_to(tmp_path / "there")
    assert [file.name for file in find_files(f"{tmp_path}/there/*.parquet")] == ["b.parquet"]
    assert [file.name for file in find_files(f"{tmp_path}/there/*/*.parquet")] == ["c.parquet"]
    found = [file.name for file in find_files(f"{tmp_path}/there/**/*.parquet")]
    assert found == ["b.parquet", "c.parquet"]


def test_relative_paths_are_shown_as_such(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    plain(0).to_parquet("sub/a.parquet")
    (file,) = find_files("sub/*.parquet")
    assert str(file) == os.path.join("sub", "a.parquet")
    before = file.state()
    shutil.copy("sub/a.parquet", "sub/b.parquet")
    plain(1).to_parquet("sub/a.parquet")
    assert file.state() != before


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def read(path, **options):
    return frames.read_table(path, ReadOptions(**options)).to_pydict()


def test_cells_of_a_csv_file_are_text(tmp_path):
    path = write(tmp_path / "a.csv", "code,country,n,note\n007,NA,1.50,\n1e5,null,, x \n")
    assert read(path) == {
        "code": ["007", "1e5"],
        "country": ["NA", "null"],
        "n": ["1.50", None],
        "note": [None, " x "],
    }
    typed = read(path, types={"n": "number", "code": "text"})
    assert typed["n"] == [1.5, None]
    assert typed["code"] == ["007", "1e5"]
    with pytest.raises(InvalidInputError, match="'code' is declared a number, but '007x' is none"):
        read(write(tmp_path / "b.csv", "code\n1\n007x\n"), types={"code": "number"})


def test_numbers_without_a_value(tmp_path):
    path = write(tmp_path / "a.csv", "n\nNA\nNaN\nnull\n#N/A\n  \n-1e3\ninf\n")
    assert read(path, types={"n": "number"})["n"] == [None] * 5 + [-1000.0, float("inf")]


def test_types_of_other_files_may_be_declared(tmp_path):
    pd.DataFrame({"code": [7, 8], "n": ["1,5", "2"]}).to_parquet(tmp_path / "a.parquet")
    typed = read(tmp_path / "a.parquet", types={"code": "text", "n": "number"}, decimal=",")
    assert typed == {"code": ["7", "8"], "n": [1.5, 2.0]}


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a,b\n1,2,\n3,4\n", {"a": ["1", "3"], "b": ["2", "4"]}),
        ("a,b\n1,2,\n3,4,,\n", {"a": ["1", "3"], "b": ["2", "4"]}),
        ("a,b,\n1,2,\n", {"a": ["1"], "b": ["2"]}),
        ("a,b\n1\n", {"a": ["1"], "b": [None]}),
        (",a\n0,1\n", {"Unnamed: 0": ["0"], "a": ["1"]}),
        ("\ufeffa,b\n1,2\n", {"a": ["1"], "b": ["2"]}),
        ("a,b\r\n1,2\r\n\r\n", {"a": ["1"], "b": ["2"]}),
        ('a,b\n"1\n,2","say ""x"""\n', {"a": ["1\n,2"], "b": ['say "x"']}),
        ("a,b\n1,\x00\n", {"a": ["1"], "b": ["\x00"]}),
        ("a;b\n1,5;2\n", {"a": ["1,5"], "b": ["2"]}),
        ("a\tb\n1\t2\n", {"a": ["1"], "b": ["2"]}),
        ("a;b\n1\n2\n", {"a;b": ["1", "2"]}),
        ("a,b\n", {"a": [], "b": []}),
        ("a,b\né,x\n,\nz,\n", {"a": ["é", None, "z"], "b": ["x", None, None]}),
        (f"a,b\n{'x' * 200_000},1\n", {"a": ["x" * 200_000], "b": ["1"]}),
    ],
)
def test_csv_files_as_they_are_found(text, columns, tmp_path):
    assert read(write(tmp_path / "a.csv", text)) == columns


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2,3\n", "row 1 has 3 cells and the header 2"),
        ("a,b\n1,2\n1,2,,3\n", "row 2 has 4 cells and the header 2"),
        ('a,b\n1,"2\n', "unexpected end of data"),
        ("", "is empty"),
        ("a\0,b\0\n1\0,2\0\n", "its header holds NUL, as text in UTF-16 does"),
    ],
)
def test_csv_files_that_are_refused(text, message, tmp_path):
    with pytest.raises(InvalidInputError, match=rf"a\.csv.*{message}"):
        read(write(tmp_path / "a.csv", text))


def test_encodings(tmp_path):
    path = write(tmp_path / "a.csv", "city\nKöln\n", "cp1252")
    with pytest.raises(InvalidInputError, match=r"is not utf-8 .*`read: \{encoding: cp1252\}`"):
        read(path)
    assert read(path, encoding="cp1252") == {"city": ["Köln"]}
    assert read(write(tmp_path / "b.csv", "city\nKöln\n", "utf-16")) == {"city": ["Köln"]}
    with pytest.raises(InvalidInputError, match="there is no encoding 'latin-99'"):
        ReadOptions(encoding="latin-99")


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zst"])
def test_a_compressed_file_that_is_damaged_is_named(ending, tmp_path):
    rows = "a,b\n" + "1,2\n" * 5_000
    whole = {
        "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress,
        "zst": lambda text: pa.compress(text, "zstd", asbytes=True),
    }[ending](rows.encode())  # fmt: skip
    path = tmp_path / f"a.csv.{ending}"
    for content in (whole[:-9], whole[: len(whole) // 2], rows.encode()):
        path.write_bytes(content)
        with pytest.raises(
            InvalidInputError, match=rf"a\.csv\.{ending} cannot be read: it is damaged"
        ):
            read(path)
    path.write_bytes(whole)
    (tmp_path / "b.csv").write_bytes(whole)
    how = {"gz": "gzip", "zst": "zstd"}.get(ending, ending)
    assert len(read(path)["a"]) == len(read(tmp_path / "b.csv", compression=how)["a"]) == 5_000


def test_a_folder_that_is_a_table_is_found_by_a_pattern(tmp_path):
    for name in ("a.parquet", "b.parquet/part-0.parquet", "b.parquet/.hidden.parquet", "c/d.parquet",
                 "b.parquet/_temporary/0/e.parquet", "b.parquet/day=1/f.parquet"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        plain(0).to_parquet(tmp_path / name)
    (tmp_path / "b.parquet" / "_SUCCESS").touch()
    names = [os.path.relpath(file.path, tmp_path) for file in find_files(f"{tmp_path}/*.parquet")]
    assert names == ["a.parquet", "b.parquet/day=1/f.parquet", "b.parquet/part-0.parquet"]


def test_text_that_a_writer_left_as_bytes(tmp_path):
    """Columns of Parquet that no one has marked as text, as ClickHouse and Impala write them."""
    times = [f"2026-02-01T{hour:02}:00".encode() for hour in range(N)]
    pq.write_table(pa.table({"ts": times, "code": [b"de", b"fr"] * 12}), tmp_path / "a.parquet")
    window = read_window(FileSource(str(tmp_path), "ts"), START, START + DAY)
    assert window.num_rows == N
    assert set(segment_values(window, "code")) == {"de", "fr"}


def test_a_semicolon_file_is_told(tmp_path):
    write(tmp_path / "a.csv", "a;b\n1;2\n")
    (file,) = find_files(str(tmp_path))
    (note,) = file.outline().notes
    assert note.startswith(f"{tmp_path}/a.csv separates its cells by ';', not by a comma")
    assert note.endswith("`read: {separator: ';'}` says it")
    (named,) = find_files(str(tmp_path), options=ReadOptions(separator=";"))
    assert named.outline().notes == ()
    assert named.outline().n_rows == 1


def test_text_that_is_no_utf_8_stays_readable(tmp_path):
    """Half an emoji, as JavaScript cuts it, in the bytes of a Parquet file."""
    cells = pa.array([b"a", b"b\xed\xa0\xbd", None]).cast(pa.binary())
    text = pa.Array.from_buffers(pa.string(), 3, cells.buffers())
    pq.write_table(pa.table({"code": text}), tmp_path / "a.parquet")
    assert frames.read_table(tmp_path / "a.parquet")["code"].to_pylist() == ["a", "b���", None]


def test_rows_without_a_readable_time_do_not_stop_the_others(tmp_path):
    pd.DataFrame({"ts": ["soon"] * 5, "n": range(5)}).to_csv(tmp_path / "0.csv", index=False)
    plain(0).to_csv(tmp_path / "1.csv", index=False)
    source = FileSource(str(tmp_path), "ts", chunk_rows=5)
    assert read_window(source, START, START + DAY).num_rows == N
    (tmp_path / "1.csv").unlink()
    with pytest.raises(TimestampError, match="the first is 'soon'"):
        read_window(source, START, START + DAY)


def test_a_missing_time_names_the_file_and_its_columns(tmp_path):
    plain(0).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(
        MissingColumnError, match=r"a\.parquet: .*'tss'; did you mean 'ts'\? .*'code'"
    ):
        read_window(FileSource(str(tmp_path), "tss"), START, START + DAY, ["n"])


@pytest.mark.parametrize("cut", [0, 3, 100, 400, -1, -20])
def test_a_damaged_parquet_file_is_named(cut, tmp_path):
    path = tmp_path / "a.parquet"
    plain(0).to_parquet(path)
    path.write_bytes(path.read_bytes()[:cut])
    source = FileSource(str(path), "ts")
    for reading in (
        lambda: frames.read_file(path),
        lambda: read_window(source, START, START + DAY),
    ):
        with pytest.raises(InvalidInputError, match=r"a\.parquet cannot be read"):
            reading()


def test_flipped_bytes_of_a_parquet_file_are_our_error_or_rows(tmp_path):
    path = tmp_path / "a.parquet"
    plain(0).to_parquet(path, compression="zstd")
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for at in rng.integers(0, len(whole), 300):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        with suppress(InvalidInputError):
            frames.read_file(path)


def test_a_country_called_na_is_a_segment_whole_and_by_window(tmp_path):
    text = "ts,country\n2026-02-01T01:00Z,NA\n2026-02-01T02:00Z,DE\n2026-02-01T03:00Z,\n"
    path = write(tmp_path / "rows.csv", text)
    window = read_window(FileSource(str(path), "ts", chunk_rows=2), START, START + DAY)
    for frame in (frames.read_file(path), window):
        assert segment_values(frame, "country").tolist() == ["NA", "DE", "(empty)"]


@pytest.mark.skipif(
    not (COMPACT_DIR / WEIGHTS_FILE).is_file(), reason="the compact model has no weights here"
)
def test_a_window_of_one_embedded_and_one_raw_file(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)

    def rows(start, n):
        times = pd.date_range(start, periods=n, freq="5min", tz="UTC")
        pictures = [rng.integers(0, 255, (24, 24, 3), dtype=np.uint8) for _ in range(n)]
        return pd.DataFrame({"ts": times, "u": [data_uri(picture) for picture in pictures]})

    photos = monitor.ImageEmbedding(
        name="photos", source_column="u", column="e", model="compact", n_clusters=2
    )
    train = monitor.embed(rows("2026-01-01", 60), photos)
    base = monitor.fit_baseline(train, photos, learn_changes=False)
    monitor.embed(rows("2026-02-01 00:00", 40), photos).to_parquet(tmp_path / "0.parquet")
    rows("2026-02-01 12:00", 40).to_parquet(tmp_path / "1.parquet")
    source = FileSource(f"{tmp_path}/*.parquet", "ts")
    judge = WindowJudge(source, {"photos": photos}, {"photos": base}, "1d")
    window = judge("photos", Window(START, START + DAY)).report.windows[0]
    assert (window.n_rows, window.n_failed) == (80, 0)
    # In pieces, too, and where a database would have to wait for the images.
    monkeypatch.setattr("monitor.schedule.judging.MOST_SHOWN", 30)
    again = judge("photos", Window(START, START + DAY)).report.windows[0]
    assert (again.n_rows, again.n_failed) == (80, 0)
    assert again.judgement.p_value == pytest.approx(window.judgement.p_value, rel=0.01)
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        raw = pd.read_parquet(tmp_path / "1.parquet")
        raw.assign(ts=raw["ts"].astype(str)).to_sql("rows", connection)
    url, query = (
        f"sqlite:///{tmp_path}/rows.db",
        "SELECT * FROM rows WHERE ts >= :start AND ts < :end",
    )
    judge = WindowJudge(
        SqlSource(url, query, "ts", chunk_rows=25), {"photos": photos}, {"photos": base}, "1d"
    )
    window = judge("photos", Window(START, START + DAY)).report.windows[0]
    assert (window.n_rows, window.n_failed) == (40, 0)


def data_uri(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
