"""k-means by scikit-learn, and the assignment of rows to centroids."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.content import n_distinct
from monitor.errors import BaselineError

MAX_FIT_ROWS: Final = 20_000
"""k-means gains nothing visible from more rows than this, and its time grows with them."""

SEEDING_ROWS: Final = 2_000
"""Restarts only choose where k-means begins; so many rows, or 100 a cluster, tell which is best."""
_TIE: Final = 1e-4  # far above the rounding error of a float32 product
_BLOCK_ROWS: Final = 512  # a block of rows stays in the processor's cache
_SAFE: Final = 1e100  # squares of such numbers, and of their inverses, are finite and not 0


def unit_rows(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """The rows of `vectors`, (n, width), scaled to length 1 in float32. No row may be all zero."""
    scaled = np.empty(vectors.shape, dtype=np.float32)
    for start in range(0, len(vectors), _BLOCK_ROWS):
        exact = np.asarray(vectors[start : start + _BLOCK_ROWS], dtype=np.float64)
        norms = np.sqrt(np.einsum("nd,nd->n", exact, exact))
        if not ((norms > 1 / _SAFE) & (norms < _SAFE)).all():
            exact = exact / np.abs(exact).max(axis=1, keepdims=True)
            norms = np.sqrt(np.einsum("nd,nd->n", exact, exact))
        scaled[start : start + len(exact)] = exact / norms[:, None]
    return scaled


def assign(
    vectors: NDArray[np.float32], centroids: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The nearest centroid of each row, and how far it is.

    Parameters
    ----------
    vectors
        (n, width) float32.
    centroids
        (n_clusters, width) float32.

    Returns
    -------
    labels
        (n,) int64 in [0, n_clusters); of two equally near centroids the first.
    distances
        (n,) float32, Euclidean, ≥ 0.

    Examples
    --------
    >>> vectors = np.array([[1, 0], [0.6, 0.8]], dtype=np.float32)
    >>> labels, distances = assign(vectors, np.array([[1, 0], [0, 1]], dtype=np.float32))
    >>> labels.tolist(), [round(float(d), 3) for d in distances]
    ([0, 1], [0.0, 0.632])
    """
    labels = np.empty(len(vectors), dtype=np.int64)
    distances = np.empty(len(vectors), dtype=np.float32)
    half_norms = 0.5 * np.einsum("kd,kd->k", centroids, centroids)
    columns = np.ascontiguousarray(centroids.T)
    # Filled anew by each block: fresh memory would cost as much as the arithmetic.
    n_block = min(_BLOCK_ROWS, len(vectors))
    all_nearness = np.empty((n_block, len(centroids)), dtype=np.float32)
    all_gaps = np.empty((n_block, centroids.shape[1]), dtype=np.float32)
    for start in range(0, len(vectors), _BLOCK_ROWS):
        block = vectors[start : start + _BLOCK_ROWS]
        nearness, gaps = all_nearness[: len(block)], all_gaps[: len(block)]
        np.matmul(block, columns, out=nearness)
        nearness -= half_norms
        nearest = np.argmax(nearness, axis=1)
        _settle_ties(block, centroids, nearness, nearest)
        labels[start : start + len(block)] = nearest
        # From the difference itself: ‖x‖² − 2x·c + ‖c‖² cancels to noise for near rows.
        np.subtract(block, np.take(centroids, nearest, axis=0, out=gaps, mode="clip"), out=gaps)
        np.sqrt(np.einsum("nd,nd->n", gaps, gaps), out=distances[start : start + len(block)])
    return labels, distances


