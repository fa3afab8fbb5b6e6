"""What is kept of a window's vectors: counts and sums, whose size does not grow with the rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.histogram import ClusterHistogram


@dataclass(frozen=True, eq=False)
class WindowSketch:
    """The sufficient statistics of a set of vectors for every test of `monitor.drift`.

    Parameters
    ----------
    histogram
        Rows per cluster, and failures.
    total
        (width,) float64, the sum of the vectors.
    cluster_totals
        (n_clusters, width) float64, the sum of the vectors of each cluster.
    n_novel
        Rows farther from their nearest centroid than the baseline's novelty radius.
    distance_total
        Sum of the distances to the nearest centroid.
    """

    histogram: ClusterHistogram
    total: NDArray[np.float64]
    cluster_totals: NDArray[np.float64]
    n_novel: int
    distance_total: float

    @property
    def n(self) -> int:
        """Rows with a usable vector."""
        return self.histogram.n

    @property
    def mean(self) -> NDArray[np.float64]:
        """(width,) float64, the mean vector; NaN when there is no row."""
        with np.errstate(invalid="ignore"):
            return self.total / np.float64(self.n)

    def __add__(self, other: WindowSketch) -> WindowSketch:
        return WindowSketch(
            histogram=self.histogram + other.histogram,
            total=self.total + other.total,
            cluster_totals=self.cluster_totals + other.cluster_totals,
            n_novel=self.n_novel + other.n_novel,
            distance_total=self.distance_total + other.distance_total,
        )


def sketch_rows(
    vectors: NDArray[np.float32],
    labels: NDArray[np.int64],
    distances: NDArray[np.float32],
    *,
    n_clusters: int,
    novelty_radius: float,
    failures: dict[str, int],
) -> WindowSketch:
    """The sketch of `vectors`, (n, width), already assigned to clusters."""
    cluster_totals = np.zeros((n_clusters, vectors.shape[1]))
    for cluster in range(n_clusters):
        cluster_totals[cluster] = vectors[labels == cluster].sum(axis=0, dtype=np.float64)
    return WindowSketch(
        histogram=ClusterHistogram(np.bincount(labels, minlength=n_clusters), failures),
        total=cluster_totals.sum(axis=0),
        cluster_totals=cluster_totals,
        n_novel=int(np.count_nonzero(distances > novelty_radius)),
        distance_total=float(distances.sum(dtype=np.float64)),
    )
