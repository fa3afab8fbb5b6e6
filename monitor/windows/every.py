"""How long windows are, and their numbers by the clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from monitor.errors import TimestampError

MAX_COUNT: Final = 10_000
_EVERY: Final = re.compile(r"\s*(\d*)\s*([A-Za-z]+)\s*")
Unit = Literal["m", "h", "D", "W", "M"]
_UNITS: Final[dict[str, Unit]] = {
    "min": "m", "minute": "m", "minutes": "m", "t": "m",
    "h": "h", "hour": "h", "hours": "h",
    "d": "D", "day": "D", "days": "D",
    "w": "W", "week": "W", "weeks": "W",
    "mo": "M", "month": "M", "months": "M",
}  # fmt: skip
_NAMES: Final[dict[str, str]] = {"m": "min", "h": "h", "D": "d", "W": "w", "M": "mo"}
_YEARS: Final = {"m": 1 / 525_960, "h": 1 / 8_766, "D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12}
_HOURS: Final = (12, 8, 6, 4, 3, 2, 1)
"""Into which days are divided."""
_FIRST_MONDAY: Final = np.datetime64("1970-01-05", "D")


@dataclass(frozen=True)
class Every:
    """A window's length.

    Parameters
    ----------
    count
        How many units, 1 or more.
    unit
        numpy's letter: m, h, D, W or M.
    """

    count: int
    unit: Unit

    @classmethod
    def parse(cls, text: str | Every) -> Every:
        """From text such as `"1d"`, `"6h"`, `"30min"`, `"1w"`, `"1mo"` or `"day"`; a length stays as it is.

        Raises
        ------
        TimestampError
            If the text is none of these, or the number is above `MAX_COUNT`.

        Examples
        --------
        >>> Every.parse("6h")
        Every(count=6, unit='h')
        >>> str(Every.parse("2 weeks"))
        '2w'
        """
        if isinstance(text, Every):
            return text
        match = _EVERY.fullmatch(text) if isinstance(text, str) else None
        unit = _UNITS.get(match[2].lower()) if match else None
        count = int(match[1] or 1) if match else 0
        if unit is None or not 1 <= count <= MAX_COUNT:
            raise TimestampError(
                f"every={text!r} is not a length of time: give a number and one of min, h, d, w, mo, "
                "for example '1d' or '6h'"
            )
        return cls(count, unit)

    def __str__(self) -> str:
        return f"{self.count}{_NAMES[self.unit]}"

    @property
    def years(self) -> float:
        """The length in years."""
        return self.count * _YEARS[self.unit]

    @property
    def per_week(self) -> int:
        """How many a week has; 0 where that is no whole number."""
        of_week = {"m": 7 * 24 * 60, "h": 7 * 24, "D": 7, "W": 1}.get(self.unit, 0)
        return 0 if of_week % self.count else of_week // self.count

    @property
    def finer(self) -> tuple[Every, ...]:
        """Shorter windows of whole hours, or days, that fit into these.

        Examples
        --------
        >>> [str(every) for every in Every.parse("6h").finer], len(Every.parse("1w").finer)
        (['3h', '2h', '1h'], 8)
        """
        # Any month has whole days.
        hours = self.count * {"h": 1, "D": 24, "W": 7 * 24, "M": 24}.get(self.unit, 0)
        of_hours = tuple(Every(n, "h") for n in _HOURS if n < hours and hours % n == 0)
        return (
            (Every(1, "D"), *of_hours)
            if self.unit in "WM" or (hours > 24 and hours % 24 == 0)
            else of_hours
        )

    def number(self, instants: NDArray[np.datetime64]) -> NDArray[np.int64]:
        """(n,) which window each time of a clock lies in; windows are numbered from 1970."""
        origin = np.datetime64("1970-01", "M") if self.unit == "M" else _FIRST_MONDAY
        if self.unit in "hmD":
            origin = np.datetime64("1970-01-01", "D")
        units = instants.astype(f"datetime64[{'D' if self.unit == 'W' else self.unit}]")
        whole = (units - origin).astype(np.int64)
        return np.asarray(whole // (self.count * (7 if self.unit == "W" else 1)))

    def start(self, number: int) -> np.datetime64:
        """When window `number` starts by that clock, datetime64[us]; it ends when the next one starts."""
        count = self.count * number
        moment: np.datetime64
        if self.unit == "M":
            moment = np.datetime64("1970-01", "M") + np.timedelta64(count, "M")
        elif self.unit == "W":
            moment = _FIRST_MONDAY + np.timedelta64(7 * count, "D")
        else:
            moment = np.datetime64("1970-01-01T00:00", "us") + np.timedelta64(count, self.unit)
        in_microseconds: np.datetime64 = moment.astype("datetime64[us]")
        return in_microseconds
