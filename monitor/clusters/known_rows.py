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
_BLOCK: Final = 512


@dataclass(frozen=True, eq=False)
class KnownRows:
    """Rows drawn at random from the baseline.

    A row far from the nearest of them is novel; and they tell which rows of a drifted window changed.

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
        own = np.arange(len(self.vectors))
        return neighbours(self.vectors, self.vectors, (own, own))

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
    rows: NDArray[np.float32],
    known: NDArray[np.float32],
    kin: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """For each row, the mean distance to its nearest known rows, and which is the nearest.

    Parameters
    ----------
    rows, known
        (n, width) and (m, width).
    kin
        (n,) and (m,) numbers: a known row with the same number as a row, such as the row itself or a copy
        of it, is none of its neighbours.

    Returns
    -------
    (n,) float64 distances, to the bit the same in whatever pieces rows come; infinite where no known row
    is a neighbour.
    """
    k = min(N_NEIGHBOURS, len(known))
    means = np.empty(len(rows))
    nearest = np.empty(len(rows), dtype=np.int64)
    lengths = np.einsum("nd,nd->n", known, known)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        # Up to ‖x‖², which changes no order.
        squares = lengths - 2 * (block @ known.T)
        if kin is not None:
            squares[kin[0][start : start + len(block), None] == kin[1]] = np.inf
        few, least = _smallest(squares, k)
        # From the differences themselves: products cancel to noise for near rows.
        distances = _distances(block, known, few)
        is_kin = np.isinf(least)
        n_left = k - is_kin.sum(axis=1)
        distances[is_kin] = np.inf
        distances.sort(axis=1)
        total = np.where(np.isfinite(distances), distances, 0.0).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            means[start : start + len(block)] = np.where(n_left > 0, total / n_left, np.inf)
        nearest[start : start + len(block)] = few[:, 0]
    return means, nearest


def _distances(
    rows: NDArray[np.float32], known: NDArray[np.float32], which: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(n, k) how far the known rows at `which`, (n, k), are from each row."""
    distances = np.empty(which.shape)
    # One neighbour after the other, so that what is at work stays in the processor's cache.
    gaps, exact = np.empty_like(rows), np.empty(rows.shape)
    for i in range(which.shape[1]):
        np.take(known, which[:, i], axis=0, out=gaps, mode="clip")
        np.subtract(rows, gaps, out=gaps)
        exact[:] = gaps
        distances[:, i] = np.einsum("nd,nd->n", exact, exact)
    return np.sqrt(distances)


def _smallest(
    squares: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(n, k) where the k smallest of each row of `squares` are, rising, and what; that is overwritten.

    Of so few, one minimum after the other is found five times as fast as by a partition.
    """
    at = np.arange(len(squares))
    few = np.empty((len(squares), k), dtype=np.int64)
    least = np.empty((len(squares), k), dtype=squares.dtype)
    for i in range(k):
        few[:, i] = squares.argmin(axis=1)
        least[:, i] = squares[at, few[:, i]]
        squares[at, few[:, i]] = np.inf
    return few, least
