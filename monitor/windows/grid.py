"""All windows of one length: half-open, in UTC, without a gap or an overlap, in any zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from monitor.errors import ConfigError
from monitor.windows.every import Every
from monitor.windows.window import Window, utc

_CIVIL: Final = frozenset("DWM")
_SECOND: Final = dt.timedelta(seconds=1)
UTC: Final = ZoneInfo("UTC")
_EARLIEST, _LATEST = np.datetime64("0002-01-01", "us"), np.datetime64("9998-01-01", "us")
"""Zones shift times by hours, which must stay within the years of `datetime`."""


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
            f"{name!r} is not a time zone known here: give a name such as 'Europe/Berlin' or 'UTC'"
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
        Whose days; UTC by default.

    Examples
    --------
    >>> grid = Grid(Every.parse("1d"), ZoneInfo("Europe/Berlin"))
    >>> night = grid.around(dt.datetime(2026, 3, 29, 12, tzinfo=dt.UTC))
    >>> night.start.isoformat(), night.end.isoformat()
    ('2026-03-28T23:00:00+00:00', '2026-03-29T22:00:00+00:00')
    """

    every: Every
    zone: ZoneInfo = UTC

    def __str__(self) -> str:
        """The length, and the zone where it matters: `1d in Europe/Berlin`, `6h`."""
        return f"{self.every} in {self.zone}" if self.is_civil else str(self.every)

    @classmethod
    def parse(cls, text: str) -> Grid:
        """The grid that `str` wrote.

        Examples
        --------
        >>> str(Grid.parse("1d in Asia/Tokyo")), str(Grid.parse("6h"))
        ('1d in Asia/Tokyo', '6h')
        """
        every, _, zone = text.partition(" in ")
        return cls(Every.parse(every), zone_of(zone or "UTC"))

    def name(self, window: Window) -> str:
        """What people call a window: a day by its date, hours by their start.

        Examples
        --------
        >>> tokyo = Grid(Every.parse("1d"), ZoneInfo("Asia/Tokyo"))
        >>> tokyo.name(tokyo.around(dt.datetime(2026, 3, 1, 18, tzinfo=dt.UTC)))
        '2026-03-02'
        """
        start = window.start.astimezone(self.zone)
        return f"{start:%Y-%m-%d}" if self.is_civil else f"{window.start:%Y-%m-%d %H:%M} UTC"

    def around(self, instant: dt.datetime) -> Window:
        """The window that holds `instant`, an aware datetime."""
        return self.window(self.number(instant))

    def before(self, instant: dt.datetime) -> Iterator[Window]:
        """The windows that end at `instant` or earlier, the latest first, without an end."""
        number = self.number(instant)
        end = self.start(number)
        while True:
            number -= 1
            start = self.start(number)
            # A civil day may not exist: in Samoa, 2011-12-30.
            if start < end:
                yield Window(start, end)
            end = start

    def window(self, number: int) -> Window:
        """Window `number`; it is empty where the zone skipped its day."""
        return Window(self.start(number), self.start(number + 1))

    def number(self, instant: dt.datetime) -> int:
        """Which window holds `instant`, an aware datetime; a later window has a larger number.

        Days are numbered as they are called, so that the same day of the week is the same modulo 7.
        """
        local = instant.astimezone(self.zone if self.is_civil else dt.UTC)
        clock = np.datetime64(local.replace(tzinfo=None), "us")
        number = int(self.every.number(np.array([clock]))[0])
        # A clock that goes back may show a day twice.
        while self.start(number) > instant:
            number -= 1
        while self.start(number + 1) <= instant:
            number += 1
        return number

    def numbers(self, instants: NDArray[np.datetime64]) -> NDArray[np.int64]:
        """(n,) which window holds each instant, datetime64[us] in UTC, without NaT.

        Examples
        --------
        >>> tokyo = Grid(Every.parse("1d"), ZoneInfo("Asia/Tokyo"))
        >>> tokyo.numbers(np.array(["1970-01-01T14:59", "1970-01-01T15:00"], "datetime64[us]"))
        array([0, 1])
        """
        numbers = self.every.number(instants)
        has_zone = (instants >= _EARLIEST) & (instants < _LATEST)
        if not self.is_civil or self.zone.key == "UTC" or not has_zone.any():
            return numbers
        candidates: set[int] = set()
        for day in np.unique(instants[has_zone].astype("datetime64[D]")):
            of_day = self.number(utc(day)), self.number(utc(day + np.timedelta64(1, "D")))
            candidates.update(range(of_day[0], of_day[1] + 1))
        known = np.array(sorted(candidates), dtype=np.int64)
        starts = [self.start(int(number)).replace(tzinfo=None) for number in known]
        at = np.searchsorted(np.array(starts, "datetime64[us]"), instants[has_zone], side="right")
        numbers[has_zone] = known[at - 1]
        return numbers

    def start(self, number: int) -> dt.datetime:
        """When window `number` starts, in UTC; it ends when the next one starts."""
        clock = self.every.start(number)
        if not self.is_civil or not _EARLIEST <= clock < _LATEST:
            return utc(clock)
        return first_instant(utc(clock).date(), self.zone)

    @property
    def is_civil(self) -> bool:
        """Whether its windows are days, weeks or months of the zone."""
        return self.every.unit in _CIVIL


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
