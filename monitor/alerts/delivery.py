"""The outbox ─► channels: at least once, with retries that back off."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from monitor.alerts.alert import Message, QueuedEntry
from monitor.alerts.channels import send as send_by_apprise
from monitor.alerts.outbox import AlertStore
from monitor.alerts.settings import AlertChannel, AlertsConfig
from monitor.errors import DeliveryError

LEASE: Final = dt.timedelta(minutes=5)
"""Longer than any channel takes; a worker that died holds a message back no longer than this."""


@dataclass(frozen=True)
class Delivered:
    """What became of the messages that were due.

    Parameters
    ----------
    n_delivered
        Taken by their channels.
    n_failed
        To be tried again.
    n_dead
        Given up just now.
    errors
        Why, a line for each failure.
    """

    n_delivered: int = 0
    n_failed: int = 0
    n_dead: int = 0
    errors: tuple[str, ...] = ()


def deliver(
    store: AlertStore,
    config: AlertsConfig,
    clock: Callable[[], dt.datetime],
    *,
    send: Callable[[AlertChannel, Message], None] = send_by_apprise,
    rng: random.Random | None = None,
) -> Delivered:
    """Send every message that is due.

    A message may arrive twice, when a worker dies between sending it and noting that; none is lost.

    Parameters
    ----------
    store
        Holds the outbox.
    config
        Channels, and how failures are retried.
    clock
        Gives the time in UTC.
    send
        Raises `DeliveryError` when a channel does not take a message.
    rng
        For the jitter of retries.
    """
    rng = rng or random.Random()  # noqa: S311 (spreads retries, keeps no secret)
    channels = {channel.name: channel for channel in config.channels}
    began = clock()
    counts = {"delivered": 0, "failed": 0, "dead": 0}
    errors = []
    # What fails in this pass is due after `began`, so each message is tried once.
    while (claimed := store.claim(began, LEASE)) is not None:
        try:
            _send_one(claimed, channels, send)
        except DeliveryError as error:
            is_dead = claimed.attempts >= config.max_attempts
            wait = retry_wait(config, claimed.attempts, rng)
            store.mark_failed(claimed, str(error), None if is_dead else clock() + wait)
            counts["dead" if is_dead else "failed"] += 1
            errors.append(str(error))
        else:
            store.mark_delivered(claimed, clock())
            counts["delivered"] += 1
    return Delivered(counts["delivered"], counts["failed"], counts["dead"], tuple(errors))


def retry_wait(config: AlertsConfig, attempts: int, rng: random.Random) -> dt.timedelta:
    """How long to wait after so many attempts, at least 1.

    Exponential back-off with a cap and "equal jitter" (half of it fixed, half drawn), so that many
    messages that failed together do not come back together.

    Examples
    --------
    >>> config = AlertsConfig(retry_seconds=10, max_retry_seconds=60)
    >>> waits = [retry_wait(config, n, random.Random(0)).total_seconds() for n in (1, 2, 3, 9)]
    >>> [5 <= waits[0] <= 10, 10 <= waits[1] <= 20, 20 <= waits[2] <= 40, 30 <= waits[3] <= 60]
    [True, True, True, True]
    """
    # The exponent is bounded, because a float is.
    longest = min(config.max_retry_seconds, config.retry_seconds * 2.0 ** min(attempts - 1, 60))
    return dt.timedelta(seconds=longest * rng.uniform(0.5, 1.0))


def _send_one(
    claimed: QueuedEntry,
    channels: dict[str, AlertChannel],
    send: Callable[[AlertChannel, Message], None],
) -> None:
    name = claimed.entry.channel
    if name not in channels:
        raise DeliveryError(f"there is no channel {name!r} in the config any more")
    send(channels[name], claimed.entry.message)
