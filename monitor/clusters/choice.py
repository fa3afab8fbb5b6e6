"""How many clusters: the finest partition that two halves of the data agree on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from monitor.clusters.kmeans import assign, fit_centroids
from monitor.errors import TooFewRowsError
from monitor.progress import steps

CANDIDATES = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30)
ROWS_PER_CLUSTER = 25
"""No candidate has fewer expected rows a cluster in each half: such a cluster would say little."""
WINDOW_ROWS_PER_CLUSTER = 5
"""Nor fewer in a window: the least expected count that χ² tests are usually trusted with (Cochran 1954)."""
MAX_CHOICE_ROWS = 10_000
STABLE = 0.6
"""A mean Jaccard index from which clusters count as patterns of the data (Hennig 2008, sec. 4)."""
_N_SPLITS = 3


@dataclass(frozen=True)
class ClusterChoice:
    """The number of clusters chosen, and why.

    Parameters
    ----------
    n_clusters
        The choice.
    stability
        For each candidate tried, the mean Jaccard index in [0, 1] between the clusters of two partitions of
        the same rows whose centroids were fitted on two different halves; 1 is perfect agreement.
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


def matched_jaccard(first: NDArray[np.int64], second: NDArray[np.int64], n_clusters: int) -> float:
    """How alike two partitions' clusters are, in [0, 1]: the mean Jaccard index of matched clusters by size.

    Examples
    --------
    >>> halves, uneven = np.array([0, 0, 1, 1]), np.array([1, 1, 0, 1])
    >>> matched_jaccard(halves, halves[::-1], 2), round(matched_jaccard(halves, uneven, 2), 3)
    (1.0, 0.583)
    """
    both = np.zeros((n_clusters, n_clusters))
    np.add.at(both, (first, second), 1)
    sizes = both.sum(axis=1)
    jaccard = both / np.maximum(sizes[:, None] + both.sum(axis=0) - both, 1)
    matched, partners = optimize.linear_sum_assignment(-jaccard)
    return float(sizes[matched] @ jaccard[matched, partners] / len(first))


def choose_n_clusters(
    vectors: NDArray[np.float32],
    *,
    random_state: int,
    window_rows: int | None = None,
    baseline_rows: int | None = None,
) -> ClusterChoice:
    """Choose the number of clusters by stability: the finest partition whose clusters come again.

    k-means is fitted on two disjoint halves, and all rows are assigned by both (Ben-Hur, Elisseeff & Guyon
    2002). The clusters of the two partitions are matched, one to one, and compared by the Jaccard index, the
    share of rows that both have of those that either has (Hennig 2007), averaged by their sizes and over
    three splits. The finest candidate wins that reaches 0.6 and is a peak, as stable as the next candidates
    on both sides: more clusters see smaller moves (see `smallest_move`) and say better what changed, as long
    as they are not chance. The most stable of all would nearly always be the fewest; inertia always falls
    with k, and silhouette nearly always on CLIP vectors.

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
    TooFewRowsError
        If there are too few rows even for two clusters.
    """
    n_vectors, vectors = len(vectors), vectors[:MAX_CHOICE_ROWS]
    most = len(vectors) // (2 * ROWS_PER_CLUSTER)
    if window_rows is not None:
        most = min(most, max(window_rows // WINDOW_ROWS_PER_CLUSTER, CANDIDATES[0]))
    candidates = [k for k in CANDIDATES if k <= most]
    if not candidates:
        raise TooFewRowsError(
            f"{len(vectors)} rows are too few to choose the number of clusters from; at least "
            f"{4 * ROWS_PER_CLUSTER} are needed: give more rows, or set n_clusters yourself",
            # Of a baseline: half of its rows fit the clusters.
            least=8 * ROWS_PER_CLUSTER,
        )
    rng = np.random.default_rng(random_state)
    agreement: dict[int, list[float]] = {k: [] for k in candidates}
    for _ in steps(range(_N_SPLITS), "choosing the number of clusters"):
        first, second = np.array_split(rng.permutation(len(vectors)), 2)
        for k in candidates:
            first_labels, second_labels = (
                assign(
                    vectors, fit_centroids(vectors[half], k, random_state=random_state, n_init=3)
                )[0]
                for half in (first, second)
            )
            agreement[k].append(matched_jaccard(first_labels, second_labels, k))
    stability = {k: float(np.mean(values)) for k, values in agreement.items()}
    values = np.array(list(stability.values()))
    beside = np.maximum(np.append(values[1:], 0.0), np.append(0.0, values[:-1]))
    peaks = np.flatnonzero((values >= STABLE) & (values >= beside))
    n_clusters = candidates[int(peaks[-1] if len(peaks) else values.argmax())]
    table = ", ".join(f"{value:.2f} with {k}" for k, value in stability.items())
    why = (
        "the finest that two halves of the data agree on"
        if len(peaks)
        else f"the steadiest, but chance: two halves of the data do not agree (below {STABLE})"
    )
    reason = f"{n_clusters} clusters, {why}; mean Jaccard index of their clusters: {table}"
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
