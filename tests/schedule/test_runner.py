"""Passes over a store with a fake clock: real rows, real verdicts, real databases."""

import datetime as dt
import threading

import pandas as pd
import pytest
from sqlalchemy import select

from monitor.errors import StoreError
from monitor.rules import RunRules
from monitor.schedule import Plan, Rolling, Runner, WindowJudge
from monitor.sources import FileSource, rows_seen
from monitor.store import Store, acts, leases, queries
from monitor.store.acts import Act, ActKind, Mark
from monitor.store.rows import insert_if_absent
from monitor.store.tables import alerts, windows
from monitor.windows import Every, Grid, zone_of
from tests.store.samples import DAY, FIRST, POINTS, baseline, vectors

HOUR = dt.timedelta(hours=1)
RULES = RunRules(alpha=1e-4)


class Clock:
    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now


def write_day(folder, number, *, n=60, shift=0.0, name="rows", zone="UTC"):
    """Rows over the whole of a civil day."""
    midnight = pd.Timestamp((FIRST + number * DAY).date(), tz=zone)
    times = pd.date_range(midnight, midnight + pd.DateOffset(days=1), periods=n + 1)[:-1]
    frame = pd.DataFrame({"vector": vectors(n, 100 + number, shift), "ts": times})
    frame["ts"] = frame["ts"].dt.tz_convert("UTC")
    folder.mkdir(exist_ok=True)
    frame.to_parquet(folder / f"{name}{number:02}.parquet")


def make_runner(store, folder, clock, **changes):
    source = FileSource(f"{folder}/*.parquet", "ts")
    judge = WindowJudge(source, {"points": POINTS}, {"points": baseline()}, "1d", rules=RULES)
    start = FIRST - DAY
    values = {
        "plan": Plan(Grid(Every.parse("1d"), zone_of("UTC")), catchup="all", start=start),
        "judge": judge,
        "rows_seen": lambda window: str(rows_seen(source, window.start, window.end)),
        "clock": clock,
    } | changes
    return Runner(store, every="1d", features=["points"], **values)


def queue_alert(connection, claim, judged, now):
    """The least an alert rule does: one alert for a window that drifted, however often it is judged."""
    if judged.report.has_drift:
        key = f"{claim.feature}/{claim.period.start.isoformat()}"
        row = {
            "feature": claim.feature, "window_start": claim.period.start,
            "window_end": claim.period.end, "rule": "verdict", "severity": "warning",
            "state": "open", "dedup_key": key, "message": {}, "created_at": now,
        }  # fmt: skip
        insert_if_absent(connection, alerts, [row])


def alerted(store):
    with store.reading() as connection:
        return [
            (start - FIRST).days
            for start in connection.execute(
                select(alerts.c.window_start).order_by(alerts.c.window_start)
            ).scalars()
        ]


