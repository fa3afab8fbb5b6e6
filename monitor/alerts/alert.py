"""The values that go between rules, store and channels."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from monitor.alerts.rule import Severity


class AlertState(StrEnum):
    """Whether it goes on."""

    OPEN = "open"
    RESOLVED = "resolved"


class Event(StrEnum):
    """What happened to an alert."""

    OPENED = "opened"
    CONTINUED = "continued"
    ESCALATED = "escalated"
    RESOLVED = "resolved"

    @property
    def is_told(self) -> bool:
        """Whether people are told: a breach that goes on was told when it began."""
        return self is not Event.CONTINUED


class MessageKind(StrEnum):
    """What a message is about, which channels may show by a colour."""

    WARNING = "warning"
    CRITICAL = "critical"
    RESOLVED = "resolved"
    TEST = "test"


@dataclass(frozen=True)
class Message:
    """What people read.

    Parameters
    ----------
    title
        One line.
    text, markdown
        The same words for both kinds of channel. What comes from the data is shortened, without
        control characters, and cannot become a link, a mention or markup.
    kind
        What it is about.
    """

    title: str
    text: str
    markdown: str
    kind: MessageKind

    def to_dict(self) -> dict[str, str]:
        """Plain values for JSON."""
        return {key: str(value) for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Message:
        """The message that `to_dict` wrote.

        Examples
        --------
        >>> message = Message("a title", "words", "*words*", MessageKind.TEST)
        >>> Message.from_dict(message.to_dict()) == message
        True
        """
        return cls(**{**values, "kind": MessageKind(values["kind"])})


@dataclass(frozen=True)
class Alert:
    """One episode of one rule: from the first window that broke it until it is calm again.

    Parameters
    ----------
    dedup_key
        The same for the same feature, rule, segment and first window; see `alert_key`.
    feature, rule, segment
        What it is about; segment is None for all rows.
    severity
        The worst so far.
    window_start, window_end
        Start of the first window that broke the rule, end of the last one; UTC.
    state
        Open or resolved.
    created_at, resolved_at
        When the windows ended that raised and ended it, UTC: also where they were judged much later.
    message
        What was said of it last.
    """

    dedup_key: str
    feature: str
    rule: str
    segment: str | None
    severity: Severity
    window_start: dt.datetime
    window_end: dt.datetime
    state: AlertState
    created_at: dt.datetime
    resolved_at: dt.datetime | None = None
    message: Message | None = None

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.state is AlertState.OPEN


@dataclass(frozen=True)
class OutboxEntry:
    """One message on its way to one channel.

    Parameters
    ----------
    dedup_key
        The same for the same alert, event and channel.
    channel
        Its name in the config; the URL is never stored.
    message
        What is sent.
    """

    dedup_key: str
    channel: str
    message: Message


@dataclass(frozen=True)
class QueuedEntry:
    """An entry as the store keeps it.

    Parameters
    ----------
    id
        The store's.
    entry
        What is to be sent, and where to.
    attempts
        Times it was claimed, this one included.
    next_attempt_at
        When it may be claimed again; None when it is given up or delivered.
    delivered_at
        When the channel took it.
    last_error
        Why it was not delivered, without secrets.
    """

    id: int
    entry: OutboxEntry
    attempts: int
    next_attempt_at: dt.datetime | None = None
    delivered_at: dt.datetime | None = None
    last_error: str | None = None

    @property
    def state(self) -> str:
        """`delivered`, `pending`, or `dead` once it is given up."""
        if self.delivered_at is not None:
            return "delivered"
        return "dead" if self.next_attempt_at is None else "pending"


@dataclass(frozen=True)
class AlertCounts:
    """What goes on.

    Parameters
    ----------
    n_open
        Open alerts of each severity.
    n_pending, n_dead
        Messages that are on their way, and that were given up.
    """

    n_open: Mapping[Severity, int]
    n_pending: int
    n_dead: int


def alert_key(feature: str, rule: str, segment: str | None, start: dt.datetime) -> str:
    """The key of the alert that begins with the window at `start`.

    Examples
    --------
    >>> first = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
    >>> alert_key("photos", "drift", None, first) == alert_key("photos", "drift", None, first)
    True
    >>> alert_key("photos", "drift", "", first) == alert_key("photos", "drift", None, first)
    False
    """
    return _digest(feature, rule, segment, start.astimezone(dt.UTC).isoformat())


def entry_key(alert: Alert, event: Event, channel: str) -> str:
    """The key of the message about `event` to `channel`."""
    return _digest(alert.dedup_key, str(event), channel)


def _digest(*parts: str | None) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
