"""The same laws for SQLite and PostgreSQL."""

import datetime as dt
import threading
from dataclasses import fields

import numpy as np
import pytest
from sqlalchemy import func, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError

from monitor.errors import LeaseLostError, MissingExtraError, StoreError
from monitor.reports import WindowDrift
from monitor.reports.json_report import part_to_json
from monitor.store import Store, leases, queries, results
from monitor.store.tables import alerts, metadata, outbox, windows
from tests.store.samples import DAY, DAYS, FIRST, baseline, day, judged

NOW = FIRST + 30 * DAY
LEASE = dt.timedelta(minutes=10)


def add(store, *numbers, now=NOW):
    with store.writing() as connection:
        leases.add_due(connection, "points", [day(n) for n in numbers], DAYS, now)


def claim(store, *, owner="a", now=NOW, max_attempts=5):
    with store.writing() as connection:
        return leases.claim_next(
            connection, ["points"], owner=owner, now=now, lease=LEASE, max_attempts=max_attempts
        )


def save(store, one, *, look_until=None, **kwargs):
    found = judged(one.period, **kwargs)
    with store.writing() as connection:
        results.save(connection, one, found, NOW, look_until)
    return found


def states(store):
    with store.reading() as connection:
        rows = connection.execute(
            select(windows.c.window_start, windows.c.revision, windows.c.state).order_by(
                windows.c.window_start, windows.c.revision
            )
        )
        return [((row[0] - FIRST).days, row[1], row[2]) for row in rows]


def test_migrated_tables_are_those_of_the_program(database_url):
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with Store(database_url) as store:
        assert store.status()["version"] is None
        assert store.migrate() == (None, "0003")
        assert store.migrate() == ("0003", "0003")
        with store.reading() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
            assert set(metadata.tables) <= set(inspect(connection).get_table_names())


def test_several_may_migrate_at_once(database_url):
    errors = []

    def migrate():
        try:
            with Store(database_url) as one:
                one.migrate()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with Store(database_url) as store:
        store.check()


def test_a_store_that_is_not_migrated_is_refused(database_url):
    with Store(database_url) as store, pytest.raises(StoreError, match="run `monitor store migr"):
        store.check()


def test_a_store_of_a_newer_program_is_refused(store):
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"'?9999'?.*upgrade monitor"):
        store.check()
    with pytest.raises(StoreError, match="upgrade monitor"):
        store.migrate()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://a@b/c", "'mysql' is not known"),
        ("sqlite://", "names no file"),
        ("sqlite://monitor.db", "with three slashes"),
        ("sqlite://me:secret@/monitor.db", "with three slashes"),
        ("postgresql://me:secret@host:no/d", "cannot be read"),
        ("what", "cannot be read"),
    ],
)
def test_other_urls_are_refused(url, message):
    with pytest.raises(StoreError, match=message):
        Store(url)


def test_a_password_is_not_shown():
    with Store("postgresql://me:secret@localhost:1/db") as store:
        assert "secret" not in store.url
        with pytest.raises(StoreError) as error:
            store.check()
        assert "secret" not in str(error.value)


def test_a_missing_driver_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"embedding-monitor\[postgresql\]"):
        Store("postgresql://localhost/db")


def test_a_result_comes_back_as_it_was(store):
    add(store, 0)
    one = claim(store)
    found = save(store, one, shift=0.6)
    report = store.report("points", FIRST, FIRST + DAY)
    assert part_to_json(report) == part_to_json(found.report)
    assert report.has_drift
    again = store.baseline("points", baseline().id)
    assert again.id == baseline().id
    (past,) = store.history("points", baseline().id, NOW, 10)
    window, sketch = past.window, past.window.sketch
    assert not past.is_harmless
    assert window.start == FIRST
    assert window.is_drift
    assert window.ended is None
    assert store.history("points", baseline().id, FIRST, 10) == []
    assert store.history("points", "another", NOW, 10) == []
    assert sketch.histogram.counts.tolist() == found.sketch.histogram.counts.tolist()
    assert dict(sketch.histogram.failures) == {"missing": 2}
    for field in fields(sketch):
        if field.name != "histogram":
            kept, given = getattr(sketch, field.name), getattr(found.sketch, field.name)
            assert type(kept) is type(given)
            np.testing.assert_array_equal(kept, given)
    (line,) = store.recent("points")
    drift: WindowDrift = found.report.windows[0]
    assert (line.verdict, line.p_value) == ("drift", drift.judgement.p_value)
    assert (line.n_rows, line.n_failed) == (42, 2)


