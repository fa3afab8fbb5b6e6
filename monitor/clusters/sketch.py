"""What is kept of a window's vectors: counts and sums, whose size does not grow with the rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.histogram import ClusterHistogram
from monitor.clusters.quality_sketch import QualitySketch
from monitor.clusters.row_measures import N_FEATURES, N_NEARNESS_BINS, NOVEL_FROM, RowMeasures
from monitor.codec import Shape

MAX_KEPT_ROWS: Final = 256
"""A set of no more rows than this keeps them: so few are compared by permutation, not by formula."""
N_DISTANCE_BINS: Final = 64
_MOST_UNITS: Final = np.float32(2.0**38)
_BLOCK_ROWS: Final = 1_024


def _no_contexts() -> NDArray[np.int64]:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class WindowSketch:
    """The sufficient statistics of a set of vectors for every test of `monitor.drift`.

    Sketches of one baseline add up. Sums are whole numbers of a small unit, so that any order and any
    number of pieces give the same bits.

    Parameters
    ----------
    histogram
        Rows per cluster, and failures.
    cluster_units
        (n_clusters, width) int64, the sum of the vectors of each cluster, in units of `quantum`.
    quantum
        The size of a unit, > 0.
    distance_counts
        (N_DISTANCE_BINS,) int64, rows per bin of the distance to the nearest centroid; the last bin
        has no upper edge.
    nearness_counts
        (N_NEARNESS_BINS,) int64, rows per bin of the mean distance to the baseline's nearest known rows.
    kernel_units
        (N_FEATURES,) int64, the sum of the rows' kernel features (see `Kernels`).
    n_measured
        Rows that the last two are of: all of a window's, of a large baseline's only some.
    rows
        (n, width) float32, the vectors themselves while there are at most `MAX_KEPT_ROWS`; else None.
    contexts
        (strata + 1,) int64, rows per stratum of the baseline and, last, in none; empty where it has none.
    quality
        The images' pixel statistics, where they were measured.
    """

    histogram: ClusterHistogram
    cluster_units: Annotated[NDArray[np.int64], Shape("clusters", "width")]
    quantum: float
    distance_counts: Annotated[NDArray[np.int64], Shape(N_DISTANCE_BINS)]
    nearness_counts: Annotated[NDArray[np.int64], Shape(N_NEARNESS_BINS)]
    kernel_units: Annotated[NDArray[np.int64], Shape(N_FEATURES)]
    n_measured: int
    rows: Annotated[NDArray[np.float32], Shape(None, "width")] | None
    contexts: Annotated[NDArray[np.int64], Shape("_contexts")] = field(default_factory=_no_contexts)
    quality: QualitySketch | None = None

    @property
    def n(self) -> int:
        """Rows with a usable vector."""
        return self.histogram.n

    @property
    def n_novel(self) -> int:
        """Of the measured rows, those farther from known rows than 99 % of the baseline's own."""
        return int(self.nearness_counts[NOVEL_FROM:].sum())

    @property
    def novel_share(self) -> float:
        """Of the measured rows, the share that is novel; NaN where none was measured."""
        return self.n_novel / self.n_measured if self.n_measured else math.nan

    @property
    def mean(self) -> NDArray[np.float64]:
        """(width,) float64, the mean vector; NaN when there is no row."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.cluster_units.sum(axis=0) * self.quantum / np.float64(self.n))

    @property
    def cluster_means(self) -> NDArray[np.float64]:
        """(n_clusters, width) float64, the mean vector of each cluster's rows; 0 where there is none."""
        totals = self.cluster_units * self.quantum
        return np.asarray(totals / np.maximum(self.histogram.counts, 1)[:, None])

    def without_rows(self) -> WindowSketch:
        """The same, without the vectors themselves."""
        return replace(self, rows=None)

    def __add__(self, other: WindowSketch) -> WindowSketch:
        if self.quantum != other.quantum:
            raise ValueError("sketches of two baselines do not add up")
        return WindowSketch(
            histogram=self.histogram + other.histogram,
            cluster_units=self.cluster_units + other.cluster_units,
            quantum=self.quantum,
            distance_counts=self.distance_counts + other.distance_counts,
            nearness_counts=self.nearness_counts + other.nearness_counts,
            kernel_units=self.kernel_units + other.kernel_units,
            n_measured=self.n_measured + other.n_measured,
            rows=_few(self.rows, other.rows),
            contexts=self.contexts + other.contexts,
            quality=None
            if self.quality is None or other.quality is None
            else self.quality + other.quality,
        )


