"""Windows ─► alerts in the store, each with its messages in the outbox."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol
from zoneinfo import ZoneInfo

from monitor.alerts.alert import (
    Alert,
    AlertCounts,
    Event,
    Message,
    OutboxEntry,
    QueuedEntry,
    entry_key,
)
from monitor.alerts.message import compose
from monitor.alerts.rules import Action, ended, evaluate
from monitor.alerts.settings import AlertChannel, AlertsConfig
from monitor.reports import WindowDrift
from monitor.windows import UTC


class AlertStore(Protocol):
    """What alerts need of a store. Instants are aware and in UTC."""

    def alerts(self, *, since: dt.datetime | None = None) -> list[Alert]:
        """All open alerts, and those whose last window ended at or after `since`; all without it."""
        ...

    def save_alert(self, alert: Alert, entries: Sequence[OutboxEntry]) -> None:
        """Keep `alert` as it is now, and queue those `entries` that are not queued yet, both or none.

        An alert is known by its `dedup_key`. One that another worker has saved meanwhile keeps the
        later end, the worse severity and, once resolved, that state.
        """
        ...

    def claim(self, now: dt.datetime, lease: dt.timedelta) -> QueuedEntry | None:
        """The entry that has been due longest, held back from others for `lease`; None if none is.

        Its `attempts` has grown by one.
        """
        ...

    def mark_delivered(self, entry: QueuedEntry, now: dt.datetime) -> None:
        """The channel took `entry`."""
        ...

    def mark_failed(self, entry: QueuedEntry, error: str, retry_at: dt.datetime | None) -> None:
        """The channel did not; try again at `retry_at`, or never if that is None.

        Nothing happens if the lease has run out and another worker has claimed the entry since.
        """
        ...

    def entries(self) -> list[QueuedEntry]:
        """The whole outbox, oldest first."""
        ...

    def revive(self, now: dt.datetime) -> int:
        """Make all entries that were given up due again, and return how many."""
        ...

    def counts(self) -> AlertCounts:
        """How many alerts are open and how many messages are on their way or given up."""
        ...


def raise_alerts(
    store: AlertStore,
    config: AlertsConfig,
    windows: Iterable[WindowDrift],
    now: dt.datetime,
    *,
    earlier: Iterable[WindowDrift] = (),
    zone: ZoneInfo = UTC,
) -> tuple[Action, ...]:
    """Evaluate the rules on `windows`, and keep alerts and messages.

    Safe to repeat: after a crash give the same windows again, and nothing is queued twice.

    Parameters
    ----------
    store
        Keeps alerts and outbox.
    config
        Rules and channels.
    windows, earlier, now
        As for `evaluate`.
    zone
        Whose days messages name.

    Returns
    -------
    What was done.
    """
    judged = list(windows)
    if not judged:
        return ()
    starts = [window.start for window in judged if window.start is not None]
    # A cool-down reaches as far forward as its hours say.
    reach = dt.timedelta(hours=max((rule.cool_down_hours for rule in config.rules), default=0))
    since = min(starts) - reach if starts else None
    actions = evaluate(config.rules, judged, store.alerts(since=since), now, earlier=earlier)
    for action in actions:
        _keep(store, config, action, zone)
    return actions


def end_alerts(
    store: AlertStore, config: AlertsConfig, feature: str, why: str, now: dt.datetime
) -> tuple[Action, ...]:
    """End the open alerts of a feature that no window will end, and say why in words.

    Parameters
    ----------
    store, config
        As for `raise_alerts`.
    feature
        Its name.
    why
        Such as "the config has no such feature any more".
    now
        The time, UTC.
    """
    actions = tuple(
        ended(alert, now, why)
        for alert in store.alerts(since=now)
        if alert.is_open and alert.feature == feature
    )
    for action in actions:
        _keep(store, config, action, UTC)
    return actions


def _keep(store: AlertStore, config: AlertsConfig, action: Action, zone: ZoneInfo) -> None:
    if not action.event.is_told:
        store.save_alert(action.alert, ())
        return
    message = compose(action, link=config.link, zone=zone)
    alert = replace(action.alert, message=message)
    store.save_alert(alert, _entries(alert, action.event, message, config.channels))


def _entries(
    alert: Alert, event: Event, message: Message, channels: Sequence[AlertChannel]
) -> list[OutboxEntry]:
    return [
        OutboxEntry(entry_key(alert, event, channel.name), channel.name, message)
        for channel in channels
        if alert.severity.rank >= channel.severity.rank
        and (channel.resolved or event is not Event.RESOLVED)
    ]
