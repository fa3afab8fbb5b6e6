"""Data frames: one test body over pandas, polars and Arrow."""

import datetime as dt
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor import frames
from monitor.errors import InvalidInputError, MissingColumnError, TimestampError
from monitor.frames.fingerprints import FINGERPRINT_KEY, fingerprint

KINDS = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "arrow": pa.table,
}
VECTORS = np.array([[1, 0], [0, 0], [0.6, 0.8]], dtype=np.float32)
FAILURES = [None, "missing", None]


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def embedded(frame):
    return with_vectors(frame, "v", VECTORS, FAILURES)


def with_vectors(frame, column, matrix, reasons):
    return frames.with_columns(
        frame,
        {column: matrix, f"{column}_failure": reasons},
        failed=np.array([reason is not None for reason in reasons], dtype=bool),
        fingerprints={column: "tiny:1"},
    )


def test_the_same_kind_comes_back_with_the_columns_in_order(kind):
    frame = kind({"url": ["a", "b", "c"]})
    result = embedded(frame)
    assert type(result) is type(frame)
    assert frames.column_names(result) == ["url", "v", "v_failure"]
    assert frames.column_names(frame) == ["url"]


def test_vectors_are_read_back_to_the_bit(kind):
    read = frames.read_vectors(embedded(kind({"url": ["a", "b", "c"]})), "v")
    assert read.matrix.dtype == np.float32
    np.testing.assert_array_equal(read.matrix, VECTORS[[0, 2]])
    assert read.usable.tolist() == [True, False, True]
    assert read.failures.tolist() == [None, "missing", None]


def test_embedding_again_replaces_the_columns(kind):
    result = embedded(embedded(kind({"url": ["a", "b", "c"]})))
    assert frames.column_names(result) == ["url", "v", "v_failure"]


def test_the_column_is_a_fixed_size_list(kind):
    result = embedded(kind({"url": ["a", "b", "c"]}))
    table = (
        result
        if isinstance(result, pa.Table)
        else result.to_arrow()
        if isinstance(result, pl.DataFrame)
        else pa.Table.from_pandas(result)
    )
    field = table.schema.field("v").type
    assert pa.types.is_fixed_size_list(field)
    assert field.value_type == pa.float32()
    assert field.list_size == 2


def test_pandas_keeps_index_attrs_and_input():
    frame = pd.DataFrame({"url": ["a", "b", "c"]}, index=[7, 7, 3])
    frame.attrs["mine"] = 1
    result = embedded(frame)
    assert result.index.tolist() == [7, 7, 3]
    assert result.attrs["mine"] == 1
    assert "v" not in frame
    assert frame.attrs == {"mine": 1}
    assert frames.row_labels(result) == ["7", "7", "3"]


def test_pandas_parquet_round_trip_loses_nothing(tmp_path):
    result = embedded(pd.DataFrame({"url": ["a", "b", "c"]}, index=[7, 7, 3]))
    result.to_parquet(tmp_path / "t.parquet")
    again = pd.read_parquet(tmp_path / "t.parquet")
    assert again.index.tolist() == [7, 7, 3]
    np.testing.assert_array_equal(frames.read_vectors(again, "v").matrix, VECTORS[[0, 2]])
    assert frames.read_vectors(again, "v").failures.tolist() == [None, "missing", None]
    assert fingerprint(again, "v") == "tiny:1"
    assert pq.read_schema(tmp_path / "t.parquet").field("v").type.list_size == 2


