"""Windows tile time, hold every dated row once, and start where people expect."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import TimestampError
from monitor.windows import Every, Grid, cut, utc

ZONES = [
    "UTC",
    "Europe/Berlin",
    "Asia/Tokyo",
    "America/St_Johns",
    "Pacific/Apia",
    "Pacific/Auckland",
]
instants = st.lists(
    st.integers(-(10**9), 2 * 10**9).map(lambda s: np.datetime64(s, "s").astype("datetime64[us]")),
    min_size=1,
    max_size=20,
).map(np.array)


@given(instants, st.sampled_from(["1w", "30d", "1mo", "3mo", "52w"]))
@settings(deadline=None)
def test_windows_tile_time_and_hold_every_row_once(values, every):
    grid = Grid(Every.parse(every))
    in_time = cut(values, grid)
    n_missing = 0
    for before, after in pairwise(part.window for part in in_time.windows):
        gap = grid.number(after.start) - grid.number(before.start) - 1
        assert gap == 0 or gap >= 1_000
        n_missing += gap
    assert in_time.n_left_out == n_missing
    rows = np.concatenate([in_time.far, *(part.rows for part in in_time.windows)])
    assert sorted(rows.tolist()) == list(range(len(values)))
    assert len(in_time.far) <= 0.1 * len(values)
    for part in in_time.windows:
        held = [utc(value) for value in values[part.rows]]
        assert all(part.window.start <= instant < part.window.end for instant in held)


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
    (part,) = cut(
        np.array(["2026-03-04T17:45"], dtype="datetime64[us]"), Grid(Every.parse(every))
    ).windows
    assert part.window.start == utc(np.datetime64(start, "us"))


def test_daily_windows_agree_with_pandas():
    values = pd.date_range("2024-02-27", periods=50, freq="7h").to_numpy().astype("datetime64[us]")
    expected = pd.Series(1, index=values).resample("1D").sum()
    windows = cut(values, Grid(Every.parse("1d"))).windows
    assert [len(w.rows) for w in windows] == expected.tolist()
    assert [w.window.start for w in windows] == list(expected.index.tz_localize("UTC"))


def test_rows_without_a_time_are_in_no_window():
    values = np.array(["NaT", "2026-03-01", "NaT"], dtype="datetime64[us]")
    (part,) = cut(values, Grid(Every.parse("1d"))).windows
    assert part.rows.tolist() == [1]
    assert cut(values[:1], Grid(Every.parse("1d"))).windows == []


@pytest.mark.parametrize(
    "text", ["", "0d", "fortnight", "1.5h", "-1d", "99999999999999999999d", "20000mo", None]
)
def test_what_is_no_length_is_refused_with_the_cure(text):
    with pytest.raises(
        TimestampError, match="is not a length of time: give a number and one of min, h, d, w, mo"
    ):
        Every.parse(text)


def test_too_many_windows_are_refused():
    values = np.arange("2026-01-01", "2027-01-01", 12, dtype="datetime64[h]").astype(
        "datetime64[us]"
    )
    with pytest.raises(TimestampError, match="at most 100,000 are made"):
        cut(values, Grid(Every.parse("1min")))


@given(instants, st.sampled_from(ZONES), st.sampled_from(["1d", "1w", "1mo", "6h"]))
@settings(max_examples=50, deadline=None)
def test_the_grid_numbers_many_instants_as_it_numbers_each(values, zone, every):
    grid = Grid(Every.parse(every), ZoneInfo(zone))
    assert grid.numbers(values).tolist() == [grid.number(utc(value)) for value in values]


@given(instants, st.sampled_from(ZONES), st.sampled_from(["1w", "1mo"]))
@settings(max_examples=20, deadline=None)
def test_civil_windows_hold_the_rows_of_their_days(values, zone, every):
    grid = Grid(Every.parse(every), ZoneInfo(zone))
    for part in cut(values, grid).windows:
        for value in values[part.rows]:
            assert grid.around(utc(value)) == part.window


def test_a_day_that_a_zone_skipped_is_no_window():
    values = np.array(["2011-12-30T00:00", "2011-12-31T12:00"], dtype="datetime64[us]")
    days = cut(values, Grid(Every.parse("1d"), ZoneInfo("Pacific/Apia"))).windows
    assert [part.window.start.astimezone(ZoneInfo("Pacific/Apia")).day for part in days] == [
        29,
        31,
        1,
    ]


def test_dates_at_the_ends_of_the_calendar_have_windows():
    values = np.array(["0001-01-01T00:00", "0001-01-02"], dtype="datetime64[us]")
    assert len(cut(values, Grid(Every.parse("1d"), ZoneInfo("America/New_York"))).windows) == 2


@given(instants, st.sampled_from(ZONES), st.sampled_from(["D", "W", "M"]))
@settings(max_examples=60, deadline=None)
def test_windows_of_a_zone_are_the_days_that_pandas_names(values, zone, unit):
    grid = Grid(Every(1, unit), ZoneInfo(zone))
    local = pd.Series(values).dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
    expected = local.dt.to_period("W-SUN" if unit == "W" else unit).dt.start_time.dt.date
    starts = [
        grid.window(int(number)).start.astimezone(grid.zone) for number in grid.numbers(values)
    ]
    # Where clocks go forward over midnight a day begins later than at midnight.
    assert [(start + dt.timedelta(hours=2)).date() for start in starts] == expected.tolist()