def assign_left_out(
    vectors: NDArray[np.float32],
    centroids: NDArray[np.float32],
    keys: NDArray[np.uint64],
    *,
    most_copies: int = 1,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The nearest centroid of each row that the centroids were fitted on, as if it had not been there.

    A row pulls its centroid towards itself, so fitted rows lie nearer to their own than new rows would, and
    clusters fit them too well: their counts are not those of new rows. Without a row x, of which there are
    m copies, the mean c of its n rows is (n c − m x) / (n − m), and x lies n / (n − m) times as far from
    it. Counted by that, fitted rows fall like new ones.

    Parameters
    ----------
    vectors
        (n, width) float32, the rows that `centroids` are the means of.
    centroids
        (n_clusters, width) float32.
    keys
        (n,) of rows, equal for copies (see `content_keys`).
    most_copies
        So many copies are left out together: of a row that has more, new rows hold copies as well.

    Returns
    -------
    Labels and distances as those of `assign`.

    Examples
    --------
    >>> vectors = np.array([[0], [1], [2.9], [7], [7]], dtype=np.float32)
    >>> centroids = np.array([[1.3], [7]], dtype=np.float32)
    >>> [round(float(d), 2) for d in assign(vectors, centroids)[1]]
    [1.3, 0.3, 1.6, 0.0, 0.0]
    >>> keys = np.array([0, 1, 2, 3, 3], dtype=np.uint64)
    >>> [round(float(d), 2) for d in assign_left_out(vectors, centroids, keys)[1]]
    [1.95, 0.45, 2.4, 0.0, 0.0]
    """
    labels, distances = assign(vectors, centroids)
    sizes = np.bincount(labels, minlength=len(centroids))[labels].astype(np.float64)
    _, which, counts = np.unique(keys, return_inverse=True, return_counts=True)
    left = sizes - np.minimum(counts, most_copies)[which]
    # The only row of a cluster would not find it there.
    stretch = np.divide(sizes, left, out=np.full(len(sizes), np.inf), where=left > 0)
    centres = centroids.astype(np.float64)
    for start in range(0, len(vectors), _BLOCK_ROWS):
        block = vectors[start : start + _BLOCK_ROWS].astype(np.float64)
        own = labels[start : start + len(block)]
        squared = np.einsum("nd,nd->n", block, block)[:, None] - 2 * block @ centres.T
        squared += np.einsum("kd,kd->k", centres, centres)
        rows = np.arange(len(block))
        with np.errstate(invalid="ignore"):
            left_out = distances[start : start + len(block)] * stretch[start : start + len(block)]
        squared[rows, own] = np.where(np.isnan(left_out), np.inf, left_out**2)
        nearest = np.argmin(squared, axis=1)
        labels[start : start + len(block)] = nearest
        distances[start : start + len(block)] = np.sqrt(np.maximum(squared[rows, nearest], 0.0))
    return labels, distances


def _settle_ties(
    block: NDArray[np.float32],
    centroids: NDArray[np.float32],
    nearness: NDArray[np.float32],
    nearest: NDArray[np.int64],
) -> None:
    """Decide rows that lie almost between two centroids in float64, in place; `nearness` is used up.

    The last bits of a float32 matrix product depend on how many rows it has; without this a row could
    fall on either side, depending on the pieces that a window came in.
    """
    if len(centroids) < 2:
        return
    rows = np.arange(len(block))
    best = nearness[rows, nearest]
    least = best - _TIE * (1 + np.abs(best))
    nearness[rows, nearest] = -np.inf
    tied = np.flatnonzero(nearness.max(axis=1) >= least)
    if len(tied):
        nearness[tied, nearest[tied]] = best[tied]
        # Only those that may be nearest: all would be fifty products in float64 where two are enough.
        at, which = np.nonzero(nearness[tied] >= least[tied, None])
        gaps = block[tied[at]].astype(np.float64) - centroids[which]
        squared = np.full((len(tied), len(centroids)), np.inf)
        squared[at, which] = np.einsum("nd,nd->n", gaps, gaps)
        nearest[tied] = np.argmin(squared, axis=1)


def fit_centroids(
    vectors: NDArray[np.float32], n_clusters: int, *, random_state: int, n_init: int = 10
) -> NDArray[np.float32]:
    """Centroids of `vectors` by k-means (Lloyd 1982; seeded as k-means++, Arthur & Vassilvitskii 2007).

    Parameters
    ----------
    vectors
        (n, width) float32; more than `MAX_FIT_ROWS` rows are cut to the first so many.
    n_clusters
        2 or more.
    random_state
        Seed: the same seed and rows give the same centroids.
    n_init
        How many seedings are tried, on some of the rows if there are many; the one of least inertia is kept.

    Returns
    -------
    (n_clusters, width) float32, sorted by falling size, so that cluster 0 is the largest.

    Raises
    ------
    BaselineError
        If there are fewer distinct rows than clusters.
    """
    from sklearn.cluster import KMeans

    vectors = vectors[:MAX_FIT_ROWS]
    if not _are_distinct(vectors, n_clusters):
        raise BaselineError(
            f"{n_clusters} clusters are to be fitted on {n_distinct(vectors)} distinct vectors; at least "
            f"{n_clusters} are needed: give more rows that differ, set n_clusters to a smaller number, "
            "or check that the feed is not one placeholder image"
        )
    seeding = vectors[: max(SEEDING_ROWS, 100 * n_clusters)]
    if len(seeding) == len(vectors) or not _are_distinct(seeding, n_clusters):
        seeding = vectors
    # What several threads add up differs in its last bits from what one does, and a baseline's id with it:
    # the same rows must have the same id on any machine. In a fork other threads would hang as well.
    with _thread_pools().limit(limits=1):
        fitted = KMeans(n_clusters, n_init=n_init, random_state=random_state).fit(seeding)
        if len(seeding) < len(vectors):
            fitted = KMeans(n_clusters, init=fitted.cluster_centers_, n_init=1).fit(vectors)
    centroids = fitted.cluster_centers_.astype(np.float32)
    sizes = np.bincount(fitted.labels_, minlength=n_clusters)
    return np.ascontiguousarray(centroids[np.argsort(-sizes, kind="stable")])


def _are_distinct(vectors: NDArray[np.float32], least: int) -> bool:
    """Whether `least` of the rows differ; the first few tell it as a rule."""
    n = 2 * least
    while n < len(vectors):
        if n_distinct(vectors[:n]) >= least:
            return True
        n *= 4
    return n_distinct(vectors) >= least


@cache
def _thread_pools() -> Any:
    """The libraries that k-means computes with; to list a process's takes milliseconds, so it is done once.

    Called after scikit-learn was imported, which loads them.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