def test_a_report_of_many_windows_is_the_report_of_a_range(store):
    add(store, *range(5))
    while (one := claim(store)) is not None:
        save(store, one, seed=one.period.start.day)
    report = store.report("points", FIRST + DAY, FIRST + 4 * DAY)
    overall = [w.start for w in report.windows if w.segment is None]
    assert overall == [FIRST + DAY, FIRST + 2 * DAY, FIRST + 3 * DAY]
    assert [w.segment for w in report.windows] == [None] * 3 + ["de", "fr"] * 3
    assert (report.every, report.segment_column) == ("1d", "country")
    assert [line.period.start for line in store.recent("points", 2)] == [day(4).start, day(3).start]
    with pytest.raises(StoreError, match="no result of other"):
        store.report("other")


def test_windows_are_claimed_in_order_and_one_at_a_time(store):
    add(store, 2, 0, 1)
    add(store, 1, 2)  # again: nothing new
    first = claim(store)
    assert (first.period, first.token, first.attempt) == (day(0), 1, 1)
    assert claim(store, owner="b") is None
    save(store, first)
    assert claim(store, owner="b").period == day(1)


def test_a_late_write_is_refused(store):
    add(store, 0)
    stalled = claim(store)
    later = NOW + LEASE
    other = claim(store, owner="b", now=later)
    assert (other.token, other.attempt) == (2, 2)
    with pytest.raises(LeaseLostError, match=r"token 2, ours was 1"):
        save(store, stalled)
    with pytest.raises(LeaseLostError), store.writing() as connection:
        leases.renew(connection, stalled, later)
    with store.reading() as connection:
        assert queries.recent(connection, "points", 9) == []
    save(store, other)
    with pytest.raises(LeaseLostError):
        save(store, other)
    assert len(store.recent("points")) == 1


def test_a_renewed_lease_is_not_taken_over(store):
    add(store, 0)
    one = claim(store)
    with store.writing() as connection:
        leases.renew(connection, one, NOW + 3 * LEASE)
    assert claim(store, owner="b", now=NOW + LEASE) is None
    assert claim(store, owner="b", now=NOW + 3 * LEASE).token == 2


def test_a_window_is_given_up_at_last(store):
    add(store, 0, 1)
    for attempt in (1, 2):
        one = claim(store, max_attempts=2)
        assert one.attempt == attempt
        with store.writing() as connection:
            leases.give_back(connection, one, "ValueError: no", NOW if attempt == 1 else None)
    assert claim(store, max_attempts=2).period == day(1)
    assert states(store) == [(0, 1, "failed"), (1, 1, "due")]
    with store.writing() as connection:
        assert leases.retry_failed(connection, ["points"]) == 1
    assert states(store)[0] == (0, 1, "due")


def test_a_window_whose_workers_die_is_given_up_too(store):
    add(store, 0)
    for attempt in range(3):
        assert claim(store, now=NOW + attempt * LEASE, max_attempts=3) is not None
    assert claim(store, now=NOW + 3 * LEASE, max_attempts=3) is None
    assert states(store) == [(0, 1, "failed")]


def test_a_failed_window_waits_before_it_is_tried_again(store):
    add(store, 0)
    one = claim(store)
    with store.writing() as connection:
        leases.give_back(connection, one, "no", NOW + LEASE)
    assert claim(store) is None
    assert claim(store, now=NOW + LEASE).attempt == 2


def test_a_revision_takes_the_place_of_the_one_before(store):
    add(store, 0)
    save(store, claim(store), look_until=NOW + DAY)
    with store.reading() as connection:
        (row,) = leases.looked_after(connection, ["points"])
    for _ in range(2):  # two schedulers may see the late rows
        with store.writing() as connection:
            leases.add_revision(connection, row.id, NOW)
    second = claim(store)
    assert second.revision == 2
    assert [line.revision for line in store.recent("points")] == [1]
    save(store, second, shift=0.6)
    assert [line.revision for line in store.recent("points")] == [2]
    with store.reading() as connection:
        kept = queries.revisions(connection, "points", FIRST)
        assert leases.looked_after(connection, ["points"]) == []
    assert [(line.revision, line.verdict) for line in kept] == [(1, "no drift"), (2, "drift")]
    assert store.report("points").has_drift