def test_polars_and_arrow_parquet_round_trips_lose_nothing(tmp_path):
    embedded(pl.DataFrame({"url": ["a", "b", "c"]})).write_parquet(tmp_path / "p.parquet")
    pq.write_table(embedded(pa.table({"url": ["a", "b", "c"]})), tmp_path / "a.parquet")
    for again in (pl.read_parquet(tmp_path / "p.parquet"), pq.read_table(tmp_path / "a.parquet")):
        np.testing.assert_array_equal(frames.read_vectors(again, "v").matrix, VECTORS[[0, 2]])
    assert fingerprint(pq.read_table(tmp_path / "a.parquet"), "v") == "tiny:1"


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f[f.url != "b"],
        lambda f: f.sort_values("url"),
        lambda f: pd.concat([f, f]),
        lambda f: f.merge(f[["url"]], on="url"),
        lambda f: f.reset_index(drop=True),
    ],
    ids=["filter", "sort", "concat", "merge", "reset_index"],
)
def test_pandas_columns_survive_everyday_changes_and_parquet(change, tmp_path):
    changed = change(embedded(pd.DataFrame({"url": ["a", "b", "c"]})))
    changed.to_parquet(tmp_path / "t.parquet")
    again = pd.read_parquet(tmp_path / "t.parquet")
    np.testing.assert_array_equal(
        frames.read_vectors(again, "v").matrix, frames.read_vectors(changed, "v").matrix
    )
    assert fingerprint(again, "v") == "tiny:1"


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (None, "missing"),
        (np.nan, "missing"),
        ([], "missing"),
        ([1.0, 2.0, 3.0], "wrong_dimension"),
        ([[1.0, 2.0]], "wrong_dimension"),
        ([1.0, np.nan], "not_finite"),
        ([1.0, np.inf], "not_finite"),
        ([1.0, 1e200], "not_finite"),
        ([0.0, 0.0], "zero_vector"),
        (["a", "b"], "not_numeric"),
        ("[1, 2]", "not_numeric"),
        ([1.0, [2.0]], "not_numeric"),
        ({"a": 1}, "not_numeric"),
        (5.0, "not_numeric"),
        ([1.0, None], "not_finite"),
        (pd.NA, "missing"),
        (pd.NaT, "missing"),
        (" ", "missing"),
        ([1.0, pd.NA], "not_finite"),
        (pd.array([1.0, None], dtype="Float64"), "not_finite"),
        ([1.0, 10**400], "not_finite"),
        (np.ma.masked_array([1.0, 2.0], mask=[False, True]), "not_finite"),
        (np.ma.masked_array([1, 2], mask=[False, True]), "not_finite"),
        (np.ma.masked_array(["a", "b"], mask=[False, True]), "not_numeric"),
    ],
)
def test_a_bad_vector_is_a_row_with_a_reason(cell, reason):
    frame = pd.DataFrame({"v": pd.Series([[1.0, 2.0], cell, np.array([3, 4])], dtype=object)})
    read = frames.read_vectors(frame, "v")
    assert read.failures.tolist() == [None, reason, None]
    np.testing.assert_array_equal(read.matrix, [[1, 2], [3, 4]])


def test_the_expected_width_wins_over_the_majority():
    frame = pd.DataFrame({"v": [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0, 3.0]]})
    assert frames.read_vectors(frame, "v", width=3).failures.tolist() == [
        "wrong_dimension",
        "wrong_dimension",
        None,
    ]


def test_arrow_lists_with_nulls_and_ragged_rows():
    column = pa.array([[1.0, 2.0], None, [1.0], [], [3.0, 4.0]], type=pa.list_(pa.float64()))
    read = frames.read_vectors(pa.table({"v": column}), "v")
    assert read.failures.tolist() == [None, "missing", "wrong_dimension", "missing", None]
    np.testing.assert_array_equal(read.matrix, [[1, 2], [3, 4]])


def test_a_slice_of_an_arrow_table_reads_its_own_rows():
    sliced = embedded(pa.table({"url": ["a", "b", "c"]})).slice(1, 2)
    read = frames.read_vectors(sliced, "v")
    np.testing.assert_array_equal(read.matrix, VECTORS[2:])
    assert read.usable.tolist() == [False, True]


def test_the_reason_that_embed_wrote_says_more_than_missing(kind):
    frame = with_vectors(kind({"url": ["a", "b", "c"]}), "v", VECTORS, [None, "http_404", None])
    read = frames.read_vectors(frame, "v", failure_column="v_failure")
    assert read.failures.tolist() == [None, "http_404", None]


def test_a_column_of_scalars_was_named_by_mistake(kind):
    with pytest.raises(InvalidInputError, match="column 'url' holds str, not vectors"):
        frames.read_vectors(kind({"url": ["a", "b"]}), "url")


def test_a_missing_column_names_the_close_one(kind):
    with pytest.raises(
        MissingColumnError, match=r"no column 'image_ulr'; did you mean 'image_url'"
    ):
        frames.cells(kind({"image_url": ["a"]}), "image_ulr")
    with pytest.raises(KeyError):
        frames.cells(kind({"image_url": ["a"]}), "x")


def test_two_columns_of_one_name_are_an_error():
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(InvalidInputError, match="2 columns named 'a'"):
        frames.cells(frame, "a")
    assert frames.duplicated_columns(frame) == ["a"]


