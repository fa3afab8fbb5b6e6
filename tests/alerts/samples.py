"""Windows of chosen verdicts, taken from real judgements."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache

import numpy as np

from monitor.alerts import Alert, AlertState, Message, OutboxEntry, Severity
from monitor.alerts.alert import MessageKind, alert_key
from monitor.reports import WindowDrift
from tests.reports import samples

FIRST_DAY = samples.FIRST_DAY
NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
QUIET, DRIFTED, UNKNOWN, EMPTY = "q", "d", "?", "0"


@cache
def judged(kind: str) -> WindowDrift:
    """A window of 300 rows, of 12 or of none."""
    rng = np.random.default_rng(7)
    baseline = samples.fitted()
    rows = {
        QUIET: lambda: samples.rows(300, rng),
        DRIFTED: lambda: samples.rows(300, rng, shares=(0.1, 0.3, 0.6)),
        UNKNOWN: lambda: samples.rows(12, rng),
        EMPTY: lambda: samples.rows(0, rng),
    }
    return samples.window(baseline, 0, rows[kind]())


def window(
    kind: str,
    day: int = 0,
    *,
    segment: str | None = None,
    feature: str = "photos",
    n_failed: int = 0,
    repeated: float = 0.0,
) -> WindowDrift:
    """Such a window on a day."""
    start = FIRST_DAY + dt.timedelta(days=day)
    return replace(
        judged(kind),
        feature=feature,
        segment=segment,
        start=start,
        end=start + dt.timedelta(days=1),
        failures={"http_404": n_failed} if n_failed else {},
        most_repeated=repeated,
    )


def days(kinds: str, segment: str | None = None) -> list[WindowDrift]:
    """One window a day, a letter each."""
    return [window(kind, day, segment=segment) for day, kind in enumerate(kinds)]


def day(n: int) -> dt.datetime:
    return FIRST_DAY + dt.timedelta(days=n)


def alert(
    first: int = 0, end: int = 1, *, severity: Severity = Severity.WARNING, open_: bool = True
) -> Alert:
    """An alert from day `first` up to day `end`."""
    return Alert(
        alert_key("photos", "drift", None, day(first)),
        "photos",
        "drift",
        None,
        severity,
        day(first),
        day(end),
        AlertState.OPEN if open_ else AlertState.RESOLVED,
        NOW,
        None if open_ else NOW,
        message("first"),
    )


def message(title: str = "a title") -> Message:
    return Message(title, f"{title}, in words", f"**{title}**", MessageKind.WARNING)


def entry(key: str = "k", channel: str = "hook", title: str = "a title") -> OutboxEntry:
    return OutboxEntry(key, channel, message(title))
