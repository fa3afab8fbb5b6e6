"""Neighbouring windows dealt to a few blocks: what is alike within one need not be alike across two."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

N_BLOCKS: Final = 6


def time_blocks(numbers: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The different windows in blocks of neighbours, about equally many in each.

    Parameters
    ----------
    numbers
        (n,) the window of each row; negative for rows without a time, which are in no block.

    Examples
    --------
    >>> [block.tolist() for block in time_blocks(np.array([5, 5, 7, 8, -1]))]
    [[5], [7], [8]]
    """
    windows = np.unique(numbers[numbers >= 0])
    return np.array_split(windows, min(N_BLOCKS, len(windows))) if len(windows) else []


def block_of_rows(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) which of the blocks each row lies in, from 0 on; −1 for rows without a time.

    Examples
    --------
    >>> block_of_rows(np.array([5, 5, 7, 8, -1])).tolist()
    [0, 0, 1, 2, -1]
    """
    starts = [int(block[0]) for block in time_blocks(numbers)]
    return np.searchsorted(starts, numbers, side="right") - 1