@pytest.mark.parametrize("thing", [None, [1, 2], {"a": [1]}, pl.LazyFrame({"a": [1]})])
def test_what_is_no_frame_is_refused(thing):
    with pytest.raises(
        InvalidInputError, match="expected a pandas DataFrame, a polars DataFrame or"
    ):
        frames.cells(thing, "a")


@pytest.mark.parametrize("empty", [0, 3])
def test_empty_frames_and_frames_of_failures(kind, empty):
    rows = kind({"url": pa.array(["u"] * empty, type=pa.string()).to_pylist()})
    frame = with_vectors(rows, "v", np.zeros((empty, 4), dtype=np.float32), ["dns"] * empty)
    read = frames.read_vectors(frame, "v", failure_column="v_failure")
    assert read.matrix.shape[0] == 0
    assert read.failures.tolist() == ["dns"] * empty


def test_columns_as_vectors():
    frame = pd.DataFrame({"a": [1, 2, None, None], "b": [0.5, np.inf, 1.0, None]})
    read = frames.read_columns(frame, ["a", "b"])
    assert read.failures.tolist() == [None, "not_finite", "not_finite", "missing"]
    with pytest.raises(InvalidInputError, match="column 'a' holds something that is no number"):
        frames.read_columns(pd.DataFrame({"a": ["x"], "b": [1]}), ["a", "b"])


@pytest.mark.parametrize("dtype", ["Float64", "Int64", "object"])
def test_a_missing_number_is_one_counted_row(dtype):
    frame = pd.DataFrame(
        {"a": pd.array([1, pd.NA, 2], dtype=dtype), "b": pd.array([1, pd.NA, pd.NA], dtype=dtype)}
    )
    assert frames.read_columns(frame, ["a", "b"]).failures.tolist() == [
        None,
        "missing",
        "not_finite",
    ]


@pytest.mark.parametrize(
    "cell",
    [
        *(None, np.nan, np.float32("nan"), Decimal("sNaN"), pd.NA, pd.NaT, np.ma.masked, "", "\t"),
        *(np.datetime64("NaT"), np.timedelta64("NaT")),
    ],
)
def test_empty_cells_of_every_library(cell):
    assert frames.is_missing(cell)


@pytest.mark.parametrize("cell", [0, False, 0.0, "0", [], {}, np.array([np.nan]), Decimal(0)])
def test_cells_that_are_not_empty(cell):
    assert not frames.is_missing(cell)


def test_a_named_index_is_a_column():
    hours = pd.date_range("2026-03-01", periods=2, freq="h", tz="UTC", name="ts")
    frame = pd.DataFrame({"url": ["a", "b"]}, index=hours)
    assert frames.column_names(frame) == ["url", "ts"]
    assert frames.read_times(frame, "ts").values.tolist() == hours.tz_localize(None).tolist()
    levels = frame.set_index("url", append=True)
    assert frames.cells(levels, "url") == ["a", "b"]
    both = frame.assign(ts=["2026-03-02", "2026-03-03"])
    assert frames.cells(both, "ts") == ["2026-03-02", "2026-03-03"]


