"""Windows that are kept, alerted on and told to Prometheus, through one store."""

import datetime as dt
import threading
from dataclasses import replace

import numpy as np
import pytest

from monitor.alerts import AlertsConfig
from monitor.cli.metrics import read_gauges
from monitor.errors import LeaseLostError
from monitor.schedule.alerting import alert_on
from monitor.store import JudgedWindow, Store, leases, results
from monitor.store.alerts import Alerts
from monitor.windows import Window
from tests.alerts.samples import NOW, day, window
from tests.reports import samples
from tests.store.samples import DAYS

CONFIG = AlertsConfig(
    channels=[{"name": "hook", "url": "json://127.0.0.1"}],
    rules=[
        {"name": "drift"},
        {"name": "week", "metric": "failure_rate", "warning": 0.2, "days_before": 7},
    ],
)
LEASE = dt.timedelta(minutes=5)


def claim(store, at):
    """The window of day `at`, claimed for judging."""
    with store.writing() as connection:
        leases.add_due(connection, "photos", [Window(day(at), day(at + 1))], DAYS, NOW)
        return leases.claim_next(
            connection, ["photos"], owner="me", now=NOW, lease=LEASE, max_attempts=3
        )


def keep(store, claimed, windows):
    """Save what was found and alert on it, in one transaction, as the schedule does."""
    baseline = samples.fitted()
    report = replace(samples.quiet_report(), windows=tuple(windows))
    vectors = samples.rows(10, np.random.default_rng(0))
    judged = JudgedWindow(report, baseline, baseline.sketch(vectors, {}), "seen")
    with store.writing() as connection:
        results.save(connection, claimed, judged, NOW)
        alert_on(connection, CONFIG, report, NOW)


def play(store: Store, kinds: str, n_failed=(), segment=None) -> None:
    for at, kind in enumerate(kinds):
        windows = [window(kind, at, n_failed=n_failed[at] if n_failed else 0)]
        if segment is not None:
            windows.append(window("d", at, segment=segment))
        keep(store, claim(store, at), windows)


def test_a_timeline(database):
    play(database, "qddq?qqdq")
    found = [(a.window_start, a.window_end, a.is_open) for a in Alerts(database).alerts()]
    assert found == [(day(1), day(3), False), (day(7), day(8), True)]
    kinds = [str(one.entry.message.kind) for one in Alerts(database).entries()]
    assert kinds == ["warning", "resolved", "warning"]


def test_an_earlier_week_is_read_from_the_store(database):
    weekend = [100 if at % 7 == 6 else 0 for at in range(14)]
    play(database, "q" * 16, n_failed=[*weekend, 0, 200])
    (only,) = Alerts(database).alerts()
    assert (only.rule, only.window_start) == ("week", day(15))


def test_a_worker_that_lost_its_lease_queues_nothing(database):
    stalled = claim(database, 0)
    with database.writing() as connection:
        later = NOW + 2 * LEASE
        assert leases.claim_next(
            connection, ["photos"], owner="other", now=later, lease=LEASE, max_attempts=3
        )
    with pytest.raises(LeaseLostError):
        keep(database, stalled, [window("d")])
    assert (Alerts(database).alerts(), Alerts(database).entries()) == ([], [])


def test_a_worker_sees_the_alert_that_another_is_about_to_keep(database):
    with database.writing() as connection:
        due = [Window(day(at), day(at + 1)) for at in range(2)]
        leases.add_due(connection, "photos", due, DAYS, NOW)
    done = []

    def alert(at, meanwhile=lambda: None):
        report = replace(samples.quiet_report(), windows=(window("d", at),))
        with database.writing() as connection:
            actions = alert_on(connection, CONFIG, report, NOW)
            meanwhile()
        done.append([str(action.event) for action in actions])

    second = threading.Thread(target=alert, args=(1,))

    def start_second():
        second.start()
        # It cannot end before the first is kept; if it could, it would open an alert of its own.
        second.join(timeout=0.5)

    alert(0, start_second)
    second.join()
    assert done == [["opened"], ["continued"]]
    assert len(Alerts(database).alerts()) == len(Alerts(database).entries()) == 1


def test_metrics_of_what_is_stored(database):
    play(database, "qd", segment="Berlin")
    found = {gauge.name: gauge.samples for gauge in read_gauges(database)}
    assert found["monitor_window_rows"] == (
        ({"feature": "photos", "segment": ""}, 300.0),
        ({"feature": "photos", "segment": "Berlin"}, 300.0),
    )
    shares = [value for _, value in found["monitor_baseline_cluster_ratio"]]
    assert sum(shares) == pytest.approx(1)
    ends = {value for _, value in found["monitor_window_end_timestamp_seconds"]}
    assert ends == {day(2).timestamp()}
    # The segment's alert of the first day and that of all rows of the second.
    assert found["monitor_alerts_open"] == (
        ({"severity": "critical"}, 0.0),
        ({"severity": "warning"}, 2.0),
    )
    assert found["monitor_outbox_pending"] == (({}, 2.0),)
