"""How often vectors come again in rows that come in pieces: by counts of bounded size."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST_KEYS: Final = 2**20
"""Up to so many different rows counts are exact: 16 MB."""


class CopyCounts:
    """How often each row came, by its key (see `content_keys`).

    Of more than `most` different rows the rare ones are dropped, and the counts of the others are too low by
    at most 2 / `most` of all rows (Misra & Gries 1982, as Agarwal et al. 2012 merge it).

    Parameters
    ----------
    most
        How many keys are held at most, besides those of as many new rows.

    Examples
    --------
    >>> counts = CopyCounts()
    >>> counts.add(np.array([7, 9], dtype=np.uint64))
    >>> counts.add(np.array([7, 8], dtype=np.uint64))
    >>> counts.largest_share, counts.repeated_share
    (0.5, 0.25)
    """

    def __init__(self, most: int = MOST_KEYS) -> None:
        self._most = most
        self._keys = np.empty(0, dtype=np.uint64)
        self._counts = np.empty(0, dtype=np.int64)
        self._new: list[tuple[NDArray[np.uint64], NDArray[np.int64]]] = []
        self._n_new = 0
        self._n = 0
        self._is_exact = True

    def add(self, keys: NDArray[np.uint64]) -> None:
        """Count rows with these keys, (n,)."""
        self._take(keys, np.ones(len(keys), dtype=np.int64), len(keys))

    def merge(self, other: CopyCounts) -> None:
        """Count the rows of `other`, too.

        Up to `most` different rows in all, the counts are those of one pass.
        """
        other._merge()
        self._is_exact &= other._is_exact
        self._take(other._keys, other._counts, other._n)

    @property
    def largest_share(self) -> float:
        """The share of rows, in [0, 1], that are copies of the most frequent one; 0 when all differ."""
        self._merge()
        most = int(self._counts.max(initial=0))
        return most / self._n if most > 1 else 0.0

    @property
    def repeated_share(self) -> float:
        """The share of rows, in [0, 1), that are copies of an earlier one; NaN once counts are not exact."""
        self._merge()
        if not self._is_exact:
            return math.nan
        return 1 - len(self._keys) / self._n if self._n else 0.0

    def _take(self, keys: NDArray[np.uint64], counts: NDArray[np.int64], n: int) -> None:
        self._new.append((keys, counts))
        self._n_new += len(keys)
        self._n += n
        if self._n_new >= self._most:
            self._merge()

    def _merge(self) -> None:
        if not self._n_new:
            return
        keys = np.concatenate([self._keys, *(keys for keys, _ in self._new)])
        counts = np.concatenate([self._counts, *(counts for _, counts in self._new)])
        order = np.argsort(keys)
        keys, counts = keys[order], counts[order]
        starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        keys, counts = keys[starts], np.add.reduceat(counts, starts)
        if len(keys) > self._most:
            counts -= np.partition(counts, -self._most // 2)[-self._most // 2]
            keys, counts = keys[counts > 0], counts[counts > 0]
            self._is_exact = False
        self._keys, self._counts = keys, counts
        self._new, self._n_new = [], 0
