"""What is due: a pure function of the time and of what the store knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Literal

from monitor.errors import ConfigError
from monitor.windows import Grid, Window

Catchup = Literal["none", "latest", "all"]
_NO_TIME = dt.timedelta()


@dataclass(frozen=True)
class Plan:
    """When windows are judged.

    Parameters
    ----------
    grid
        All windows there are.
    evaluation_delay
        How long after its end a window is judged, ≥ 0: rows take time to arrive.
    allowed_lateness
        For how long after that rows that came late make a new revision of the window, ≥ 0.
    catchup
        Which of the windows that were missed are judged. `"all"`: every one since `start`. `"latest"`:
        the newest one. `"none"`: the newest one, if it fell due after the feature's first pass.
    catchup_limit
        How many windows `"all"` looks back at most.
    start
        No window begins earlier; an aware datetime.

    Raises
    ------
    ConfigError
        If `catchup` is `"all"` without a `start`.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> from monitor.windows import Every
    >>> noon = dt.datetime(2026, 3, 3, 12, tzinfo=dt.UTC)
    >>> days = Grid(Every.parse("1d"), ZoneInfo("UTC"))
    >>> plan = Plan(days, catchup="all", start=dt.datetime(2026, 3, 1, tzinfo=dt.UTC))
    >>> [window.start.day for window in plan.due(noon, first_seen=noon, known=())]
    [1, 2]
    """

    grid: Grid
    evaluation_delay: dt.timedelta = _NO_TIME
    allowed_lateness: dt.timedelta = _NO_TIME
    catchup: Catchup = "latest"
    catchup_limit: int = 366
    start: dt.datetime | None = None

    def __post_init__(self) -> None:
        if self.catchup == "all" and self.start is None:
            raise ConfigError("catchup 'all' needs to know since when: give start too")

    def horizon(self, now: dt.datetime) -> dt.datetime:
        """No window that begins earlier can be due for the first time at `now`."""
        return min((window.start for window in self._candidates(now)), default=now)

    def due(
        self, now: dt.datetime, first_seen: dt.datetime, known: Collection[Window]
    ) -> list[Window]:
        """The windows to be judged that are not known yet, in the order of time.

        Parameters
        ----------
        now
            An aware datetime.
        first_seen
            When this feature's windows were first asked for.
        known
            Windows that were judged, or are noted as due, among those since `horizon(now)`.
        """
        windows = self._candidates(now)
        if self.catchup == "none":
            windows = [window for window in windows if self.due_at(window) > first_seen]
        return [window for window in reversed(windows) if window not in known]

    def due_at(self, window: Window) -> dt.datetime:
        """When a window is judged."""
        return window.end + self.evaluation_delay

    def look_until(self, window: Window) -> dt.datetime | None:
        """Until when rows that come late make a new revision; None for not at all."""
        if not self.allowed_lateness:
            return None
        return self.due_at(window) + self.allowed_lateness

    def _candidates(self, now: dt.datetime) -> list[Window]:
        """The windows that may be due, the newest first."""
        closed = self.grid.before(now - self.evaluation_delay)
        start = self.start
        if start is not None:
            closed = takewhile(lambda window: window.start >= start, closed)
        return list(islice(closed, self.catchup_limit if self.catchup == "all" else 1))
