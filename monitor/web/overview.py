"""Features at a glance: what state each is in, and which needs somebody first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from monitor.alerts import Alert, Severity
from monitor.store import acts, lines, series
from monitor.store.acts import Act
from monitor.store.alerts import Alerts
from monitor.store.lines import FeatureLine, WindowLine
from monitor.web.episodes import EpisodeLine, episodes_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

N_LINES: Final = 60
"""Windows in a feature's line of the overview: two months of days."""
_LATE: Final = 3
"""A feature is late when its newest window ended so many windows ago, unless more are due by then anyway."""


class State(StrEnum):
    """What a feature is doing, the most urgent first."""

    BROKEN = "broken feed"
    DRIFT = "drift"
    STUCK = "not judged"
    UNSURE = "inconclusive"
    CALM = "calm"
    NEW = "no window yet"
    RETIRED = "not monitored"

    @property
    def rank(self) -> int:
        """0 for what needs somebody first."""
        return list(State).index(self)


@dataclass(frozen=True)
class OpenAlert:
    """An alert that goes on, and who has seen it."""

    alert: Alert
    acknowledged: Act | None

    @property
    def rank(self) -> tuple[bool, int, float]:
        """Sorts what nobody has seen first, then the worst, then the newest."""
        newest = -self.alert.window_end.timestamp()
        return self.acknowledged is not None, -self.alert.severity.rank, newest


@dataclass(frozen=True)
class FeatureCard:
    """One feature in the overview.

    Parameters
    ----------
    feature
        Which.
    state
        What it is doing.
    because
        Why, in a few words.
    lines
        Its last windows, oldest first.
    alerts
        What goes on.
    next_end
        When its next window ends; None where that is not known.
    n_due, n_failed
        Windows that wait to be judged, and that were given up.
    episode
        The shift that goes on; None without one.
    """

    feature: FeatureLine
    state: State
    because: str
    lines: tuple[WindowLine, ...]
    alerts: tuple[OpenAlert, ...]
    next_end: dt.datetime | None
    n_due: int
    n_failed: int
    episode: EpisodeLine | None = None

    @property
    def needs_somebody(self) -> bool:
        """Whether there is something that nobody has said to have seen."""
        unseen = any(alert.acknowledged is None for alert in self.alerts)
        return unseen or self.state is State.STUCK

    @property
    def last(self) -> WindowLine | None:
        """Its newest window."""
        return self.lines[-1] if self.lines else None


def open_alerts(connection: Connection) -> list[OpenAlert]:
    """All alerts that go on: what nobody has seen first, then the worst."""
    acknowledged = acts.acknowledged(connection)
    far = dt.datetime.max.replace(tzinfo=dt.UTC)
    alerts = [alert for alert in Alerts(connection).alerts(since=far) if alert.is_open]
    open_now = [OpenAlert(alert, acknowledged.get(alert.dedup_key)) for alert in alerts]
    return sorted(open_now, key=lambda alert: alert.rank)


def overview(connection: Connection, now: dt.datetime) -> list[FeatureCard]:
    """Every monitored feature, what needs somebody first; those that are monitored no more come last."""
    alerts = open_alerts(connection)
    backlog = series.backlog(connection)
    cards = [
        _card(
            connection,
            feature,
            [alert for alert in alerts if alert.alert.feature == feature.name],
            backlog.get(feature.name, {}),
            now,
        )
        for feature in lines.known_features(connection)
    ]
    return sorted(cards, key=lambda card: (not card.needs_somebody, card.state.rank))


def _card(
    connection: Connection,
    feature: FeatureLine,
    alerts: Sequence[OpenAlert],
    backlog: dict[str, int],
    now: dt.datetime,
) -> FeatureCard:
    shown = lines.recent(connection, feature.id, N_LINES)
    n_due, n_failed = backlog.get("due", 0), backlog.get("failed", 0)
    state, because = _state(feature, shown, alerts, n_failed)
    marks = acts.of(connection, feature.name, shown[0].start, shown[-1].end) if shown else []
    episodes = episodes_of(shown, marks)
    open_episode = episodes[-1] if episodes and episodes[-1].goes_on else None
    next_end = None
    if feature.grid is not None and feature.is_monitored:
        next_end = feature.grid.around(now).end
        if n_due:
            next_end = now
    return FeatureCard(
        feature, state, because, tuple(shown), tuple(alerts), next_end, n_due, n_failed,
        open_episode,
    )  # fmt: skip


def _state(
    feature: FeatureLine, shown: Sequence[WindowLine], alerts: Sequence[OpenAlert], n_failed: int
) -> tuple[State, str]:
    if not feature.is_monitored:
        return State.RETIRED, "the config does not have it any more"
    if any(alert.alert.severity is Severity.CRITICAL for alert in alerts):
        return State.BROKEN, "a critical alert is open"
    if not shown:
        return (State.STUCK, "no window could be judged") if n_failed else (State.NEW, "")
    last = shown[-1]
    if "broken feed" in last.kinds:
        return State.BROKEN, "in the newest window"
    if last.verdict == "drift":
        return State.DRIFT, ", ".join(last.kinds)
    if n_failed:
        return State.STUCK, f"{n_failed:,} given up"
    if alerts:
        return State.DRIFT, "an alert is open"
    if last.verdict == "inconclusive":
        return State.UNSURE, "too few rows in the newest window"
    return State.CALM, ""