def test_frames_are_imported_without_pandas():
    code = (
        "import sys, monitor.frames; sys.exit('pandas' in sys.modules or 'narwhals' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_lists_of_whole_numbers_and_of_nulls(kind):
    read = frames.read_vectors(kind({"v": [[1, 2], [3, None], [0, 0], None]}), "v")
    assert read.failures.tolist() == [None, "not_finite", "zero_vector", "missing"]
    np.testing.assert_array_equal(read.matrix, [[1, 2]])
    assert read.matrix.dtype == np.float64


@pytest.mark.parametrize("width", [None, 3])
def test_lists_and_objects_are_read_alike(width):
    rows = [[1.0, 2.0, 3.0], [1.0, 2.0], [], None, [4.0, 5.0], [1.0, 2.0, 1e200], [0.0, 0.0, 0.0]]
    lists = frames.read_vectors(pa.table({"v": rows}), "v", width=width)
    objects = frames.read_vectors(
        pd.DataFrame({"v": pd.Series(rows, dtype=object)}), "v", width=width
    )
    assert lists.failures.tolist() == objects.failures.tolist()
    np.testing.assert_array_equal(lists.matrix, objects.matrix)
    assert lists.usable.tolist() == objects.usable.tolist()


def test_of_two_widths_as_frequent_the_first_counts(kind):
    read = frames.read_vectors(kind({"v": [[1.0, 2.0, 3.0], [1.0, 2.0]]}), "v")
    assert read.failures.tolist() == [None, "wrong_dimension"]


def test_the_matrix_is_a_copy(kind):
    frame = kind({"v": [[1.0, 2.0], [3.0, 4.0]]})
    frames.read_vectors(frame, "v").matrix[:] = 7
    assert frames.read_vectors(frame, "v").matrix.tolist() == [[1, 2], [3, 4]]


def test_typed_lists_are_read_without_python_objects(monkeypatch):
    monkeypatch.setattr("monitor.frames.vectors._stack_rows", None)
    monkeypatch.setattr("narwhals.Series.to_list", None)
    frame = pa.table({"v": [[1.0, 2.0], None, [1.0]]})
    assert frames.read_vectors(frame, "v").usable.tolist() == [True, False, False]


def test_columns_with_labels_that_are_no_text_are_found():
    frame = pd.DataFrame({0: [1, 2], ("a", "b"): [3, 4]})
    assert frames.cells(frame, "0") == [1, 2]
    assert frames.cells(frame, "('a', 'b')") == [3, 4]
    levels = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")]))
    assert frames.cells(levels, "('a', 'c')") == [2]


def test_a_column_with_a_number_as_label_is_replaced():
    frame = pd.DataFrame({"url": ["a", "b", "c"], 0: [1, 2, 3]})
    result = with_vectors(frame, "0", VECTORS, FAILURES)
    assert frames.column_names(result) == ["url", "0", "0_failure"]
    np.testing.assert_array_equal(frames.read_vectors(result, "0").matrix, VECTORS[[0, 2]])
    assert frame[0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame([[1, 2, 3]] * 3, columns=["v", "v", "w"]),
        pa.Table.from_arrays([pa.array([1, 2, 3])] * 3, names=["v", "v", "w"]),
    ],
    ids=["pandas", "arrow"],
)
def test_two_columns_of_the_name_of_the_target_are_an_error(frame):
    assert frames.duplicated_columns(frame) == ["v"]
    assert len(frames.cells(frame, "w")) == 3
    with pytest.raises(InvalidInputError, match="2 columns named 'v'"):
        embedded(frame)


def test_the_number_of_rows(kind):
    assert frames.n_rows(kind({"url": ["a", "b", "c"]})) == 3
    assert frames.n_rows(pd.DataFrame([[1, 2]], columns=["a", "a"])) == 1


def test_arrow_reads_the_encoder_that_pandas_wrote(tmp_path):
    result = embedded(pd.DataFrame({"url": ["a", "b", "c"]}))
    result.to_parquet(tmp_path / "t.parquet")
    again = pq.read_table(tmp_path / "t.parquet")
    assert fingerprint(again, "v") == "tiny:1"
    assert fingerprint(again, "url") is None
    for key in (b"pandas", b"PANDAS_ATTRS"):
        alone = again.replace_schema_metadata({key: again.schema.metadata[key]})
        assert fingerprint(alone, "v") == "tiny:1"


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"attributes": 1}', b'{"attributes": []}'])
def test_foreign_metadata_is_no_fingerprint(text):
    table = pa.table({"v": [[1.0]]}).replace_schema_metadata({b"pandas": text})
    assert fingerprint(table, "v") is None


@pytest.mark.parametrize("recorded", [1, ["x"], {"v": 1}, {"v": None}])
def test_a_fingerprint_is_text(recorded):
    frame = pd.DataFrame({"v": [[1.0]]})
    frame.attrs[FINGERPRINT_KEY] = recorded
    assert fingerprint(frame, "v") is None
    assert fingerprint(pa.Table.from_pandas(frame), "v") is None


def test_two_columns_of_one_name_cannot_be_written(tmp_path):
    twice = pa.table([[1], [2]], names=["a", "a"])
    with pytest.raises(InvalidInputError, match=r"t\.parquet cannot be written.*duplicate.*'a'"):
        frames.write_file(twice, tmp_path / "t.parquet")
    with pytest.raises(InvalidInputError, match=r"vectors are written to \.parquet files only"):
        frames.write_file(pa.table({"a": [1]}), tmp_path / "t.csv")
    assert list(tmp_path.iterdir()) == []


