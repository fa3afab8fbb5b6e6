"""Alerts and their outbox in the store: what `monitor.alerts.AlertStore` asks for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from monitor.alerts import Alert, AlertState, Message, OutboxEntry, Severity
from monitor.alerts.alert import AlertCounts, QueuedEntry
from monitor.store import tables
from monitor.store.rows import insert_if_absent
from monitor.store.store import Store

_alerts, _outbox = tables.alerts, tables.outbox
_is_waiting = _outbox.c.delivered_at.is_(None) & _outbox.c.next_attempt_at.is_not(None)
_is_dead = _outbox.c.delivered_at.is_(None) & _outbox.c.next_attempt_at.is_(None)


class Alerts:
    """The alerts of a store; see `monitor.alerts.AlertStore` for what each method promises.

    Parameters
    ----------
    home
        A store, of which each method makes a transaction of its own; or the connection of a transaction,
        which then keeps or drops all that was done.
    """

    def __init__(self, home: Store | Connection) -> None:
        self._home = home

    def _reading(self) -> AbstractContextManager[Connection]:
        return self._home.reading() if isinstance(self._home, Store) else nullcontext(self._home)

    def _writing(self) -> AbstractContextManager[Connection]:
        return self._home.writing() if isinstance(self._home, Store) else nullcontext(self._home)

    def alerts(self, *, since: dt.datetime | None = None) -> list[Alert]:
        """All open alerts, and those whose last window ended at or after `since`; all without it."""
        wanted = select(_alerts).order_by(_alerts.c.window_start, _alerts.c.id)
        if since is not None:
            is_open = _alerts.c.state == AlertState.OPEN.value
            wanted = wanted.where(is_open | (_alerts.c.window_end >= since))
        with self._reading() as connection:
            return [_alert(row) for row in connection.execute(wanted)]

    def save_alert(self, alert: Alert, entries: Sequence[OutboxEntry]) -> None:
        """Keep `alert` and queue `entries`, both or none."""
        with self._writing() as connection:
            key = _upsert(connection, alert)
            for entry in entries:
                _queue(connection, key, entry, alert.resolved_at or alert.created_at)

    def claim(self, now: dt.datetime, lease: dt.timedelta) -> QueuedEntry | None:
        """The entry that has been due longest, held back from others for `lease`."""
        due = (
            select(_outbox)
            .where(_is_waiting, _outbox.c.next_attempt_at <= now)
            .order_by(_outbox.c.next_attempt_at, _outbox.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self._writing() as connection:
            row = connection.execute(due).one_or_none()
            if row is None:
                return None
            until, attempts = now + lease, row.attempts + 1
            connection.execute(
                update(_outbox)
                .where(_outbox.c.id == row.id)
                .values(next_attempt_at=until, attempts=attempts)
            )
        return QueuedEntry(row.id, _entry(row), attempts, until, None, row.last_error)

    def mark_delivered(self, entry: QueuedEntry, now: dt.datetime) -> None:
        """The channel took `entry`."""
        with self._writing() as connection:
            # Also when the lease has run out: it did arrive.
            connection.execute(
                update(_outbox)
                .where(_outbox.c.id == entry.id)
                .values(delivered_at=now, next_attempt_at=None, last_error=None)
            )

    def mark_failed(self, entry: QueuedEntry, error: str, retry_at: dt.datetime | None) -> None:
        """The channel did not; nothing happens if another worker has claimed it since."""
        is_ours = (_outbox.c.id == entry.id) & (_outbox.c.attempts == entry.attempts) & _is_waiting
        with self._writing() as connection:
            connection.execute(
                update(_outbox).where(is_ours).values(next_attempt_at=retry_at, last_error=error)
            )

    def entries(self) -> list[QueuedEntry]:
        """The whole outbox, oldest first."""
        with self._reading() as connection:
            rows = connection.execute(select(_outbox).order_by(_outbox.c.id))
            return [
                QueuedEntry(
                    row.id,
                    _entry(row),
                    row.attempts,
                    row.next_attempt_at,
                    row.delivered_at,
                    row.last_error,
                )
                for row in rows
            ]

    def revive(self, now: dt.datetime) -> int:
        """Make all entries that were given up due again, and return how many."""
        with self._writing() as connection:
            done = connection.execute(
                update(_outbox).where(_is_dead).values(next_attempt_at=now, attempts=0)
            )
            return done.rowcount

    def counts(self) -> AlertCounts:
        """How many alerts are open and how many messages are on their way or given up."""
        of_severity = select(_alerts.c.severity, func.count()).group_by(_alerts.c.severity)
        of_severity = of_severity.where(_alerts.c.state == AlertState.OPEN.value)
        of_outbox = select(func.count()).select_from(_outbox)
        with self._reading() as connection:
            open_ = {Severity(row[0]): int(row[1]) for row in connection.execute(of_severity)}
            return AlertCounts(
                n_open={severity: open_.get(severity, 0) for severity in Severity},
                n_pending=connection.execute(of_outbox.where(_is_waiting)).scalar_one(),
                n_dead=connection.execute(of_outbox.where(_is_dead)).scalar_one(),
            )


def _upsert(connection: Connection, alert: Alert) -> int:
    """Insert the alert, or put it together with what another worker has saved; gives its id."""
    message = None if alert.message is None else alert.message.to_dict()
    values = {
        "feature": alert.feature,
        "window_start": alert.window_start,
        "window_end": alert.window_end,
        "segment": alert.segment,
        "rule": alert.rule,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "dedup_key": alert.dedup_key,
        "message": message or {},
        "created_at": alert.created_at,
        "resolved_at": alert.resolved_at,
    }
    insert_if_absent(connection, _alerts, [values])
    row = connection.execute(
        select(_alerts).where(_alerts.c.dedup_key == alert.dedup_key).with_for_update()
    ).one()
    before = _alert(row)
    worst = max(before.severity, alert.severity, key=lambda severity: severity.rank)
    is_open = before.is_open and alert.is_open
    connection.execute(
        update(_alerts)
        .where(_alerts.c.id == row.id)
        .values(
            window_end=max(before.window_end, alert.window_end),
            severity=worst.value,
            state=(AlertState.OPEN if is_open else AlertState.RESOLVED).value,
            resolved_at=before.resolved_at or alert.resolved_at,
            message=message or row.message,
        )
    )
    return int(row.id)


def _queue(connection: Connection, alert_id: int, entry: OutboxEntry, now: dt.datetime) -> None:
    values = {
        "alert_id": alert_id,
        "channel": entry.channel,
        "payload": entry.message.to_dict(),
        "dedup_key": entry.dedup_key,
        "attempts": 0,
        "next_attempt_at": now,
    }
    insert_if_absent(connection, _outbox, [values])


def _alert(row: Row[Any]) -> Alert:
    return Alert(
        dedup_key=row.dedup_key,
        feature=row.feature,
        rule=row.rule,
        segment=row.segment,
        severity=Severity(row.severity),
        window_start=row.window_start,
        window_end=row.window_end,
        state=AlertState(row.state),
        created_at=row.created_at,
        resolved_at=row.resolved_at,
        message=Message.from_dict(row.message) if row.message else None,
    )


def _entry(row: Row[Any]) -> OutboxEntry:
    return OutboxEntry(row.dedup_key, row.channel, Message.from_dict(row.payload))
