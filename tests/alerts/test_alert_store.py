"""What the store promises to alerts."""

import datetime as dt
import threading
from dataclasses import replace

import pytest

from monitor.alerts import AlertsConfig, AlertState, Event, Severity
from monitor.alerts.alert import AlertCounts
from monitor.schedule.alerting import alert_on
from monitor.store.alerts import Alerts
from tests.alerts.samples import DRIFTED, NOW, QUIET, alert, day, days, entry, message, window
from tests.reports import samples

LEASE = dt.timedelta(minutes=5)


def test_an_alert_goes_round(store):
    saved = replace(alert(), segment="a\x1b\ud7ff")
    store.save_alert(saved, [entry()])
    assert store.alerts() == [saved]
    (queued,) = store.entries()
    assert (queued.entry, queued.attempts, queued.state) == (entry(), 0, "pending")
    assert (queued.next_attempt_at, queued.delivered_at) == (NOW, None)


def test_saving_again_adds_nothing(store):
    for _ in range(3):
        store.save_alert(alert(), [entry("a"), entry("b", "mail")])
    assert len(store.alerts()) == 1
    assert [one.entry.dedup_key for one in store.entries()] == ["a", "b"]


def test_a_later_state_replaces_the_earlier(store):
    store.save_alert(alert(end=1), [])
    store.save_alert(replace(alert(end=4, severity=Severity.CRITICAL), message=None), [])
    (found,) = store.alerts()
    assert (found.window_end, found.severity, found.message) == (
        day(4),
        Severity.CRITICAL,
        message("first"),
    )


def test_a_worker_that_is_behind_takes_nothing_back(store):
    store.save_alert(alert(end=4, severity=Severity.CRITICAL, open_=False), [])
    store.save_alert(alert(end=2), [])
    (found,) = store.alerts()
    assert (found.window_end, found.severity, found.state, found.resolved_at) == (
        day(4),
        Severity.CRITICAL,
        AlertState.RESOLVED,
        NOW,
    )


def test_which_alerts_are_read(store):
    open_, old, late = alert(0, 1), alert(2, 3, open_=False), alert(5, 8, open_=False)
    for one in (open_, old, late):
        store.save_alert(one, [])
    assert store.alerts(since=day(4)) == [open_, late]
    assert store.alerts(since=day(8)) == [open_, late]
    assert store.alerts(since=day(9)) == [open_]


def test_claims_are_leases(store):
    store.save_alert(alert(), [entry("a"), entry("b")])
    assert store.claim(NOW - dt.timedelta(seconds=1), LEASE) is None
    first, second = store.claim(NOW, LEASE), store.claim(NOW, LEASE)
    assert [first.entry.dedup_key, second.entry.dedup_key] == ["a", "b"]
    assert store.claim(NOW, LEASE) is None
    # Nobody said what became of it: another worker takes it over.
    again = store.claim(NOW + LEASE, LEASE)
    assert (again.entry.dedup_key, again.attempts) == ("a", 2)
    # The first one is late, and may not hold the second one's attempt back.
    store.mark_failed(first, "late", None)
    assert [one.state for one in store.entries()] == ["pending", "pending"]
    store.mark_failed(again, "refused", NOW + LEASE * 3)
    found = store.entries()[0]
    assert (found.last_error, found.next_attempt_at) == ("refused", NOW + LEASE * 3)


def test_delivered_is_final(store):
    store.save_alert(alert(), [entry()])
    first = store.claim(NOW, LEASE)
    second = store.claim(NOW + LEASE, LEASE)
    store.mark_delivered(first, NOW + LEASE)
    store.mark_failed(second, "refused", NOW)
    (found,) = store.entries()
    assert (found.state, found.last_error, found.delivered_at) == ("delivered", None, NOW + LEASE)
    assert store.claim(NOW + LEASE * 9, LEASE) is None
    assert store.revive(NOW) == 0


def test_dead_and_alive_again(store):
    store.save_alert(alert(), [entry("a"), entry("b")])
    store.mark_failed(store.claim(NOW, LEASE), "refused", None)
    assert [one.state for one in store.entries()] == ["dead", "pending"]
    assert store.counts() == AlertCounts({Severity.WARNING: 1, Severity.CRITICAL: 0}, 1, 1)
    assert store.claim(NOW + LEASE * 99, LEASE).entry.dedup_key == "b"
    assert store.revive(NOW) == 1
    assert [one.state for one in store.entries()] == ["pending", "pending"]
    assert store.claim(NOW, LEASE).attempts == 1


def test_four_workers_claim_each_entry_once(database):
    Alerts(database).save_alert(alert(), [entry(str(i)) for i in range(40)])
    claimed, errors = [], []

    def work():
        try:
            while (found := Alerts(database).claim(NOW, LEASE)) is not None:
                claimed.append(found.entry.dedup_key)
        except Exception as error:
            errors.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert errors == []
    assert sorted(claimed, key=int) == [str(i) for i in range(40)]


def test_nothing_is_kept_of_a_transaction_that_fails(database):
    def fail_half_way():
        with database.writing() as connection:
            Alerts(connection).save_alert(alert(), [entry()])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert (Alerts(database).alerts(), Alerts(database).entries()) == ([], [])


CONFIG = AlertsConfig(channels=[{"name": "hook", "url": "json://127.0.0.1"}])


def report_of(*windows):
    return replace(samples.quiet_report(), windows=windows)


def test_alerts_are_raised_where_the_result_is_saved(database):
    for kind in (QUIET, DRIFTED):
        with database.writing() as connection:
            alert_on(connection, CONFIG, report_of(window(kind, int(kind == DRIFTED))), NOW)
    (raised,) = Alerts(database).alerts()
    assert (raised.window_start, raised.rule) == (day(1), "drift")
    (queued,) = Alerts(database).entries()
    assert queued.entry.message == raised.message
    assert queued.entry.channel == "hook"


def test_a_window_that_is_judged_twice_alerts_once(database):
    for _ in range(2):
        for one in days("qdd"):
            with database.writing() as connection:
                alert_on(connection, CONFIG, report_of(one), NOW)
    assert len(Alerts(database).entries()) == 1


def test_severity_and_events_choose_the_channel(database):
    config = AlertsConfig(
        channels=[
            {"name": "all", "url": "json://127.0.0.1"},
            {"name": "no ends", "url": "json://127.0.0.1", "resolved": False},
            {"name": "pager", "url": "json://127.0.0.1", "severity": "critical"},
        ],
        rules=[{"name": "f", "metric": "failure_rate", "warning": 0.1, "critical": 0.5,
                "resolve_after": 1}],
    )  # fmt: skip
    events = []
    for at, n_failed in enumerate((100, 900, 100, 0)):
        with database.writing() as connection:
            one = report_of(window(QUIET, at, n_failed=n_failed))
            events += [action.event for action in alert_on(connection, config, one, NOW)]
    assert events == [Event.OPENED, Event.ESCALATED, Event.CONTINUED, Event.RESOLVED]
    sent = [(one.entry.channel, str(one.entry.message.kind)) for one in Alerts(database).entries()]
    assert sent == [
        ("all", "warning"),
        ("no ends", "warning"),
        ("all", "critical"),
        ("no ends", "critical"),
        ("pager", "critical"),
        ("all", "resolved"),
        ("pager", "resolved"),
    ]
