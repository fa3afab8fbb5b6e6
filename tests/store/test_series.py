"""A feature starts anew when its windows are cut otherwise, and is monitored no more when it is gone."""

import pytest

from monitor.errors import LeaseLostError
from monitor.store import leases, results, series
from monitor.windows import Every, Grid, zone_of
from tests.store.samples import DAY, DAYS, FIRST, baseline, day, judged

NOW = FIRST + 30 * DAY
HOURS = Grid(Every.parse("6h"))
TOKYO = Grid(Every.parse("1d"), zone_of("Asia/Tokyo"))


def note(store, grid, *windows):
    with store.writing() as connection:
        leases.add_due(connection, "points", windows, grid, NOW)


def claim(store):
    with store.writing() as connection:
        return leases.claim_next(
            connection, ["points"], owner="a", now=NOW, lease=DAY, max_attempts=5
        )


def judge(store, grid, *windows):
    note(store, grid, *windows)
    while (one := claim(store)) is not None:
        with store.writing() as connection:
            results.save(connection, one, judged(one.period), NOW)


def starts(store):
    return [line.period.start for line in store.recent("points")][::-1]


def test_a_new_length_starts_anew_and_the_old_one_comes_back(store):
    judge(store, DAYS, day(0), day(1))
    hours = [HOURS.around(FIRST + n * DAY / 4) for n in range(3)]
    judge(store, HOURS, *hours)
    assert starts(store) == [window.start for window in hours]
    assert store.report().every == "6h"
    assert len(store.history("points", baseline().id, NOW, 99)) == 3  # no day is pooled with hours
    judge(store, DAYS, day(2))
    assert starts(store) == [day(n).start for n in range(3)]
    assert store.report().every == "1d"


def test_what_was_put_aside_is_due_again_with_its_windows(store):
    note(store, DAYS, day(0))
    note(store, HOURS, HOURS.around(FIRST))
    assert store.backlog()["points"]["due"] == 1
    note(store, DAYS)
    assert claim(store).period == day(0)


def test_days_of_another_zone_start_anew_although_some_are_the_same_spans(store):
    judge(store, DAYS, day(0))
    with store.reading() as connection:
        assert leases.known(connection, "points", FIRST)[1] == {day(0)}
    judge(store, TOKYO, TOKYO.around(FIRST))
    with store.reading() as connection:
        assert leases.known(connection, "points", FIRST)[1] == set()
    assert (store.report().every, store.report().timezone) == ("1d", "Asia/Tokyo")
    london = Grid(Every.parse("1d"), zone_of("Europe/London"))
    judge(store, london, day(0))
    assert starts(store) == [day(0).start]


def test_what_was_due_of_the_old_windows_is_due_no_more(store):
    note(store, DAYS, day(0), day(1))
    held = claim(store)
    note(store, HOURS, HOURS.around(FIRST))
    assert store.status()["windows"]["due"] == 1
    with pytest.raises(LeaseLostError, match="due no more"), store.writing() as connection:
        results.save(connection, held, judged(held.period), NOW)


def test_adopting_says_what_was_before(store):
    with store.writing() as connection:
        assert series.adopt(connection, "points", DAYS, NOW) is None
        assert series.adopt(connection, "points", DAYS, NOW) is None
        assert series.adopt(connection, "points", TOKYO, NOW) == "1d in UTC"


def test_a_feature_that_is_gone_is_retired_once_and_may_come_back(store):
    judge(store, DAYS, day(0))
    with store.writing() as connection:
        assert not series.is_settled(connection, ["new"], DAYS, ["new"])
        series.adopt(connection, "new", DAYS, NOW)
        assert series.retire(connection, ["new"], NOW) == ["points"]
        assert series.retire(connection, ["new"], NOW) == []
        assert series.is_settled(connection, ["new"], DAYS, ["new"])
        assert series.is_settled(connection, ["new"], DAYS, None)
    assert store.status()["features"] == ["new"]
    assert store.backlog() == {"new": {"due": 0, "failed": 0}}
    assert len(store.report("points").windows) == 3  # what was found stays
    with store.writing() as connection:
        assert series.adopt(connection, "points", DAYS, NOW) is None
    assert store.status()["features"] == ["points", "new"]


def test_the_backlog_of_each_feature(store):
    note(store, DAYS, day(0), day(1))
    with store.writing() as connection:
        one = leases.claim_next(
            connection, ["points"], owner="a", now=NOW, lease=DAY, max_attempts=5
        )
        leases.give_back(connection, one, "no", None)
    assert store.backlog() == {"points": {"due": 1, "failed": 1}}


def test_the_first_windows_and_the_last_are_known_of_a_long_history(store):
    judge(store, DAYS, *(day(n) for n in range(7)))

    def known(n):
        return [past.window.start for past in store.history("points", baseline().id, NOW, n)]

    starts_of_all = [day(n).start for n in range(7)]
    assert known(2) == [*starts_of_all[:2], *starts_of_all[-2:]]
    assert known(4) == known(7) == known(99) == starts_of_all
