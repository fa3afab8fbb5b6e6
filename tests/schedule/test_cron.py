"""The loop wakes when crontab(5) says, days of the week above all."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.schedule.cron import check_cron, cron_trigger

MIDNIGHT = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)  # a Sunday


def days(cron, n=31):
    """The days of March 2026 on which the loop wakes."""
    trigger, found, now = cron_trigger(cron, "UTC"), [], MIDNIGHT
    while (fires := trigger.get_next_fire_time(None, now)) < MIDNIGHT + dt.timedelta(days=n):
        found.append(fires.day)
        now = fires + dt.timedelta(minutes=1)
    return found


def of_weekdays(*weekdays):
    """The same from the calendar; 0 is Sunday."""
    return [day for day in range(1, 32) if (dt.date(2026, 3, day).isoweekday() % 7) in weekdays]


@pytest.mark.parametrize(
    ("field", "weekdays"),
    [
        ("0", [0]), ("7", [0]), ("1", [1]), ("6", [6]), ("mon", [1]), ("SUN", [0]), ("Monday", [1]),
        ("1-5", [1, 2, 3, 4, 5]), ("mon-fri", [1, 2, 3, 4, 5]), ("0-7", range(7)), ("5-7", [5, 6, 0]),
        ("sat-sun", [6, 0]), ("fri-mon", [5, 6, 0, 1]), ("1,3,5", [1, 3, 5]), ("0,7", [0]),
        ("*/2", [0, 2, 4, 6]), ("1-5/2", [1, 3, 5]), ("*", range(7)), ("2-4,sun", [0, 2, 3, 4]),
    ],
)  # fmt: skip
def test_days_of_the_week_are_those_of_crontab(field, weekdays):
    assert days(f"0 9 * * {field}") == of_weekdays(*weekdays)


@given(st.lists(st.integers(0, 7), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_any_list_of_numbers_means_these_days(numbers):
    field = ",".join(map(str, numbers))
    assert days(f"0 9 * * {field}") == of_weekdays(*(number % 7 for number in numbers))


def test_a_day_and_a_day_of_the_week_are_either():
    assert days("0 9 13 * 5") == sorted({13, *of_weekdays(5)})
    assert days("0 9 */10 * 5") == [day for day in of_weekdays(5) if day in (1, 11, 21, 31)]


@pytest.mark.parametrize(
    ("name", "fields"),
    [("@daily", "0 0 * * *"), ("@weekly", "0 0 * * 0"), ("@MONTHLY", "0 0 1 * *")],
)
def test_names_stand_for_fields(name, fields):
    assert days(name) == days(fields) != []


def test_fields_are_in_the_zone():
    fires = cron_trigger("0 9 * * 1", "Asia/Tokyo").get_next_fire_time(None, MIDNIGHT)
    assert fires == dt.datetime(2026, 3, 2, 9, tzinfo=ZoneInfo("Asia/Tokyo"))


@pytest.mark.parametrize(
    ("cron", "why"),
    [
        ("* * * *", "4 fields instead of 5"),
        ("0 9 * * 8", "8 is not a day of the week: 0 to 7"),
        ("0 9 * * someday", "'someday' is not a day of the week"),
        ("0 9 * * */0", "a step of 0"),
        ("0 9 * * 1-", "'1-' is not a day of the week"),
        ("61 9 * * *", "not a cron expression"),
        ("@reboot", "1 fields instead of 5"),
    ],
)
def test_what_is_no_cron_is_refused(cron, why):
    with pytest.raises(ConfigError, match=why):
        check_cron(cron)
