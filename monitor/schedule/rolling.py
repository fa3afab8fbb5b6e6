"""Baselines that move along with the windows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from monitor.reports.wording import plural
from monitor.windows import Window

_UNITS: Final = {
    "day": dt.timedelta(days=1),
    "hour": dt.timedelta(hours=1),
    "minute": dt.timedelta(minutes=1),
}


@dataclass(frozen=True)
class Rolling:
    """A baseline that moves along: the rows of [start − offset − window, start − offset).

    Parameters
    ----------
    window
        How much time it spans.
    offset
        How long before the judged window it ends, ≥ 0.
    """

    window: dt.timedelta
    offset: dt.timedelta

    def rows_for(self, window: Window) -> Window:
        """The range of the baseline's rows for a window."""
        end = window.start - self.offset
        return Window(end - self.window, end)

    def __str__(self) -> str:
        """In words.

        >>> print(Rolling(dt.timedelta(days=14), dt.timedelta(hours=36)))
        the rolling baseline of 14 days before it, 36 hours off,
        """
        off = f", {_in_words(self.offset)} off," if self.offset else ""
        return f"the rolling baseline of {_in_words(self.window)} before it{off}"


def _in_words(time: dt.timedelta) -> str:
    for unit, length in _UNITS.items():
        if time % length == dt.timedelta():
            return plural(time // length, unit)
    return str(time)