def test_two_current_results_of_one_window_cannot_be(store):
    add(store, 0)
    save(store, claim(store))
    with store.reading() as connection:
        row = connection.execute(select(windows)).mappings().one()
    copy = {k: v for k, v in row.items() if k != "id"} | {"revision": 2}
    with pytest.raises(StoreError, match=r"(?i)unique"), store.writing() as connection:
        connection.execute(insert(windows).values(**copy))


def test_what_is_queued_beside_a_result_is_kept_with_it_or_not_at_all(store):
    add(store, 0)
    one = claim(store)

    def save_and_fail():
        with store.writing() as connection:
            results.save(connection, one, judged(one.period), NOW)
            _alert(connection, "k")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        save_and_fail()
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(alerts)).scalar_one() == 0
    assert store.recent("points") == []


def test_an_alert_has_one_key(store):
    with store.writing() as connection:
        _alert(connection, "k")
    with pytest.raises(StoreError, match=r"(?i)unique") as error, store.writing() as connection:
        _alert(connection, "k")
    assert isinstance(error.value.__cause__, IntegrityError)


def test_an_orphan_is_refused(store):
    orphan = {"alert_id": 77, "channel": "mail", "payload": {}, "dedup_key": "d"}
    with pytest.raises(StoreError, match=r"(?i)foreign key"), store.writing() as connection:
        connection.execute(insert(outbox).values(**orphan))


def test_an_instant_without_a_zone_is_refused(store):
    with pytest.raises(Exception, match="no zone"):
        add(store, 0, now=dt.datetime(2026, 1, 1))  # noqa: DTZ001


def test_status(store):
    add(store, 0, 1)
    save(store, claim(store))
    status = store.status()
    assert status["windows"] == {"due": 1, "done": 1, "failed": 0}
    assert (status["features"], status["alerts"], status["undelivered"]) == (["points"], 0, 0)


def test_a_writer_does_not_wait_for_a_reader_nor_a_reader_for_a_writer(store):
    add(store, 0)
    with store.writing() as writer:
        leases.add_due(writer, "points", [day(1)], DAYS, NOW)
        with store.reading() as reader:
            assert reader.execute(select(func.count()).select_from(windows)).scalar_one() == 1


def test_four_writers_do_not_lock_each_other_out(store, store_url):
    """Each reads first and writes then, which is what fails without BEGIN IMMEDIATE."""
    add(store, 0)
    errors, n_each = [], 60

    def count_up():
        try:
            with Store(store_url) as own:
                for _ in range(n_each):
                    with own.writing() as connection:
                        before = connection.execute(
                            select(windows.c.token).with_for_update()
                        ).scalar_one()
                        connection.execute(update(windows).values(token=before + 1))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with store.reading() as connection:
        assert connection.execute(select(windows.c.token)).scalar_one() == 4 * n_each


def _alert(connection, key):
    connection.execute(
        insert(alerts).values(
            feature="points", window_start=FIRST, window_end=FIRST + DAY, rule="verdict",
            severity="warning", state="open", dedup_key=key, message={}, created_at=NOW,
        )
    )  # fmt: skip


def test_a_window_that_failed_holds_up_no_other(store):
    add(store, 0, 1)
    one = claim(store)
    with store.writing() as connection:
        leases.give_back(connection, one, "no", NOW + LEASE)
    two = claim(store)
    assert two.period == day(1)
    save(store, two)
    later = claim(store, now=NOW + LEASE)
    assert (later.period, later.attempt) == (day(0), 2)


def test_an_error_may_quote_what_no_database_takes(store):
    add(store, 0)
    one = claim(store)
    with store.writing() as connection:
        leases.give_back(connection, one, "the cell 'a\0b\ud83d' is no date", None)
    assert store.status()["windows"]["failed"] == 1


def test_a_window_that_is_put_off_has_lost_no_attempt(store):
    add(store, 0, 1)
    one = claim(store)
    with store.writing() as connection:
        leases.postpone(connection, one, "no rows yet", NOW + LEASE)
    assert claim(store).period == day(1)
    assert claim(store, now=NOW + LEASE).attempt == 1


def test_the_time_is_the_databases_in_utc(database_url, monkeypatch):
    monkeypatch.setenv("PGTZ", "Asia/Kolkata")  # of the session
    with Store(database_url) as store:
        before, now, after = dt.datetime.now(dt.UTC), store.now(), dt.datetime.now(dt.UTC)
    assert now.utcoffset() == dt.timedelta()
    assert before - dt.timedelta(seconds=1) < now < after + dt.timedelta(seconds=1)
