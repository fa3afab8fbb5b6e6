"""Some rows of the baseline, kept whole: what a window's rows are told apart from, one by one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.example import Example
from monitor.codec import Shape

MAX_KNOWN: Final = 1_000
N_NEIGHBOURS: Final = 5
_BLOCK: Final = 4_096


@dataclass(frozen=True, eq=False)
class KnownRows:
    """Rows drawn at random from the baseline.

    No verdict depends on them: they serve to say which rows of a drifted window changed, and how.

    Parameters
    ----------
    vectors
        (n, width) float32, as `Baseline.assign` scales them.
    quality
        (n, fields) float32, the images' pixel statistics; NaN where there are none, no field at all where
        they were not measured.
    examples
        (n,) where each row is found.
    """

    vectors: Annotated[NDArray[np.float32], Shape("known_rows", "width")]
    quality: Annotated[NDArray[np.float32], Shape("known_rows", None, finite=False)]
    examples: tuple[Example, ...] = ()

    @cached_property
    def own_neighbours(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Each row's `neighbours` among the others."""
        return neighbours(self.vectors, self.vectors, are_same=True)

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True, eq=False)
class Movements:
    """How changes of the pipeline that are often at fault move the vectors of this baseline's images.

    Parameters
    ----------
    names
        What is done to an image, in words: "red and blue swapped".
    vectors
        (len(names), width) float32, the mean movement of images' vectors by each.
    n_images
        Images that were changed to learn this.
    """

    names: tuple[str, ...]
    vectors: Annotated[NDArray[np.float32], Shape("movements", "width")]
    n_images: int


def draw_rows(n: int, random_state: int) -> NDArray[np.int64]:
    """(m,) which of n rows are kept, rising, at most `MAX_KNOWN`."""
    rng = np.random.default_rng([random_state, 0x6B6E6F77])
    return np.sort(rng.permutation(n)[:MAX_KNOWN])


def neighbours(
    rows: NDArray[np.float32], known: NDArray[np.float32], *, are_same: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """For each row, the mean distance to its nearest known rows, and which is the nearest.

    `are_same`: the rows are the known ones, and none is its own neighbour.
    """
    k = min(N_NEIGHBOURS, len(known) - are_same)
    means = np.empty(len(rows))
    nearest = np.empty(len(rows), dtype=np.int64)
    lengths = np.einsum("nd,nd->n", known, known, dtype=np.float64)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        squares = np.einsum("nd,nd->n", block, block, dtype=np.float64)[:, None] + lengths
        squares -= 2 * (block @ known.T)
        if are_same:
            at = np.arange(len(block))
            squares[at, start + at] = np.inf
        few = np.sqrt(np.clip(np.partition(squares, k - 1, axis=1)[:, :k], 0, None))
        means[start : start + len(block)] = few.mean(axis=1)
        nearest[start : start + len(block)] = squares.argmin(axis=1)
    return means, nearest
