"""A window that was just saved ─► alerts and messages, in the same transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from monitor.alerts import Action, Alert, AlertsConfig, raise_alerts
from monitor.alerts.history import MOST_SILENT
from monitor.reports import DriftReport, WindowDrift
from monitor.store import queries
from monitor.store.alerts import Alerts
from monitor.store.rows import lock_feature
from monitor.windows import zone_of

if TYPE_CHECKING:
    from sqlalchemy import Connection


def alert_on(
    connection: Connection, config: AlertsConfig, report: DriftReport, now: dt.datetime
) -> tuple[Action, ...]:
    """Evaluate the rules on a window that was just saved, in the transaction that saves it.

    So its result and its alerts are kept together, or neither is.

    Parameters
    ----------
    connection
        Of that transaction.
    config
        Rules and channels.
    report
        One feature's windows and their segments.
    now
        The time, UTC.
    """
    if not report.windows:
        return ()
    for summary in report.features:
        # Two workers that open an alert at once must see each other's; SQLite lets one write at a time.
        lock_feature(connection, summary.name)
    alerts = Alerts(connection)
    earlier = _earlier(connection, config, report, alerts.alerts(since=now))
    zone = zone_of(report.timezone)
    return raise_alerts(alerts, config, report.windows, now, earlier=earlier, zone=zone)


def _earlier(
    connection: Connection, config: AlertsConfig, report: DriftReport, known: Sequence[Alert]
) -> tuple[WindowDrift, ...]:
    """The windows that calm ones are counted from, and those that rules compare with."""
    timed = [(window.start, window.end) for window in report.windows if window.start and window.end]
    first, length = min(start for start, _ in timed), max(end - start for start, end in timed)
    names = [summary.name for summary in report.features]
    # An alert that nothing ends must not make each pass read all that is stored.
    longest = max(MOST_SILENT, *(2 * rule.resolve_after for rule in config.rules), 0) * length
    ends = [
        max(alert.window_end, first - longest)
        for alert in known
        if alert.is_open and alert.feature in names
    ]
    days = max((rule.days_before or 0 for rule in config.rules), default=0)
    if days:
        # Days may be an hour longer where clocks change.
        ends.append(first - dt.timedelta(days=days, hours=2))
    if not ends or min(ends) >= first:
        return ()
    return queries.report(connection, names, min(ends), first).windows
