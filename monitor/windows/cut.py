"""Rows ─► the windows that they lie in."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.errors import TimestampError
from monitor.windows.far import far_outside, islands
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


@dataclass(frozen=True, eq=False)
class Cut:
    """Rows in their windows.

    Parameters
    ----------
    windows
        In the order of time, empty ones included, but for gaps of more than `LONGEST_GAP` windows.
    far
        (n,) positions of the rows that are in none of them, because their time lies far from all others.
    n_left_out
        How many empty windows there are in such gaps.
    """

    windows: list[WindowRows]
    far: NDArray[np.int64]
    n_left_out: int


def cut(instants: NDArray[np.datetime64], grid: Grid) -> Cut:
    """All windows from the first instant's to the last one's.

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
    >>> [window.rows.tolist() for window in cut(days, Grid(Every.parse("1d"))).windows]
    [[0], [], [1]]
    """
    dated = np.flatnonzero(~np.isnat(instants))
    if len(dated) == 0:
        return Cut([], dated, 0)
    numbers = grid.numbers(instants[dated])
    is_far = far_outside(numbers)
    far, dated, numbers = dated[is_far], dated[~is_far], numbers[~is_far]
    island = islands(numbers)
    spans = [
        (int(numbers[island == i].min()), int(numbers[island == i].max()))
        for i in range(int(island.max()) + 1)
    ]
    _refuse_too_many(spans, grid)
    order = np.argsort(numbers, kind="stable")
    windows = [
        window
        for first, last in spans
        for window in _filled(dated[order], numbers[order], grid, first, last)
    ]
    n_left_out = sum(after[0] - before[1] - 1 for before, after in pairwise(spans))
    return Cut(windows, far, n_left_out)


def _filled(
    rows: NDArray[np.int64], numbers: NDArray[np.int64], grid: Grid, first: int, last: int
) -> list[WindowRows]:
    """The windows `first` to `last` with their rows, of rows that are sorted by `numbers`."""
    edges = np.searchsorted(numbers, np.arange(first, last + 2))
    starts = [grid.start(number) for number in range(first, last + 2)]
    return [
        WindowRows(Window(start, end), rows[edges[i] : edges[i + 1]])
        for i, (start, end) in enumerate(pairwise(starts))
        # A civil day may not exist: in Samoa, 2011-12-30.
        if start < end
    ]


def _refuse_too_many(spans: list[tuple[int, int]], grid: Grid) -> None:
    n_windows = sum(last - first + 1 for first, last in spans)
    if n_windows > MAX_WINDOWS:
        raise TimestampError(
            f"{n_windows:,} windows of {grid.every} lie between {grid.start(spans[0][0]).isoformat()} "
            f"and {grid.start(spans[-1][1] + 1).isoformat()}, at most {MAX_WINDOWS:,} are made: give a "
            "longer window, or leave out rows with a wrong time"
        )
