"""Rows ─► the windows that they lie in."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.errors import TimestampError
from monitor.windows.grid import Grid
from monitor.windows.window import Window

MAX_WINDOWS: Final = 100_000


@dataclass(frozen=True, eq=False)
class WindowRows:
    """A window and its rows.

    Parameters
    ----------
    window
        None when the rows have no times.
    rows
        (n,) int64, positions in the frame.
    """

    window: Window | None
    rows: NDArray[np.int64]


def cut(instants: NDArray[np.datetime64], grid: Grid) -> list[WindowRows]:
    """All windows from the first instant's to the last one's, empty ones included, in order.

    Parameters
    ----------
    instants
        (n,) datetime64[us] in UTC. Rows whose instant is NaT are in no window.
    grid
        Where windows begin.

    Raises
    ------
    TimestampError
        If there would be more than `MAX_WINDOWS` windows.

    Examples
    --------
    >>> from monitor.windows import Every
    >>> days = np.array(["2026-03-01T23:00", "2026-03-03T01:00"], dtype="datetime64[us]")
    >>> [window.rows.tolist() for window in cut(days, Grid(Every.parse("1d")))]
    [[0], [], [1]]
    """
    dated = np.flatnonzero(~np.isnat(instants))
    if len(dated) == 0:
        return []
    numbers = grid.numbers(instants[dated])
    first, last = int(numbers.min()), int(numbers.max())
    if last - first >= MAX_WINDOWS:
        raise TimestampError(
            f"{last - first + 1:,} windows of {grid.every} lie between {grid.start(first).isoformat()} "
            f"and {grid.start(last + 1).isoformat()}, at most {MAX_WINDOWS:,} are made: give a longer "
            "window, or leave out rows with a wrong time"
        )
    order = np.argsort(numbers, kind="stable")
    edges = np.searchsorted(numbers[order], np.arange(first, last + 2))
    starts = [grid.start(number) for number in range(first, last + 2)]
    return [
        WindowRows(Window(start, end), dated[order[edges[i] : edges[i + 1]]])
        for i, (start, end) in enumerate(pairwise(starts))
        # A civil day may not exist: in Samoa, 2011-12-30.
        if start < end
    ]
