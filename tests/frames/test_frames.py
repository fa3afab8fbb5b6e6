"""Data frames: one test body over pandas, polars and Arrow."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor import frames
from monitor.errors import InvalidInputError, MissingColumnError, TimestampError
from monitor.frames.table import fingerprint

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
    return frames.with_embedding(
        frame, "v", VECTORS, FAILURES, failure_column="v_failure", fingerprint="tiny:1"
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
    frame = frames.with_embedding(
        kind({"url": ["a", "b", "c"]}),
        "v",
        VECTORS,
        [None, "http_404", None],
        failure_column="v_failure",
        fingerprint="tiny:1",
    )
    read = frames.read_vectors(frame, "v", failure_column="v_failure")
    assert read.failures.tolist() == [None, "http_404", None]


def test_a_column_of_scalars_was_named_by_mistake(kind):
    with pytest.raises(InvalidInputError, match="column 'url' holds str, not vectors"):
        frames.read_vectors(kind({"url": ["a", "b"]}), "url")


def test_a_missing_column_names_the_close_one(kind):
    with pytest.raises(
        MissingColumnError, match=r"no column 'image_ulr'.*did you mean 'image_url'"
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
    frame = frames.with_embedding(
        kind({"url": pa.array(["u"] * empty, type=pa.string()).to_pylist()}),
        "v",
        np.zeros((empty, 4), dtype=np.float32),
        ["dns"] * empty,
        failure_column="v_failure",
        fingerprint="tiny:1",
    )
    read = frames.read_vectors(frame, "v", failure_column="v_failure")
    assert read.matrix.shape[0] == 0
    assert read.failures.tolist() == ["dns"] * empty


def test_columns_as_vectors():
    frame = pd.DataFrame({"a": [1, 2, None, None], "b": [0.5, np.inf, 1.0, None]})
    read = frames.read_columns(frame, ["a", "b"])
    assert read.failures.tolist() == [None, "not_finite", "not_finite", "missing"]
    with pytest.raises(InvalidInputError, match="column 'a' holds something that is no number"):
        frames.read_columns(pd.DataFrame({"a": ["x"], "b": [1]}), ["a", "b"])


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


def test_numbers_and_rubbish_are_no_times():
    with pytest.raises(TimestampError, match=r"holds numbers such as 1772366400.*unit='s'"):
        frames.read_times(pd.DataFrame({"ts": [1772366400]}), "ts")
    with pytest.raises(
        TimestampError, match="no cell of column 'ts' is a time; the first is 'soon'"
    ):
        frames.read_times(pd.DataFrame({"ts": ["soon", "later"]}), "ts")
