"""How many clusters: the finest partition that two halves of the data agree on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from monitor.clusters.kmeans import assign, fit_centroids
from monitor.errors import BaselineError
from monitor.progress import steps

CANDIDATES = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30)
ROWS_PER_CLUSTER = 25
"""No candidate has fewer expected rows a cluster in each half: such a cluster would say little."""
WINDOW_ROWS_PER_CLUSTER = 5
"""Nor fewer in a window: the least expected count that χ² tests are usually trusted with (Cochran 1954)."""
MAX_CHOICE_ROWS = 10_000
_TOLERANCE = 0.05
_N_SPLITS = 3


@dataclass(frozen=True)
class ClusterChoice:
    """The number of clusters chosen, and why.

    Parameters
    ----------
    n_clusters
        The choice.
    stability
        For each candidate tried, the adjusted Rand index in [-1, 1] between two partitions of the same
        rows whose centroids were fitted on two different halves; 1 is perfect agreement.
    reason
        The choice in a sentence.
    """

    n_clusters: int
    stability: dict[int, float]
    reason: str


def smallest_move(n_clusters: int, n_baseline: int, n_window: int) -> float:
    """The share of rows that, moved from one cluster to another, the mix test sees in 8 of 10 windows.

    X² of the 2 × k table has k − 1 degrees of freedom and, for a move of s between two of k equal
    clusters, the noncentrality 2 k s² / f with f = 1/N + 1/n; it must pass the 1 % level with
    probability 0.8.

    Examples
    --------
    >>> round(smallest_move(5, 5000, 1000), 3), round(smallest_move(20, 5000, 1000), 3)
    (0.045, 0.029)
    """
    df = n_clusters - 1
    limit = stats.chi2.isf(0.01, df)
    needed = optimize.brentq(lambda x: stats.ncx2.sf(limit, df, x) - 0.8, 1e-6, 1e4)
    return float(min(np.sqrt(needed * (1 / n_baseline + 1 / n_window) / (2 * n_clusters)), 1.0))


def choose_n_clusters(
    vectors: NDArray[np.float32],
    *,
    random_state: int,
    window_rows: int | None = None,
    baseline_rows: int | None = None,
) -> ClusterChoice:
    """Choose the number of clusters by stability (Ben-Hur, Elisseeff & Guyon 2002).

    k-means is fitted on two disjoint halves, all rows are assigned by both, and the two partitions are
    compared by the adjusted Rand index (Hubert & Arabie 1985), averaged over three splits. The largest
    candidate within 0.05 of the most stable one wins: more clusters see smaller moves (see
    `smallest_move`), as long as they are not chance. Inertia or silhouette would be the usual
    alternatives, but the first always falls with k and the second nearly always on CLIP vectors.

    Parameters
    ----------
    vectors
        (n, width) float32; more than `MAX_CHOICE_ROWS` rows are cut to the first so many.
    random_state
        Seed of the splits and fits.
    window_rows
        How many rows the windows have that will be judged; candidates whose clusters would hold fewer
        than 5 of them are left out. By default that is not known.
    baseline_rows
        How many rows windows will be compared with; by default those of `vectors`.

    Raises
    ------
    BaselineError
        If there are too few rows even for two clusters.
    """
    from sklearn.metrics import adjusted_rand_score

    n_vectors, vectors = len(vectors), vectors[:MAX_CHOICE_ROWS]
    most = len(vectors) // (2 * ROWS_PER_CLUSTER)
    if window_rows is not None:
        most = min(most, max(window_rows // WINDOW_ROWS_PER_CLUSTER, CANDIDATES[0]))
    candidates = [k for k in CANDIDATES if k <= most]
    if not candidates:
        raise BaselineError(
            f"{len(vectors)} rows are too few to choose the number of clusters from; at least "
            f"{4 * ROWS_PER_CLUSTER} are needed: give more rows, or set n_clusters yourself"
        )
    rng = np.random.default_rng(random_state)
    agreement: dict[int, list[float]] = {k: [] for k in candidates}
    for _ in steps(range(_N_SPLITS), "choosing the number of clusters"):
        first, second = np.array_split(rng.permutation(len(vectors)), 2)
        for k in candidates:
            labels = [
                assign(
                    vectors, fit_centroids(vectors[half], k, random_state=random_state, n_init=3)
                )[0]
                for half in (first, second)
            ]
            agreement[k].append(float(adjusted_rand_score(*labels)))
    stability = {k: float(np.mean(values)) for k, values in agreement.items()}
    best = max(stability.values())
    n_clusters = max(k for k, value in stability.items() if value >= best - _TOLERANCE)
    reason = (
        f"{n_clusters} clusters: fits on two halves of the data agree with an adjusted Rand index of "
        f"{stability[n_clusters]:.2f}, within {_TOLERANCE} of the best ({best:.2f}); of the candidates "
        f"{', '.join(map(str, candidates))} it is the finest partition that does"
    )
    if window_rows is not None:
        n_baseline = baseline_rows or n_vectors
        move, move_of_fewest = (
            smallest_move(k, n_baseline, window_rows) for k in (n_clusters, candidates[0])
        )
        reason += (
            f"; in a window of {window_rows:,} rows it shows a move of {move:.1%} of the rows from one "
            f"cluster to another, {candidates[0]} clusters one of {move_of_fewest:.1%}"
        )
    return ClusterChoice(n_clusters, stability, reason)
