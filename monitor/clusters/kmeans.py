"""k-means by scikit-learn, and the assignment of rows to centroids."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from monitor.errors import BaselineError

MAX_FIT_ROWS = 50_000
"""k-means gains nothing visible from more rows than this, and its time grows with them."""

_ASSIGN_ROWS = 16_384  # rows per block: a block of squared distances stays in the processor's cache


def unit_rows(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """The rows of `vectors`, (n, width), scaled to length 1 in float32. No row may be all zero."""
    exact = np.asarray(vectors, dtype=np.float64)
    # Scaled by the largest entry first, so that squares of huge or tiny entries stay finite.
    exact = exact / np.abs(exact).max(axis=1, keepdims=True)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    return np.ascontiguousarray(exact, dtype=np.float32)


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
    for start in range(0, len(vectors), _ASSIGN_ROWS):
        block = vectors[start : start + _ASSIGN_ROWS]
        nearest = np.argmax(block @ centroids.T - half_norms, axis=1)
        labels[start : start + len(block)] = nearest
        # From the difference itself: ‖x‖² − 2x·c + ‖c‖² cancels to noise for near rows.
        distances[start : start + len(block)] = np.linalg.norm(block - centroids[nearest], axis=1)
    return labels, distances


def content_order(vectors: NDArray[np.float32], random_state: int) -> NDArray[np.int64]:
    """A random order of the rows that depends on their content alone, not on where they stand.

    Equal rows get equal keys and stand together, so a cut through the order that respects
    `duplicate_end` keeps duplicates on one side.
    """
    key = f"monitor:{random_state}".encode()[:64]
    rows = np.ascontiguousarray(vectors)
    keys = np.array(
        [
            int.from_bytes(hashlib.blake2b(row.tobytes(), digest_size=8, key=key).digest(), "big")
            for row in rows
        ],
        dtype=np.uint64,
    )
    return np.argsort(keys, kind="stable")


def duplicate_end(vectors: NDArray[np.float32], order: NDArray[np.int64], cut: int) -> int:
    """The first position at or after `cut` where a new content begins in `order`."""
    while 0 < cut < len(order) and np.array_equal(vectors[order[cut - 1]], vectors[order[cut]]):
        cut += 1
    return cut


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
        How many seedings are tried; the one of least inertia is kept.

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
    n_distinct = len(np.unique(vectors, axis=0))
    if n_distinct < n_clusters:
        raise BaselineError(
            f"the baseline has {n_distinct} distinct vectors to fit {n_clusters} clusters on; "
            f"at least {n_clusters} are needed: give more rows, or set n_clusters to a smaller number"
        )
    fitted = KMeans(n_clusters, n_init=n_init, random_state=random_state).fit(vectors)
    centroids = fitted.cluster_centers_.astype(np.float32)
    sizes = np.bincount(fitted.labels_, minlength=n_clusters)
    return np.ascontiguousarray(centroids[np.argsort(-sizes, kind="stable")])