def _few(
    rows: NDArray[np.float32] | None, others: NDArray[np.float32] | None
) -> NDArray[np.float32] | None:
    if rows is None or others is None or len(rows) + len(others) > MAX_KEPT_ROWS:
        return None
    return np.concatenate([rows, others])


def quantum_for(largest: float) -> float:
    """The unit of sums for vectors whose entries are mostly no larger than `largest`.

    A power of two about 10⁹ times smaller; an entry more than 256 times larger than `largest` counts
    as that, so that the sums of millions of rows stay whole numbers of 64 bits.
    """
    return float(2.0 ** (np.ceil(np.log2(max(largest, 1e-30))) - 30))


@dataclass(frozen=True, eq=False)
class Sketcher:
    """What counts and sums the rows of a window, so that sketches of one baseline add up.

    Parameters
    ----------
    n_clusters
        How many clusters there are.
    quantum, distance_edges
        See `Baseline`.
    measures
        What else rows are measured by; None where that is filled in later.
    """

    n_clusters: int
    quantum: float
    distance_edges: NDArray[np.float64]
    measures: RowMeasures | None = None

    def sketch(
        self,
        vectors: NDArray[np.float32],
        labels: NDArray[np.int64],
        distances: NDArray[np.float32],
        failures: Mapping[str, int],
        nearness: NDArray[np.float64] | None = None,
    ) -> WindowSketch:
        """The sketch of `vectors`, (n, width), already assigned to clusters.

        `nearness` are the mean distances to the nearest known rows, where these were measured before.
        """
        bins = np.searchsorted(self.distance_edges, distances, side="right")
        counts = np.bincount(labels, minlength=self.n_clusters)
        measures = self.measures
        return WindowSketch(
            histogram=ClusterHistogram(counts, dict(failures)),
            cluster_units=_cluster_units(vectors, labels, self.n_clusters, self.quantum),
            quantum=self.quantum,
            distance_counts=np.bincount(bins, minlength=N_DISTANCE_BINS),
            nearness_counts=measures.nearness(vectors, nearness)
            if measures
            else np.zeros(N_NEARNESS_BINS, dtype=np.int64),
            kernel_units=measures.kernels.units(vectors)
            if measures
            else np.zeros(N_FEATURES, dtype=np.int64),
            n_measured=len(vectors) if measures else 0,
            rows=np.array(vectors) if len(vectors) <= MAX_KEPT_ROWS else None,
        )


def _cluster_units(
    vectors: NDArray[np.float32], labels: NDArray[np.int64], n_clusters: int, quantum: float
) -> NDArray[np.int64]:
    """Sums of whole units. Those of a block are exact in float64, in any order: 1,024 · 2³⁸ < 2⁵³."""
    units = np.zeros((n_clusters, vectors.shape[1]), dtype=np.int64)
    order = np.argsort(labels, kind="stable")
    edges = np.searchsorted(labels[order], np.arange(n_clusters + 1))
    for cluster in range(n_clusters):
        members = order[edges[cluster] : edges[cluster + 1]]
        for start in range(0, len(members), _BLOCK_ROWS):
            # A power of two: nothing is lost but what lies below a unit.
            with np.errstate(over="ignore"):
                block = vectors[members[start : start + _BLOCK_ROWS]] * np.float32(1 / quantum)
            np.rint(block, out=block)
            np.clip(block, -_MOST_UNITS, _MOST_UNITS, out=block)
            units[cluster] += block.sum(axis=0, dtype=np.float64).astype(np.int64)
    return units
