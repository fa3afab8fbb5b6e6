"""Some of the rows that come in pieces, drawn at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.clusters.content import scrambled

if TYPE_CHECKING:
    import pyarrow as pa


class RowSample:
    """The rows with the smallest hashes of their positions: the same ones in whatever pieces rows come.

    Bottom-k sampling (Cohen & Kaplan 2007): each row has the same chance, also copies of one another.

    Parameters
    ----------
    most
        How many are drawn; of fewer rows all.
    random_state
        Seed.

    Examples
    --------
    >>> import pyarrow as pa
    >>> rows = pa.table({"n": range(100)})
    >>> whole, pieces = RowSample(3), RowSample(3)
    >>> whole.add(rows, np.arange(100))
    >>> for start in range(0, 100, 7):
    ...     piece = rows.slice(start, 7)
    ...     pieces.add(piece, start + np.arange(len(piece)))
    >>> whole.table() == pieces.table(), len(whole.table())
    (True, 3)
    """

    def __init__(self, most: int, random_state: int = 0) -> None:
        self._most = most
        self._stream = np.uint64((random_state + 1) % 2**64)
        self._highest = np.iinfo(np.uint64).max
        self._pieces: list[tuple[NDArray[np.uint64], pa.Table]] = []
        self._n = 0

    def add(self, rows: pa.Table, positions: NDArray[np.int64]) -> None:
        """Further rows; `positions`, (n,) rising, are those among all."""
        hashes = scrambled(positions.astype(np.uint64), self._stream)
        kept = hashes <= self._highest
        self._pieces.append((hashes[kept], _only(rows, kept)))
        self._n += int(kept.sum())
        if self._n > 2 * self._most:
            self._shrink()

    def merge(self, other: RowSample) -> None:
        """Draw from the rows of `other`, too, which come after these."""
        self._most = min(self._most, other._most)
        self._highest = min(self._highest, other._highest)
        self._pieces += other._pieces
        self._n += other._n
        self._shrink()

    def __len__(self) -> int:
        return self._n

    def lower(self, most: int) -> None:
        """Draw no more than `most` rows: as if it had been made with this number."""
        self._most = min(self._most, most)
        self._shrink()

    def table(self) -> pa.Table:
        """The rows that were drawn, in their order."""
        self._shrink()
        return frames.join([rows for _, rows in self._pieces])

    def _shrink(self) -> None:
        if self._n <= self._most:
            return
        hashes = np.concatenate([of_piece for of_piece, _ in self._pieces])
        self._highest = np.partition(hashes, self._most - 1)[self._most - 1]
        self._pieces = [
            (of_piece[of_piece <= self._highest], _only(rows, of_piece <= self._highest))
            for of_piece, rows in self._pieces
        ]
        # One without rows still has the columns.
        self._pieces = [piece for piece in self._pieces if len(piece[0])] or self._pieces[:1]
        self._n = self._most


def _only(rows: pa.Table, kept: NDArray[np.bool_]) -> pa.Table:
    import pyarrow as pa

    # A copy, which does not hold on to the piece.
    return rows.filter(pa.array(kept))
