"""Changed rows in a few groups of rows that are alike."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.content import n_distinct
from monitor.clusters.kmeans import assign, fit_centroids

MOST_GROUPS: Final = 4
_LEAST_ROWS: Final = 8
"""Of a group; fewer rows are no content of their own."""
_LEAST_APART: Final = 0.1
"""The mean silhouette (Rousseeuw 1987) from which groups are called apart: below, one is cut in pieces."""


def group_rows(vectors: NDArray[np.float32], *, random_state: int = 0) -> NDArray[np.int64]:
    """(n,) the group of each row, 0 the largest; as many groups as stand apart best, at most `MOST_GROUPS`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = rng.normal(size=(60, 4)).astype(np.float32)
    >>> rows[:20] += 9
    >>> np.bincount(group_rows(rows)).tolist()
    [40, 20]
    """
    best, clearest = np.zeros(len(vectors), dtype=np.int64), _LEAST_APART
    for n in range(2, min(MOST_GROUPS, len(vectors) // _LEAST_ROWS, n_distinct(vectors)) + 1):
        centres = fit_centroids(vectors, n, random_state=random_state, n_init=3)
        groups = assign(vectors, centres)[0]
        if np.bincount(groups, minlength=n).min() < _LEAST_ROWS:
            continue
        if (apart := _silhouette(vectors, groups)) > clearest:
            best, clearest = groups, apart
    return best


def middle_first(vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """(n,) rows by how near to their middle they lie; of copies only the first."""
    distances = np.linalg.norm(vectors - vectors.mean(axis=0), axis=1)
    order = np.argsort(distances, kind="stable")
    first = np.unique(vectors[order], axis=0, return_index=True)[1]
    return order[np.sort(first)]


def _silhouette(vectors: NDArray[np.float32], groups: NDArray[np.int64]) -> float:
    from sklearn.metrics import silhouette_score

    return float(
        silhouette_score(vectors, groups, sample_size=min(len(vectors), 1_000), random_state=0)
    )