@pytest.mark.slow
def test_a_fortnight_with_a_fake_clock(store, tmp_path):
    folder, clock = tmp_path / "rows", Clock(FIRST)
    write_day(folder, -1)
    moved, n_days = {5, 6, 10}, 14
    runner = make_runner(store, folder, clock, queue_alerts=queue_alert)
    for hour in range(0, (n_days + 1) * 24 + 1, 12):
        clock.now = FIRST + hour * HOUR
        if hour % 24 == 0 and hour < n_days * 24:
            write_day(folder, hour // 24, shift=0.6 * (hour // 24 in moved))
        done = runner.run_due()
        assert len(done.judged) == (hour % 24 == 0 and hour <= n_days * 24)
        assert not done.failed
    # The last day has no rows: they are waited for, then that is a result, too.
    assert [claim.period.start for claim in done.waiting] == [FIRST + n_days * DAY]
    clock.now += 6 * HOUR
    assert len(runner.run_due().judged) == 1
    lines = store.recent("points", 99)
    # The day before the first has rows, the last has none: it is inconclusive, not quiet.
    assert [(line.period.start - FIRST).days for line in reversed(lines)] == list(
        range(-1, n_days + 1)
    )
    verdicts = {(line.period.start - FIRST).days: line.verdict for line in lines}
    assert {day for day, verdict in verdicts.items() if verdict == "drift"} == moved
    assert verdicts[n_days] == "inconclusive"
    assert alerted(store) == sorted(moved)
    with store.reading() as connection:
        raised = connection.execute(select(alerts.c.created_at)).scalars().all()
    assert sorted(raised) == [FIRST + (day + 1) * DAY for day in sorted(moved)]
    assert {line.n_rows for line in lines} == {60, 0}


def test_days_follow_the_zone_over_a_change_of_clocks(sqlite_store, tmp_path):
    folder, zone = tmp_path / "rows", "Europe/Berlin"
    for number in (27, 28, 29):
        write_day(folder, number, zone=zone)
    march = dt.datetime(2026, 3, 28, tzinfo=zone_of(zone))
    plan = Plan(Grid(Every.parse("1d"), zone_of(zone)), catchup="all", start=march)
    clock = Clock(dt.datetime(2026, 3, 31, tzinfo=zone_of(zone)))
    make_runner(sqlite_store, folder, clock, plan=plan).run_due()
    lines = sqlite_store.recent("points")[::-1]
    hours = [(line.period.end - line.period.start) / HOUR for line in lines]
    assert hours == [24, 23, 24]
    assert [line.n_rows for line in lines] == [60, 60, 60]
    assert [w.start for w in sqlite_store.report().windows] == [line.period.start for line in lines]


def test_late_rows_make_a_revision(store, tmp_path):
    folder, clock = tmp_path / "rows", Clock(FIRST + DAY)
    write_day(folder, 0)
    plan = Plan(
        Grid(Every.parse("1d"), zone_of("UTC")),
        catchup="all",
        start=FIRST,
        allowed_lateness=2 * DAY,
    )
    runner = make_runner(store, folder, clock, plan=plan, queue_alerts=queue_alert)
    assert len(runner.run_due().judged) == 1
    assert runner.run_due().judged == []
    write_day(folder, 0, n=20, name="late", shift=9)
    clock.now += HOUR
    ((claim, _),) = runner.run_due().judged
    assert claim.revision == 2
    with store.reading() as connection:
        kept = queries.revisions(connection, "points", FIRST)
    assert [(line.revision, line.n_rows, line.verdict) for line in kept] == [
        (1, 60, "no drift"), (2, 80, "drift"),
    ]  # fmt: skip
    assert [line.n_rows for line in store.recent("points")] == [80]
    # The horizon has passed: one last look, then no more.
    clock.now = FIRST + 3 * DAY
    write_day(folder, 0, n=10, name="later", shift=9)
    write_day(folder, 1), write_day(folder, 2)
    assert [c.revision for c, _ in runner.run_due().judged] == [3, 1, 1]
    clock.now += HOUR
    write_day(folder, 0, n=10, name="too-late", shift=9)
    assert runner.run_due().judged == []
    assert alerted(store) == [0]


def test_a_window_that_fails_is_tried_again_later(store, tmp_path):
    folder, clock = tmp_path / "rows", Clock(FIRST + DAY)
    folder.mkdir()
    (folder / "broken.parquet").write_bytes(b"no parquet")
    runner = make_runner(store, folder, clock, max_attempts=3)
    failed = runner.run_due().failed
    assert len(failed) == 2
    assert "broken.parquet cannot be read" in str(failed[0].error)
    assert runner.run_due().failed == []  # not at once
    clock.now += dt.timedelta(minutes=1)
    assert len(runner.run_due().failed) == 2
    (folder / "broken.parquet").unlink()
    write_day(folder, -1), write_day(folder, 0)
    clock.now += dt.timedelta(minutes=2)
    assert len(runner.run_due().judged) == 2
    assert store.status()["windows"] == {"due": 0, "done": 2, "failed": 0}


def test_an_interrupted_window_is_free_at_once(sqlite_store, tmp_path):
    clock = Clock(FIRST)
    write_day(tmp_path / "rows", -1)

    def interrupted(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_runner(sqlite_store, tmp_path / "rows", clock, judge=interrupted).run_due()
    ((claim, _),) = make_runner(sqlite_store, tmp_path / "rows", clock).run_due().judged
    assert (claim.token, claim.attempt) == (2, 1)


def test_a_stalled_worker_is_refused(store, tmp_path):
    clock = Clock(FIRST)
    write_day(tmp_path / "rows", -1)
    other = make_runner(store, tmp_path / "rows", clock, queue_alerts=queue_alert)

    def stalled(feature, window):
        clock.now += dt.timedelta(hours=1)  # longer than the lease
        assert len(other.run_due().judged) == 1
        return other.judge(feature, window)

    slow = make_runner(store, tmp_path / "rows", clock, judge=stalled, queue_alerts=queue_alert)
    done = slow.run_due()
    assert ([claim.token for claim in done.refused], done.judged, done.failed) == ([1], [], [])
    assert len(store.recent("points")) == 1


def test_a_long_window_keeps_its_lease(sqlite_store, tmp_path):
    write_day(tmp_path / "rows", -1)
    clock, seen = Clock(FIRST), threading.Event()

    def until():
        with sqlite_store.reading() as connection:
            return connection.execute(select(windows.c.lease_until)).scalar_one()

    def slow(feature, window):
        clock.now = FIRST + HOUR
        for _ in range(1000):
            if until() > FIRST + HOUR:
                break
            seen.wait(0.01)
        else:
            raise AssertionError("the lease was not renewed")
        return quick.judge(feature, window)

    quick = make_runner(sqlite_store, tmp_path / "rows", clock)
    lease = dt.timedelta(seconds=0.3)
    done = make_runner(sqlite_store, tmp_path / "rows", clock, judge=slow, lease=lease).run_due()
    assert len(done.judged) == 1


def test_a_rolling_baseline_moves_along(sqlite_store, tmp_path):
    folder = tmp_path / "rows"
    for number in range(-6, 4):
        write_day(folder, number, n=100, shift=0.6 * (number >= 0), name=f"r{number + 9}-")
    source = FileSource(f"{folder}/*.parquet", "ts")
    rolling = Rolling(window=2 * DAY, offset=DAY)
    judge = WindowJudge(source, {"points": POINTS}, rolling, "1d", rules=RULES)
    plan = Plan(Grid(Every.parse("1d"), zone_of("UTC")), catchup="all", start=FIRST - DAY)
    make_runner(sqlite_store, folder, Clock(FIRST + 4 * DAY), judge=judge, plan=plan).run_due()
    report = sqlite_store.report()
    # The move stays visible until the baseline has moved past it.
    verdicts = {(w.start - FIRST).days: str(w.judgement.verdict) for w in report.windows}
    assert (verdicts[-1], verdicts[0], verdicts[1]) == ("no drift", "drift", "drift")
    assert verdicts[3] == "no drift"
    since, until = report.features[0].time_range
    assert (since[:10], until[:10]) == ("2026-03-01", "2026-03-02")  # of the last window, the 4th


def test_a_rolling_baseline_knows_what_those_before_it_saw(sqlite_store, tmp_path):
    folder = tmp_path / "rows"
    for number in range(-6, 8):
        write_day(folder, number, n=60)
    source = FileSource(f"{folder}/*.parquet", "ts")
    judge = WindowJudge(
        source, {"points": POINTS}, Rolling(window=6 * DAY, offset=0 * DAY), "1d",
        rules=RULES, earlier=sqlite_store.baseline_before,
    )  # fmt: skip
    plan = Plan(Grid(Every.parse("1d"), zone_of("UTC")), catchup="all", start=FIRST)
    make_runner(sqlite_store, folder, Clock(FIRST + 8 * DAY), judge=judge, plan=plan).run_due()
    windows = sqlite_store.report().windows
    known = [
        len(sqlite_store.baseline_before("points", window.start).statistics.replayed)
        for window in windows
    ]
    # From the seventh day on another baseline ended before this one's rows began.
    assert known == [6] * 6 + [12, 12]
    assert sqlite_store.baseline_before("points", FIRST - DAY) is None
    assert sqlite_store.baseline_before("other", FIRST + 8 * DAY) is None


def rolling_runner(store, folder, clock, **changes):
    source = FileSource(f"{folder}/*.parquet", "ts")
    rolling = Rolling(window=6 * DAY, offset=1 * DAY)
    judge = WindowJudge(source, {"points": POINTS}, rolling, "1d", rules=RULES)
    plan = Plan(Grid(Every.parse("1d"), zone_of("UTC")), catchup="all", start=FIRST)
    return make_runner(store, folder, clock, judge=judge, plan=plan, **changes)


def test_windows_with_no_rows_before_them_hold_up_no_other(sqlite_store, tmp_path):
    folder = tmp_path / "rows"
    for number in range(5, 9):
        write_day(folder, number)
    runner = rolling_runner(sqlite_store, folder, Clock(FIRST + 9 * DAY))
    done = runner.run_due()
    assert not done.failed
    # Six days have no rows a day before them, the seventh has: more than the failures that end a pass.
    assert [(claim.period.start - FIRST).days for claim, _ in done.skipped] == list(range(7))
    assert str(done.skipped[0][1]) == (
        "the rolling baseline of 6 days before it, 1 day off, has 0 rows with vectors; a verdict needs 20"
    )
    assert [(claim.period.start - FIRST).days for claim, _ in done.judged] == [7, 8]
    assert sqlite_store.status()["windows"] == {"due": 0, "done": 2, "failed": 0}
    again = runner.run_due()
    assert (again.skipped, again.judged) == ([], [])


def test_rows_that_come_before_a_skipped_window_after_all(sqlite_store, tmp_path):
    folder, clock = tmp_path / "rows", Clock(FIRST + DAY)
    write_day(folder, 0)
    runner = rolling_runner(sqlite_store, folder, clock)
    assert len(runner.run_due().waiting) == 1  # a source may just be filling
    clock.now += 6 * HOUR
    assert len(runner.run_due().skipped) == 1
    for number in range(-6, -1):
        write_day(folder, number, name=f"r{number + 9}-")
    assert runner.run_due().judged == []
    with sqlite_store.writing() as connection:
        assert leases.retry_failed(connection, ["points"]) == 1
    assert len(runner.run_due().judged) == 1


def test_a_report_tells_the_notes_of_the_newest_baseline(sqlite_store, tmp_path):
    folder = tmp_path / "rows"
    for number in range(9):
        write_day(folder, number)
    rolling_runner(sqlite_store, folder, Clock(FIRST + 9 * DAY)).run_due()
    with sqlite_store.reading() as connection:
        kept = connection.execute(select(windows.c.notes).order_by(windows.c.window_start))
        kept = [notes for notes in kept.scalars() if notes]
    told = sqlite_store.report().notes
    assert any("rows are taken as independent" in note for note in kept[0])
    assert list(told) == kept[-1]
    assert len([note for note in told if "natural variation" in note]) == 1


def test_longer_looks_reach_back_into_the_store(tmp_path):
    folder = tmp_path / "rows"
    for number in range(5):
        write_day(folder, number)
    source = FileSource(f"{folder}/*.parquet", "ts")
    plan = Plan(Grid(Every.parse("1d"), zone_of("UTC")), catchup="all", start=FIRST)
    tests = {}
    for looks_back in (False, True):
        with Store(f"sqlite:///{tmp_path}/{looks_back}.db") as store:
            store.migrate()
            judge = WindowJudge(
                source, {"points": POINTS}, {"points": baseline()}, "1d",
                history=store.history if looks_back else None,
            )  # fmt: skip
            make_runner(store, folder, Clock(FIRST + 5 * DAY), judge=judge, plan=plan).run_due()
            tests[looks_back] = [w.judgement.pooled_test for w in store.report().windows]
    assert tests[False] == [None] * 5
    assert tests[True][0] is None  # there was nothing before it
    assert tests[True][-1].n_rows == 60 * tests[True][-1].n_windows > 60


def test_windows_that_somebody_calls_harmless_are_made_nothing_of(tmp_path):
    folder = tmp_path / "rows"
    for number in range(3):
        write_day(folder, number)
    source = FileSource(f"{folder}/*.parquet", "ts")
    plan = Plan(Grid(Every.parse("1d"), zone_of("UTC")), catchup="all", start=FIRST)
    pooled = {}
    for mark in (Mark.REAL, Mark.HARMLESS):
        with Store(f"sqlite:///{tmp_path}/{mark.name}.db") as store:
            store.migrate()
            judge = WindowJudge(
                source, {"points": POINTS}, {"points": baseline()}, "1d", history=store.history
            )
            make_runner(store, folder, Clock(FIRST + 2 * DAY), judge=judge, plan=plan).run_due()
            act = Act(
                ActKind.MARK, "points", "ann", FIRST, FIRST, FIRST + 2 * DAY, mark=mark
            )  # fmt: skip
            with store.writing() as connection:
                acts.add(connection, act)
            make_runner(store, folder, Clock(FIRST + 3 * DAY), judge=judge, plan=plan).run_due()
            pooled[mark] = store.report().windows[-1].judgement.pooled_test
    assert pooled[Mark.REAL].n_windows == 2
    assert pooled[Mark.HARMLESS] is None  # there is nothing left before it


def test_features_do_not_hold_each_other_up(sqlite_store, tmp_path):
    write_day(tmp_path / "rows", -1)
    clock = Clock(FIRST)
    runner = make_runner(sqlite_store, tmp_path / "rows", clock)

    def judge(feature, window):
        if feature == "other":
            raise StoreErrorLike("no")
        return runner.judge(feature, window)

    class StoreErrorLike(Exception):
        pass

    both = Runner(
        sqlite_store, runner.plan, "1d", ["other", "points"], judge, runner.rows_seen, clock=clock
    )
    done = both.run_due()
    assert [f.feature for f in done.failed] == ["other"]
    assert [claim.feature for claim, _ in done.judged] == ["points"]


def test_a_store_that_does_not_answer_ends_the_pass(sqlite_store, tmp_path):
    write_day(tmp_path / "rows", -1)

    def queue_nothing(*_):
        raise StoreError("gone")

    runner = make_runner(sqlite_store, tmp_path / "rows", Clock(FIRST), queue_alerts=queue_nothing)
    with pytest.raises(StoreError, match="gone"):
        runner.run_due()
    assert sqlite_store.recent("points") == []


def test_a_day_that_cannot_be_judged_holds_up_no_other(sqlite_store, tmp_path):
    """One poisoned day among twelve, one pass a day: the others are judged on time."""
    for number in range(12):
        write_day(tmp_path / "rows", number)
    clock = Clock(FIRST)
    real = make_runner(sqlite_store, tmp_path / "rows", clock)

    def judge(feature, window):
        if window.start == FIRST + 2 * DAY:
            raise ValueError("the file of this day is broken")
        return real.judge(feature, window)

    runner = make_runner(
        sqlite_store, tmp_path / "rows", clock, judge=judge,
        plan=Plan(Grid(Every.parse("1d"), zone_of("UTC")), catchup="all", start=FIRST),
    )  # fmt: skip
    for number in range(12):
        clock.now = FIRST + (number + 1) * DAY + 2 * HOUR
        done = runner.run_due()
        judged = [(claim.period.start - FIRST).days for claim, _ in done.judged]
        assert judged == ([] if number == 2 else [number])
        named = [(failed.period.start - FIRST).days for failed in done.failed]
        assert named == ([2] if 2 <= number < 7 else [])  # five attempts, a day apart
    assert sqlite_store.status()["windows"] == {"due": 0, "done": 11, "failed": 1}


def test_a_source_that_is_away_for_a_night_costs_no_window(sqlite_store, tmp_path):
    for number in range(10):
        write_day(tmp_path / "rows", number)
    clock, is_away = Clock(FIRST + 10 * DAY), True
    real = make_runner(sqlite_store, tmp_path / "rows", clock)

    def judge(feature, window):
        if is_away:
            raise ConnectionError("no route to the database")
        return real.judge(feature, window)

    plan = Plan(Grid(Every.parse("1d"), zone_of("UTC")), catchup="all", start=FIRST)
    runner = make_runner(sqlite_store, tmp_path / "rows", clock, judge=judge, plan=plan)
    for _ in range(4 * 12):
        assert len(runner.run_due().failed) <= 3  # not each of ten windows, each pass
        clock.now += dt.timedelta(minutes=15)
    is_away = False
    judged = runner.run_due().judged
    clock.now += HOUR
    judged += runner.run_due().judged
    assert len(judged) == 10
    assert sqlite_store.status()["windows"]["failed"] == 0


def test_rows_that_are_late_are_waited_for(store, tmp_path):
    folder, clock = tmp_path / "rows", Clock(FIRST + DAY)
    write_day(folder, 5)
    plan = Plan(Grid(Every.parse("1d"), zone_of("UTC")), start=FIRST)
    runner = make_runner(store, folder, clock, plan=plan, queue_alerts=queue_alert)
    done = runner.run_due()
    assert (done.judged, done.failed, len(done.waiting)) == ([], [], 1)
    clock.now += 5 * HOUR
    write_day(folder, 0)
    ((claim, _),) = runner.run_due().judged
    assert (claim.attempt, store.recent("points")[0].n_rows) == (1, 60)


def test_an_outage_is_told_and_judged_again_when_its_rows_come(store, tmp_path):
    folder, clock = tmp_path / "rows", Clock(FIRST + DAY)
    write_day(folder, 5)
    plan = Plan(Grid(Every.parse("1d"), zone_of("UTC")), start=FIRST)
    runner = make_runner(store, folder, clock, plan=plan)
    runner.run_due()
    clock.now += 6 * HOUR
    ((_, judged),) = runner.run_due().judged
    (window,) = judged.report.windows
    assert (window.n_rows, window.is_closed) == (0, False)
    assert window.judgement.reason == "no rows at all: nothing arrived for this window"
    clock.now += 2 * HOUR
    write_day(folder, 0)
    ((claim, _),) = runner.run_due().judged
    assert (claim.revision, store.recent("points")[0].n_rows) == (2, 60)
