"""The baseline's rows as windows are compared with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.baseline_statistics import BaselineStatistics
from monitor.clusters.content import portion_of
from monitor.clusters.fitted import FittedClusters
from monitor.clusters.kmeans import assign, assign_left_out
from monitor.clusters.measured_rows import MeasuredRows
from monitor.clusters.moments import spectral_moments
from monitor.clusters.replayed_windows import ReplayedWindows
from monitor.clusters.scatter import Scatter
from monitor.clusters.variation import DatedRows, Variation, count_windows

MAX_SAMPLE: Final = 1_000
"""Rows that statistics keep of each part."""
_MOMENT_ROWS: Final = 20_000
"""So many rows tell the moments to 1/√20,000 of the standard deviation of a statistic that they scale."""
LEAST_ROWS_OF_CLUSTER: Final = 10
"""With fewer different rows for each, leaving one out does not tell where clusters would be without it."""


@dataclass(frozen=True, eq=False)
class RowWindows:
    """Which window of time each row lies in.

    Parameters
    ----------
    every
        The length of the windows, such as "1d".
    numbers
        (n,) the number of each row's window; negative for rows without a time.
    n_seasons
        Windows whose numbers are alike modulo this may differ from others as a rule: 7 for days. Each
        such season gets statistics of its own when the rows show that they do.
    finer
        The same numbers of shorter windows, each inside one of these, by their length.
    """

    every: str
    numbers: NDArray[np.int64]
    n_seasons: int = 1
    finer: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)

    @property
    def usual_size(self) -> int | None:
        """The median number of rows of the windows; None where no row has a time."""
        sizes = self._sizes
        return int(np.median(sizes)) if len(sizes) else None

    @property
    def n_windows(self) -> int:
        """How many windows have rows."""
        return len(self._sizes)

    @property
    def _sizes(self) -> NDArray[np.int64]:
        return np.unique(self.numbers[self.numbers >= 0], return_counts=True)[1]


@dataclass(frozen=True, eq=False)
class BaselineRows:
    """Rows in clusters; those that nothing was fitted on come first.

    Parameters
    ----------
    clusters
        The clusters.
    n_compared
        Windows are compared with the first so many rows: all, or those that nothing was fitted on.
    order
        (n,) where each row stood in the baseline.
    vectors
        (n, width) float32.
    labels, distances
        (n,) the cluster of each row and how far its centroid is; of fitted rows as if left out of the fit.
    keys
        (n,) a number for each row that only copies share (see `content_keys`).
    n_held_out
        The first so many rows are those that nothing was fitted on.
    every, windows
        The length of windows, and (n,) which of them each row lies in; negative for rows without a time.
    strata
        (n,) which stratum of contexts each row is in (see `Strata`); empty where there are none.
    measured
        What else the first rows are measured by; None where no statistics are asked for.
    """

    clusters: FittedClusters
    n_compared: int
    order: NDArray[np.int64]
    vectors: NDArray[np.float32]
    labels: NDArray[np.int64]
    distances: NDArray[np.float32]
    keys: NDArray[np.uint64]
    n_held_out: int
    every: str
    windows: NDArray[np.int64]
    strata: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    measured: MeasuredRows | None = None

    @classmethod
    def of(
        cls,
        vectors: NDArray[np.float32],
        keys: NDArray[np.uint64],
        split: tuple[NDArray[np.int64], NDArray[np.int64]],
        clusters: FittedClusters,
        windows: RowWindows | None,
    ) -> BaselineRows:
        """Assign the rows of `vectors`, (n, width).

        Parameters
        ----------
        vectors, keys
            The rows, and a number for each that only copies share.
        split
            Positions of the rows that the clusters were fitted on, and of the others.
        clusters, windows
            The clusters, and which window each row lies in.
        """
        fit_rows, other_rows = split
        n_held_out = len(other_rows)
        order = np.concatenate([other_rows, fit_rows])
        vectors, keys = vectors[order], keys[order]
        fitted, fitted_keys = vectors[n_held_out:], keys[n_held_out:]
        labels, distances = assign(vectors[:n_held_out], clusters.centroids)
        if clusters.are_given:
            are_enough = True
            fit_labels, fit_distances = assign(fitted, clusters.centroids)
        else:
            least = LEAST_ROWS_OF_CLUSTER * clusters.n_clusters
            are_enough = len(np.unique(fitted_keys)) >= least
            fit_labels, fit_distances = assign_left_out(
                fitted, clusters.centroids, fitted_keys, most_copies=portion_of(len(vectors))
            )
        return cls(
            clusters=clusters,
            n_compared=len(order) if are_enough else n_held_out,
            order=order,
            vectors=vectors,
            labels=np.concatenate([labels, fit_labels]),
            distances=np.concatenate([distances, fit_distances]),
            keys=keys,
            n_held_out=n_held_out,
            every="" if windows is None else windows.every,
            windows=np.full(len(order), -1) if windows is None else windows.numbers[order],
        )

    @property
    def all(self) -> NDArray[np.bool_]:
        """(n,) a mask that holds every row."""
        return np.ones(len(self.order), dtype=bool)

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """(n,) where each row of the baseline stands here: `labels[places]` are in the baseline's order."""
        places = np.empty(len(self.order), dtype=np.int64)
        places[self.order] = np.arange(len(self.order))
        return places

    def dated(self, mask: NDArray[np.bool_]) -> DatedRows:
        """The rows in `mask`, of those that windows are compared with, beside their windows."""
        compared = self._compared(mask)
        return DatedRows(
            self.every,
            self.windows[compared],
            self.labels[compared],
            n_clusters=self.clusters.n_clusters,
        )

    def statistics(
        self,
        mask: NDArray[np.bool_],
        variation: Variation | None,
        rng: np.random.Generator,
        *,
        failures: Mapping[str, int] | None = None,
        max_sample: int = MAX_SAMPLE,
        grouped: ReplayedWindows | None = None,
    ) -> BaselineStatistics:
        """What windows like the rows in `mask` are compared with."""
        compared = self._compared(mask)
        vectors, n = self.vectors[compared], int(mask[: self.n_held_out].sum())
        sketch = self.clusters.sketcher.sketch(
            vectors, self.labels[compared], self.distances[compared], failures or {}
        )
        assert self.measured is not None
        sketch, kernel_moments = self.measured.fill(sketch, mask)
        whitener = self.clusters.whitener.astype(np.float64)
        if n < vectors.shape[1]:
            # Of fewer rows than columns, products of rows are fewer than products of columns.
            exact = vectors.astype(np.float64)
            moments = spectral_moments(exact), spectral_moments(exact[:n] @ whitener)
        else:
            # In the order of their content, which is at random: the first are a sample of each part.
            n_held_out = min(n, _MOMENT_ROWS)
            n_fitted = round((len(vectors) - n) * n_held_out / n)
            held_out = Scatter.of(vectors[:n_held_out])
            both = held_out + Scatter.of(vectors[n : n + n_fitted])
            moments = both.moments(), held_out.moments(whitener)
        return BaselineStatistics(
            sketch.without_rows(),  # a sample stands for them
            n_held_out=n,
            mean_moments=moments[0],
            whitened_moments=moments[1],
            kernel_moments=kernel_moments,
            sample=_sample(vectors[:n], max_sample, rng),
            fit_sample=_sample(vectors[n:], max_sample, rng),
            window_counts=count_windows(
                self.windows[mask], self.labels[mask], self.clusters.n_clusters
            ),
            variation=variation,
            grouped=grouped,
        )

    def _compared(self, mask: NDArray[np.bool_]) -> slice | NDArray[np.int64]:
        """Which rows of `mask` windows are compared with; all of them as a slice, which copies nothing."""
        compared = mask[: self.n_compared]
        return slice(self.n_compared) if compared.all() else np.flatnonzero(compared)


def _sample(
    vectors: NDArray[np.float32], most: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    drawn = np.sort(rng.permutation(len(vectors))[:most])
    return np.ascontiguousarray(vectors[drawn])