def test_cells_of_several_kinds_become_text():
    frame = pd.DataFrame({"size": pd.Series([1, "big", None, 2.5], dtype=object), 3: [1, 2, 3, 4]})
    table = frames.as_arrow(frame)
    assert table.to_pydict() == {"size": ["1", "big", None, "2.5"], "3": [1, 2, 3, 4]}


def test_what_was_written_is_read_back_with_its_index_and_facts(tmp_path):
    path = tmp_path / "t.parquet"
    embedded(pd.DataFrame({"url": ["a", "b", "c"]}, index=[7, 7, 3])).to_parquet(path)
    table = frames.read_table(path)
    frames.write_file(table, path, about={"mine": {"a": 1}})
    again = frames.read_table(path)
    assert frames.facts_of(again)["mine"] == {"a": 1}
    assert fingerprint(again, "v") == "tiny:1"
    assert again.to_pydict() == table.to_pydict()
    frame = pd.read_parquet(path)
    assert frame.index.tolist() == [7, 7, 3]
    assert fingerprint(frame, "v") == "tiny:1"
    assert frames.read_file(path).index.tolist() == [7, 7, 3]


UTC = dt.UTC
NOON = np.datetime64("2026-03-01T12:00", "us")


@pytest.mark.parametrize(
    ("cells", "note"),
    [
        ([dt.datetime(2026, 3, 1, 12, tzinfo=UTC)], False),
        ([dt.datetime(2026, 3, 1, 13, tzinfo=dt.timezone(dt.timedelta(hours=1)))], False),
        (["2026-03-01T12:00:00Z"], False),
        (["2026-03-01 14:00:00+02:00"], False),
        ([dt.datetime(2026, 3, 1, 12)], True),  # noqa: DTZ001
        (["2026-03-01T12:00:00"], True),
        (["20260301T120000Z"], False),
        (["2026-03-01t12:00z"], False),
        ([" 2026-03-01 12 "], True),
        (["2026-03-01 12:00:00,000"], True),
        (["2026-03-01 12:00:00 UTC"], False),
        (["2026-03-01 12:00:00.000 utc"], False),
    ],
)
def test_times_are_instants_in_utc(kind, cells, note):
    read = frames.read_times(kind({"ts": cells}), "ts")
    assert read.values.tolist() == [NOON.item()]
    assert (read.note is not None) == note


def test_dates_are_midnights_and_bad_cells_are_no_time():
    frame = pd.DataFrame(
        {"ts": pd.Series([dt.date(2026, 3, 1), None, "yesterday", ""], dtype=object)}
    )
    read = frames.read_times(frame, "ts")
    assert read.values[0] == np.datetime64("2026-03-01")
    assert np.isnat(read.values[1:]).all()


def test_one_number_among_times_is_one_row_without_a_time():
    frame = pd.DataFrame({"ts": pd.Series(["2026-03-01", 1772366400, b"2026-03-01"], dtype=object)})
    assert np.isnat(frames.read_times(frame, "ts").values).tolist() == [False, True, False]


def test_numbers_and_rubbish_are_no_times():
    with pytest.raises(TimestampError, match=r"holds numbers such as 1772366400.*unit='s'"):
        frames.read_times(pd.DataFrame({"ts": [1772366400]}), "ts")
    with pytest.raises(
        TimestampError, match="no cell of column 'ts' is a time; the first is 'soon'"
    ):
        frames.read_times(pd.DataFrame({"ts": ["soon", "later"]}), "ts")


@pytest.mark.parametrize(
    "text",
    [
        *("03/04/2026", "13/04/2026", "March 1, 2026", "2026/03/01", "2026-3-1", "12:00"),
        *("now", "today", "NOW", "2026", "2026-03", "202603", "1772366400", "٢٠٢٦-03-01"),
        *(
            "2026-02-30",
            "2026-03-01T25:00",
            "2026-03-01T12:00 EST",
            "0000-01-01",
            "9999-06-01",
            "10000-01-01",
        ),
    ],
)
def test_text_that_is_not_iso_8601_is_no_time(kind, text):
    read = frames.read_times(kind({"ts": ["2026-03-01T12:00:00Z", text]}), "ts")
    assert read.values[0] == NOON
    assert np.isnat(read.values[1])
    assert read.note is None
    how = "numbers such as .* unit" if text == "1772366400" else "ISO 8601 text.*format='%d/%m/%Y'"
    with pytest.raises(TimestampError, match=how):
        frames.read_times(kind({"ts": [text]}), "ts")


