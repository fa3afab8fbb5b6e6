"""What is due, by the clock and by what is known."""

import datetime as dt

import pytest

from monitor.errors import ConfigError
from monitor.schedule import Plan
from monitor.windows import Every, Grid, zone_of

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
GRID = Grid(Every.parse("1d"), zone_of("UTC"))
START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def days(plan, now, *, first_seen=START, known=()):
    return [period.start.day for period in plan.due(now, first_seen, known)]


def test_a_window_is_due_at_its_end_plus_the_delay():
    plan = Plan(GRID, evaluation_delay=2 * HOUR)
    moment = dt.timedelta(microseconds=1)
    assert days(plan, START + DAY + 2 * HOUR - moment) == [28]  # of February
    assert days(plan, START + DAY + 2 * HOUR) == [1]


@pytest.mark.parametrize(
    ("catchup", "first", "later"),
    [("none", [], [8]), ("latest", [4], [8]), ("all", [1, 2, 3, 4], [5, 6, 7, 8])],
)
def test_catchup(catchup, first, later):
    plan = Plan(GRID, catchup=catchup, start=START)
    first_pass, after_a_stop = START + 4.5 * DAY, START + 8.5 * DAY
    assert days(plan, first_pass, first_seen=first_pass) == first
    known = set(plan.due(first_pass, first_pass, ()))
    assert days(plan, after_a_stop, first_seen=first_pass, known=known) == later


def test_the_limit_keeps_the_newest():
    plan = Plan(GRID, catchup="all", start=START, catchup_limit=3)
    assert days(plan, START + 20 * DAY) == [18, 19, 20]
    assert plan.horizon(START + 20 * DAY) == START + 17 * DAY


def test_nothing_begins_before_the_start():
    assert days(Plan(GRID, start=START), START + HOUR) == []
    assert days(Plan(GRID, catchup="all", start=START + HOUR), START + 2.5 * DAY) == [2]


def test_all_needs_a_start():
    with pytest.raises(ConfigError, match="give start"):
        Plan(GRID, catchup="all")


def test_late_rows_are_looked_for_as_long_as_is_allowed():
    (period,) = Plan(GRID).due(START + 1.5 * DAY, START, ())
    assert Plan(GRID).look_until(period) is None
    plan = Plan(GRID, evaluation_delay=HOUR, allowed_lateness=2 * DAY)
    assert plan.look_until(period) == START + 3 * DAY + HOUR
