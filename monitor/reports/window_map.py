"""A window beside its baseline as points in a plane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from monitor.codec import Shape

STEPS: Final = 65_535
"""Coordinates are whole numbers from 0 to this."""
MOST_POINTS: Final = 5_000
UNCHANGED: Final = -1


@dataclass(frozen=True, eq=False)
class Points:
    """Rows in the plane.

    Parameters
    ----------
    x, y
        (n,) int64, in [0, `STEPS`], to the right and upwards.
    cluster
        (n,) int64.
    group
        (n,) int64, the number of a row's group of changed (or vanished) rows; −1 for one that did not
        change.
    rows
        The index labels of some of them ─► which point that is.
    """

    x: Annotated[NDArray[np.int64], Shape("_points")]
    y: Annotated[NDArray[np.int64], Shape("_points")]
    cluster: Annotated[NDArray[np.int64], Shape("_points")]
    group: Annotated[NDArray[np.int64], Shape("_points")]
    rows: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, eq=False)
class WindowMap:
    """A window's rows where the baseline's rows vary most.

    Parameters
    ----------
    before
        Rows of the baseline, at most `MOST_POINTS`.
    after
        Rows of the window, at most as many.
    explained
        The part of the baseline's variance that the plane shows, in [0, 1].
    """

    before: Points
    after: Points
    explained: float
