"""Rows whose clock is wrong: few of them, and far from all others."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

LONGEST_GAP: Final = 1_000
"""So many windows in a row without a row are no outage: nobody wants them in a report."""
FEW: Final = 0.1
"""A larger share of the rows is no mistake of some device, whatever the gap."""


def islands(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) which run of windows each row lies in; runs are more than `LONGEST_GAP` windows apart.

    Examples
    --------
    >>> islands(np.array([20_500, 0, 20_501, 20_502]))
    array([1, 0, 1, 1])
    """
    present, at = np.unique(numbers, return_inverse=True)
    return np.asarray(np.concatenate([[0], np.cumsum(np.diff(present) > LONGEST_GAP)])[at])


def far_outside(numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) whether a row lies far outside of the windows of nearly all others.

    Parameters
    ----------
    numbers
        (n,) the window of each row.

    Examples
    --------
    >>> far_outside(np.array([0, *range(20_500, 20_520)])).nonzero()[0].tolist()
    [0]
    """
    if len(numbers) == 0:
        return np.zeros(0, dtype=bool)
    island = islands(numbers)
    is_far = island != np.bincount(island).argmax()
    return is_far if is_far.mean() <= FEW else np.zeros(len(numbers), dtype=bool)
