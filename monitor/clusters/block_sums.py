"""What a baseline's rows add up to, block by block: what is outside a block is the total without it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.scatter import Scatter


@dataclass(frozen=True, eq=False)
class BlockSums:
    """Sums of vectors.

    Parameters
    ----------
    sizes
        (n_blocks + 1,) rows of each block; those of no block last.
    sums
        (n_blocks + 1, width) float64.
    """

    sizes: NDArray[np.int64]
    sums: NDArray[np.float64]

    @classmethod
    def of(
        cls, vectors: NDArray[np.float32], chosen: NDArray[np.int64], blocks: NDArray[np.int64]
    ) -> BlockSums:
        """Of the rows at `chosen`, (m,), `blocks` being that of every row, (n,), −1 for none."""
        parts = rows_of_blocks(chosen, blocks)
        return cls(
            np.array([len(part) for part in parts]),
            np.stack([vectors[part].sum(axis=0, dtype=np.float64) for part in parts]),
        )

    def mean_outside(self, block: int) -> NDArray[np.float64]:
        """(width,) the mean of the rows that are not in a block."""
        others = np.arange(len(self.sizes)) != block
        return np.asarray(self.sums[others].sum(axis=0) / max(int(self.sizes[others].sum()), 1))


@dataclass(frozen=True, eq=False)
class BlockScatters:
    """How vectors lie round their mean.

    Parameters
    ----------
    parts
        Those of each block, and last those of none.
    total
        All together.
    """

    parts: tuple[Scatter, ...]
    total: Scatter

    @classmethod
    def of(
        cls, vectors: NDArray[np.float32], chosen: NDArray[np.int64], blocks: NDArray[np.int64]
    ) -> BlockScatters:
        """As `BlockSums.of`."""
        parts = tuple(Scatter.of(vectors[part]) for part in rows_of_blocks(chosen, blocks))
        return cls(parts, reduce(Scatter.__add__, parts))

    def outside(self, block: int) -> Scatter:
        """Of the rows that are not in a block."""
        return self.total.without(self.parts[block])


def rows_of_blocks(chosen: NDArray[np.int64], blocks: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Of positions `chosen`, rising, those in each block, and last those in none.

    Examples
    --------
    >>> [part.tolist() for part in rows_of_blocks(np.array([0, 2, 3]), np.array([1, 0, -1, 1]))]
    [[], [0, 3], [2]]
    """
    of_chosen = blocks[chosen]
    n_blocks = int(blocks.max(initial=-1)) + 1
    return [chosen[of_chosen == block] for block in (*range(n_blocks), -1)]
