"""Time ─► scheduled windows: half-open, in UTC, without a gap or an overlap, in any zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from monitor.errors import ConfigError
from monitor.store import Period
from monitor.windows import Every

_CIVIL: Final = frozenset("DWM")
_SECOND: Final = dt.timedelta(seconds=1)


def zone_of(name: str) -> ZoneInfo:
    """The time zone `name`.

    Raises
    ------
    ConfigError
        If there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigError(
            f"{name!r} is no time zone known here: give a name such as 'Europe/Berlin' or 'UTC'"
        ) from error


@dataclass(frozen=True)
class Grid:
    """All windows of one length.

    Days, weeks and months begin with a civil day of the zone, so that a day may have 23 or 25 hours.
    Hours and minutes are counted from 1970 in UTC. A civil day begins at its first instant: where clocks
    go forward over midnight, when they have; where they go back over it, at the first of two midnights.

    Parameters
    ----------
    every
        The window's length.
    zone
        Whose days.

    Examples
    --------
    >>> grid = Grid(Every.parse("1d"), ZoneInfo("Europe/Berlin"))
    >>> night = grid.around(dt.datetime(2026, 3, 29, 12, tzinfo=dt.UTC))
    >>> night.start.isoformat(), night.end.isoformat()
    ('2026-03-28T23:00:00+00:00', '2026-03-29T22:00:00+00:00')
    """

    every: Every
    zone: ZoneInfo

    def around(self, instant: dt.datetime) -> Period:
        """The window that holds `instant`, an aware datetime."""
        number = self._number(instant)
        return Period(self._start(number), self._start(number + 1))

    def before(self, instant: dt.datetime) -> Iterator[Period]:
        """The windows that end at `instant` or earlier, the latest first, without an end."""
        number = self._number(instant)
        end = self._start(number)
        while True:
            number -= 1
            start = self._start(number)
            # A civil day may not exist: in Samoa, 2011-12-30.
            if start < end:
                yield Period(start, end)
            end = start

    def _number(self, instant: dt.datetime) -> int:
        local = instant.astimezone(self.zone if self.every.unit in _CIVIL else dt.UTC)
        clock = np.datetime64(local.replace(tzinfo=None), "us")
        number = int(self.every.number(np.array([clock]))[0])
        # A clock that goes back may show a day twice.
        while self._start(number) > instant:
            number -= 1
        while self._start(number + 1) <= instant:
            number += 1
        return number

    def _start(self, number: int) -> dt.datetime:
        naive: dt.datetime = self.every.start(number).astype("datetime64[us]").item()
        if self.every.unit not in _CIVIL:
            return naive.replace(tzinfo=dt.UTC)
        return first_instant(naive.date(), self.zone)


def first_instant(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """When `day` begins in `zone`, in UTC; for a day that the zone skipped, when the next one begins.

    Examples
    --------
    >>> first_instant(dt.date(2026, 7, 1), ZoneInfo("America/New_York")).isoformat()
    '2026-07-01T04:00:00+00:00'
    """
    midnight = dt.datetime.combine(day, dt.time(), zone)
    once, again = midnight.astimezone(dt.UTC), midnight.replace(fold=1).astimezone(dt.UTC)
    if once <= again:
        return once
    # Midnight was left out (PEP 495: then fold=0 counts by the offset of before, and lies later). The
    # change lies between the two.
    early, late = again - _SECOND, once
    while late - early > _SECOND:
        middle = early + (late - early) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).date() >= day:
            late = middle
        else:
            early = middle
    return late
