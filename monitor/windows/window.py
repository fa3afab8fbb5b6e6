"""One half-open span of time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Window:
    """A span of time, half-open [start, end).

    Parameters
    ----------
    start, end
        Aware datetimes, in UTC.

    Examples
    --------
    >>> march = Window(dt.datetime(2026, 3, 1, tzinfo=dt.UTC), dt.datetime(2026, 4, 1, tzinfo=dt.UTC))
    >>> march.length.days, march.middle.isoformat()
    (31, '2026-03-16T12:00:00+00:00')
    """

    start: dt.datetime
    end: dt.datetime

    @property
    def length(self) -> dt.timedelta:
        """How long it is."""
        return self.end - self.start

    @property
    def middle(self) -> dt.datetime:
        """Half-way between start and end."""
        return self.start + self.length / 2


def utc(instant: np.datetime64) -> dt.datetime:
    """A datetime64 in UTC as an aware datetime.

    Examples
    --------
    >>> utc(np.datetime64("2026-03-01T12:00")).isoformat()
    '2026-03-01T12:00:00+00:00'
    """
    naive: dt.datetime = instant.astype("datetime64[us]").item()
    return naive.replace(tzinfo=dt.UTC)