def test_texts_of_different_zones_mix(kind):
    cells = ["2026-03-01 14:00:00+02:00", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000000001Z"]
    read = frames.read_times(kind({"ts": cells}), "ts")
    assert read.values.tolist() == [NOON.item()] * 3
    assert read.note is None


def test_one_late_time_without_a_zone_is_noted(kind):
    cells = ["2026-03-01T12:00:00Z"] * 2000
    assert frames.read_times(kind({"ts": cells}), "ts").note is None
    note = frames.read_times(kind({"ts": [*cells, "2026-03-01"]}), "ts").note
    assert note == "column 'ts' has times without a zone; they were taken as UTC"


INSTANTS = pd.Series(pd.to_datetime(["2026-03-01T12:00Z", None], utc=True))
TYPED = {
    "pandas": pd.DataFrame({"ts": INSTANTS}),
    "pandas zone": pd.DataFrame({"ts": INSTANTS.dt.tz_convert("Asia/Tokyo")}),
    "pandas ns": pd.DataFrame({"ts": INSTANTS.astype("datetime64[ns, UTC]")}),
    "pandas arrow": pd.DataFrame(
        {"ts": INSTANTS.astype(pd.ArrowDtype(pa.timestamp("ms", "Asia/Tokyo")))}
    ),
    "polars": pl.DataFrame({"ts": pl.Series([NOON.item(), None]).dt.replace_time_zone("UTC")}),
    "arrow": pa.table({"ts": pa.array(INSTANTS).cast(pa.timestamp("s", "Asia/Tokyo"))}),
}


@pytest.mark.parametrize("name", TYPED)
def test_columns_of_datetimes_are_read_without_python_objects(name, monkeypatch):
    monkeypatch.setattr("narwhals.Series.to_list", None)
    read = frames.read_times(TYPED[name], "ts")
    assert read.values.dtype == np.dtype("datetime64[us]")
    assert read.values[0] == NOON
    assert np.isnat(read.values[1])
    assert read.note is None


def test_columns_of_datetimes_and_dates_without_a_zone(kind):
    for cell in (NOON.item(), dt.date(2026, 3, 1)):
        read = frames.read_times(kind({"ts": [cell, None]}), "ts")
        assert read.values[0] == np.datetime64(cell)
        assert "without a zone" in read.note


def test_years_that_datetime_cannot_hold_are_no_times():
    years = ["-0001", "0001", "9998", "9999", "20000"]
    far = pa.array([np.datetime64(f"{year}-06-01", "s") for year in years]).cast(
        pa.timestamp("s", "UTC")
    )
    read = frames.read_times(pa.table({"ts": far}), "ts")
    assert np.isnat(read.values).tolist() == [True, False, False, True, True]
    objects = pd.Series(
        [dt.datetime.max.replace(tzinfo=UTC), np.datetime64("20000-01-01"), NOON.item()],
        dtype=object,
    )
    read = frames.read_times(pd.DataFrame({"ts": objects}), "ts")
    assert np.isnat(read.values).tolist() == [True, True, False]
    with pytest.raises(TimestampError, match="the first is '20000-06-01"):
        frames.read_times(pa.table({"ts": far[-1:]}), "ts")


@pytest.mark.parametrize("dtype", ["string", "object"])
def test_a_missing_time_is_no_time(dtype):
    cells = pd.Series(["2026-03-01T12:00:00Z", pd.NA], dtype=dtype)
    assert np.isnat(frames.read_times(pd.DataFrame({"ts": cells}), "ts").values).tolist() == [
        False,
        True,
    ]
    assert np.isnat(frames.read_times(pd.DataFrame({"ts": cells[1:]}), "ts").values).all()


def test_numbers_with_gaps_and_periods_are_refused():
    with pytest.raises(TimestampError, match="numbers such as 1772366400"):
        frames.read_times(pd.DataFrame({"ts": pd.array([pd.NA, 1772366400], dtype="Int64")}), "ts")
    with pytest.raises(TimestampError, match=r"'2026-01'.*column\.dt\.to_timestamp\(\)"):
        frames.read_times(
            pd.DataFrame({"ts": pd.period_range("2026-01", periods=2, freq="M")}), "ts"
        )
