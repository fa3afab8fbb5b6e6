"""Which windows raise, go on with, worsen or end an alert. Pure: no clock, no store.

An alert is an episode of one rule for one feature and segment. It opens with the first window that
breaks the rule, goes on with each further one, and ends after `resolve_after` calm windows in a row.
Windows that were evaluated before, late revisions among them, may be given again: what is inside a
known alert raises no second one.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from monitor.alerts.alert import Alert, AlertState, Event, alert_key
from monitor.alerts.history import MOST_SILENT, History, end_of, start_of
from monitor.alerts.reading import Reading
from monitor.alerts.rule import AlertRule, Severity
from monitor.reports import WindowDrift


@dataclass(frozen=True, eq=False)
class Action:
    """What is to be done about an alert.

    Parameters
    ----------
    event
        What happened.
    alert
        The alert as it is from now on.
    rule
        The rule; None when it is no longer in the config or looks elsewhere.
    window
        The window that did it; None when there is none: the rule is gone, or the segment has no rows.
    reading
        What the rule saw in it.
    segments
        Segments that broke the rule in the same window and do not alert by themselves.
    why
        Why the alert ends without a window, in words.
    """

    event: Event
    alert: Alert
    rule: AlertRule | None = None
    window: WindowDrift | None = None
    reading: Reading | None = None
    segments: tuple[str, ...] = ()
    why: str | None = None


def evaluate(
    rules: Sequence[AlertRule],
    windows: Iterable[WindowDrift],
    alerts: Iterable[Alert],
    now: dt.datetime,
    *,
    earlier: Iterable[WindowDrift] = (),
) -> tuple[Action, ...]:
    """What `windows` do to alerts, in the order of time.

    The same windows in one call or one by one, and again after a crash, give the same alerts.

    Parameters
    ----------
    rules
        All rules of the config; an open alert that none of them looks at is ended. So is that of a
        segment without rows in `MOST_SILENT` windows.
    windows
        Judged windows that may raise or end alerts, in any order.
    alerts
        The known alerts: all open ones, and ended ones whose time `windows` may touch.
    now
        The time, UTC. A window that is judged late still dates its alert by its own end.
    earlier
        Windows before these, of which the newest `resolve_after` and those `days_before` are needed;
        they raise nothing.

    Raises
    ------
    InvalidInputError
        If a window has no times: then nothing could tell it from the next one.

    Examples
    --------
    >>> evaluate([AlertRule(name="drift")], [], [], dt.datetime(2026, 3, 6, tzinfo=dt.UTC))
    ()
    """
    history = History([*earlier], windows)
    known: dict[tuple[str, str, str | None], list[Alert]] = defaultdict(list)
    for alert in sorted(alerts, key=_in_time):
        known[alert.rule, alert.feature, alert.segment].append(alert)
    actions = [
        ended(alert, now, "no rule of the config looks at this any more")
        for alert in _orphans(rules, known.values())
    ]
    for rule in rules:
        for window in history.new:
            if not rule.looks_at(window.feature, window.segment):
                continue
            of_series = known[rule.name, window.feature, window.segment]
            action = _step(rule, window, of_series, history, now)
            if action is not None:
                _keep(of_series, action.alert)
                actions.append(action)
    for alert in [alert for of_series in known.values() for alert in of_series]:
        if alert.is_open and history.is_silent(alert):
            watching = [rule for rule in rules if _watches(rule, alert)]
            why = f"the segment had no rows for {MOST_SILENT} windows"
            actions += [ended(alert, now, why, rule) for rule in watching]
    return tuple(actions)


def _step(
    rule: AlertRule,
    window: WindowDrift,
    known: Sequence[Alert],
    history: History,
    now: dt.datetime,
) -> Action | None:
    reading = history.reading(rule, window)
    start, end = start_of(window), end_of(window)
    is_open = [alert for alert in known if alert.is_open]
    alert = is_open[-1] if is_open else None
    if reading.severity is None:
        if alert is None or not reading.is_calm:
            return None
        if history.n_calm(rule, window, alert.window_end) < rule.resolve_after:
            return None
        resolved = replace(alert, state=AlertState.RESOLVED, resolved_at=min(now, end))
        return Action(Event.RESOLVED, resolved, rule, window, reading)
    worst = reading.severity
    also = _broken_beside(rule, window, history)
    if alert is not None and end > alert.window_start:
        worse = worst.rank > alert.severity.rank
        if not worse and end <= alert.window_end:
            return None
        grown = replace(
            alert,
            window_end=max(alert.window_end, end),
            severity=worst if worse else alert.severity,
        )
        event = Event.ESCALATED if worse else Event.CONTINUED
        return Action(event, grown, rule, window, reading, also)
    pause = dt.timedelta(hours=rule.cool_down_hours)
    for other in known:
        if start < other.window_end + pause and end > other.window_start:
            return None
    if alert is not None or _is_told_by_all_rows(rule, window, worst, history):
        return None
    opened = Alert(
        dedup_key=alert_key(window.feature, rule.name, window.segment, start),
        feature=window.feature,
        rule=rule.name,
        segment=window.segment,
        severity=worst,
        window_start=start,
        window_end=end,
        state=AlertState.OPEN,
        created_at=min(now, end),
    )
    return Action(Event.OPENED, opened, rule, window, reading, also)


def _broken_beside(rule: AlertRule, window: WindowDrift, history: History) -> tuple[str, ...]:
    if window.segment is not None:
        return ()
    return tuple(
        sorted(
            beside.segment
            for beside in history.beside(window)
            if beside.segment is not None
            and rule.looks_at(beside.feature, beside.segment)
            and history.reading(rule, beside).severity is not None
        )
    )


def _is_told_by_all_rows(
    rule: AlertRule, window: WindowDrift, severity: Severity, history: History
) -> bool:
    """Whether the window of all rows breaks the rule as badly: one event is one alert."""
    if window.segment is None:
        return False
    for beside in history.beside(window):
        if beside.segment is None:
            of_all_rows = history.reading(rule, beside).severity
            return of_all_rows is not None and of_all_rows.rank >= severity.rank
    return False


def _watches(rule: AlertRule, alert: Alert) -> bool:
    return rule.name == alert.rule and rule.looks_at(alert.feature, alert.segment)


def _orphans(rules: Sequence[AlertRule], known: Iterable[list[Alert]]) -> list[Alert]:
    return [
        alert
        for alerts in known
        for alert in alerts
        if alert.is_open and not any(_watches(rule, alert) for rule in rules)
    ]


def ended(alert: Alert, now: dt.datetime, why: str, rule: AlertRule | None = None) -> Action:
    """The end of an alert that no window ends."""
    resolved = replace(alert, state=AlertState.RESOLVED, resolved_at=now)
    return Action(Event.RESOLVED, resolved, rule, why=why)


def _keep(known: list[Alert], alert: Alert) -> None:
    known[:] = [other for other in known if other.dedup_key != alert.dedup_key]
    known.append(alert)
    known.sort(key=_in_time)


def _in_time(alert: Alert) -> tuple[dt.datetime, dt.datetime]:
    return alert.window_start, alert.created_at
