"""Windows tile time: no gap, no overlap, in any zone, over any change of its clocks."""

import datetime as dt
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.windows import Every, Grid, first_instant, zone_of

ZONES = st.sampled_from(sorted(available_timezones() - {"localtime"}))
LENGTHS = st.sampled_from(["1d", "2d", "1w", "1mo", "3mo", "6h", "1h", "30min", "7d"])
INSTANTS = st.datetimes(
    dt.datetime(1900, 1, 5),  # noqa: DTZ001
    dt.datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(dt.UTC),
)
MICROSECOND = dt.timedelta(microseconds=1)


def utc(*when: int) -> dt.datetime:
    return dt.datetime(*when, tzinfo=dt.UTC)


@given(ZONES, LENGTHS, INSTANTS)
@example("Pacific/Apia", "1d", utc(2011, 12, 30, 10))  # a day that was left out
@example("Pacific/Kwajalein", "1d", utc(1993, 8, 21, 12))
@example("America/St_Johns", "1d", utc(2008, 11, 2, 2, 31))  # a day shown twice
@example("America/Toronto", "1d", utc(1919, 3, 31, 4, 30))  # a gap that begins before midnight
@example("America/Sao_Paulo", "1w", utc(2017, 10, 15, 3))
@example("Africa/Monrovia", "1d", utc(1972, 1, 7, 0, 44, 30))
@example("Europe/Berlin", "1mo", utc(2024, 2, 29, 22, 59, 59))
@settings(max_examples=500, deadline=None)
def test_windows_tile_time(zone, length, instant):
    grid = Grid(Every.parse(length), ZoneInfo(zone))
    held = grid.around(instant)
    assert held.start <= instant < held.end
    # The last microsecond is inside, the next one in the next window.
    assert grid.around(held.start) == grid.around(held.end - MICROSECOND) == held
    after = grid.around(held.end)
    assert after.start == held.end
    earlier = list(islice(grid.before(instant), 5))
    assert earlier[0].end == held.start
    for late, early in pairwise(earlier):
        assert early.end == late.start
        assert early.start < early.end
        assert grid.around(early.start) == early
    assert next(iter(grid.before(held.end))) == held


@given(ZONES, st.dates(dt.date(1900, 1, 5), dt.date(2100, 1, 1)))
@settings(max_examples=500, deadline=None)
def test_a_day_begins_at_its_first_instant(name, day):
    zone = ZoneInfo(name)
    start = first_instant(day, zone)
    assert start.astimezone(zone).date() >= day
    assert (start - MICROSECOND).astimezone(zone).date() < day


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("Europe/Berlin", (2026, 6, 1), 24),
        ("America/New_York", (2026, 3, 8), 23),
        ("America/New_York", (2026, 11, 1), 25),
        ("Australia/Lord_Howe", (2026, 4, 5), 24.5),
        ("America/Sao_Paulo", (2017, 10, 15), 23),
        ("Asia/Kolkata", (2026, 3, 29), 24),
        ("UTC", (2024, 2, 29), 24),
    ],
)
def test_days_have_as_many_hours_as_people_say(zone, day, hours):
    noon = dt.datetime(*day, 12, tzinfo=ZoneInfo(zone))
    held = Grid(Every.parse("1d"), ZoneInfo(zone)).around(noon)
    assert (held.end - held.start) / dt.timedelta(hours=1) == hours
    assert held.start.astimezone(ZoneInfo(zone)).date() == dt.date(*day)


def test_a_leap_february_is_one_month():
    grid = Grid(Every.parse("1mo"), ZoneInfo("Asia/Tokyo"))
    held = grid.around(utc(2024, 2, 15))
    assert (held.start, held.end) == (utc(2024, 1, 31, 15), utc(2024, 2, 29, 15))


def test_hours_do_not_know_zones():
    held = Grid(Every.parse("6h"), ZoneInfo("Europe/Berlin")).around(utc(2026, 3, 29, 7))
    assert (held.start, held.end) == (utc(2026, 3, 29, 6), utc(2026, 3, 29, 12))


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused(name):
    with pytest.raises(ConfigError, match="not a time zone"):
        zone_of(name)
