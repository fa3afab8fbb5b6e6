"""Windows tile time, hold every dated row once, and start where people expect."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import TimestampError
from monitor.windows import Every, cut

instants = st.lists(
    st.integers(-(10**9), 2 * 10**9).map(lambda s: np.datetime64(s, "s").astype("datetime64[us]")),
    min_size=1,
    max_size=20,
).map(np.array)


@given(instants, st.sampled_from(["1w", "30d", "1mo", "3mo", "52w"]))
def test_windows_tile_time_and_hold_every_row_once(values, every):
    windows = cut(values, Every.parse(every))
    assert [w.end for w in windows[:-1]] == [w.start for w in windows[1:]]
    assert sorted(np.concatenate([w.rows for w in windows]).tolist()) == list(range(len(values)))
    for window in windows:
        assert ((window.start <= values[window.rows]) & (values[window.rows] < window.end)).all()


@pytest.mark.parametrize(
    ("every", "start"),
    [
        ("1h", "2026-03-04T17:00"),
        ("6h", "2026-03-04T12:00"),
        ("30min", "2026-03-04T17:30"),
        ("1d", "2026-03-04"),
        ("day", "2026-03-04"),
        ("1w", "2026-03-02"),  # a Monday
        ("1mo", "2026-03-01"),
        ("3mo", "2026-01-01"),
    ],
)
def test_windows_start_where_people_expect(every, start):
    (window,) = cut(np.array(["2026-03-04T17:45"], dtype="datetime64[us]"), Every.parse(every))
    assert window.start == np.datetime64(start, "us")


def test_daily_windows_agree_with_pandas():
    values = pd.date_range("2024-02-27", periods=50, freq="7h").to_numpy().astype("datetime64[us]")
    expected = pd.Series(1, index=values).resample("1D").sum()
    windows = cut(values, Every.parse("1d"))
    assert [len(w.rows) for w in windows] == expected.tolist()
    assert [w.start for w in windows] == list(expected.index.to_numpy().astype("datetime64[us]"))


def test_rows_without_a_time_are_in_no_window():
    values = np.array(["NaT", "2026-03-01", "NaT"], dtype="datetime64[us]")
    (window,) = cut(values, Every.parse("1d"))
    assert window.rows.tolist() == [1]
    assert cut(values[:1], Every.parse("1d")) == []


@pytest.mark.parametrize(
    "text", ["", "0d", "fortnight", "1.5h", "-1d", "99999999999999999999d", "20000mo", None]
)
def test_what_is_no_length_is_refused_with_the_cure(text):
    with pytest.raises(
        TimestampError, match="is no window length; give a number and one of min, h, d, w, mo"
    ):
        Every.parse(text)


def test_too_many_windows_are_refused():
    values = np.array(["1970-01-01", "2026-01-01"], dtype="datetime64[us]")
    with pytest.raises(TimestampError, match="at most 100,000 are made"):
        cut(values, Every.parse("1min"))
