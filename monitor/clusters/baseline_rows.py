"""The baseline's rows as windows are compared with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.baseline_statistics import BaselineStatistics
from monitor.clusters.fitted import FittedClusters
from monitor.clusters.kmeans import assign, assign_left_out, n_distinct, portion_of
from monitor.clusters.moments import spectral_moments
from monitor.clusters.variation import DatedRows, Variation, count_windows

MAX_SAMPLE: Final = 1_000
"""Rows that statistics keep of each part."""
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
    """

    every: str
    numbers: NDArray[np.int64]
    n_seasons: int = 1

    @property
    def usual_size(self) -> int | None:
        """The median number of rows of the windows; None where no row has a time."""
        dated = self.numbers[self.numbers >= 0]
        return int(np.median(np.unique(dated, return_counts=True)[1])) if len(dated) else None


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
    whitened
        (m, width) float64, the first m rows, which nothing was fitted on, in whitened coordinates.
    every, windows
        The length of windows, and (n,) which of them each row lies in; negative for rows without a time.
    """

    clusters: FittedClusters
    n_compared: int
    order: NDArray[np.int64]
    vectors: NDArray[np.float32]
    labels: NDArray[np.int64]
    distances: NDArray[np.float32]
    whitened: NDArray[np.float64]
    every: str
    windows: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        vectors: NDArray[np.float32],
        split: tuple[NDArray[np.int64], NDArray[np.int64]],
        clusters: FittedClusters,
        windows: RowWindows | None,
    ) -> BaselineRows:
        """Assign the rows of `vectors`, (n, width); `split` has those fitted on, and the others."""
        fit_rows, other_rows = split
        held_out, fitted = vectors[other_rows], vectors[fit_rows]
        labels, distances = assign(held_out, clusters.centroids)
        if clusters.are_given:
            fit_labels, fit_distances = assign(fitted, clusters.centroids)
        else:
            fit_labels, fit_distances = assign_left_out(
                fitted, clusters.centroids, most_copies=portion_of(len(vectors))
            )
        order = np.concatenate([other_rows, fit_rows])
        least = LEAST_ROWS_OF_CLUSTER * clusters.n_clusters
        are_enough = clusters.are_given or n_distinct(fitted) >= least
        return cls(
            clusters=clusters,
            n_compared=len(order) if are_enough else len(other_rows),
            order=order,
            vectors=vectors[order],
            labels=np.concatenate([labels, fit_labels]),
            distances=np.concatenate([distances, fit_distances]),
            whitened=held_out.astype(np.float64) @ clusters.whitener.astype(np.float64),
            every="" if windows is None else windows.every,
            windows=np.full(len(order), -1) if windows is None else windows.numbers[order],
        )

    @property
    def all(self) -> NDArray[np.bool_]:
        """(n,) a mask that holds every row."""
        return np.ones(len(self.order), dtype=bool)

    @property
    def n_held_out(self) -> int:
        """Rows that nothing was fitted on."""
        return len(self.whitened)

    @property
    def is_novel(self) -> NDArray[np.bool_]:
        """(n_held_out,) whether the rows that nothing was fitted on lie beyond the novelty radius."""
        return np.asarray(self.distances[: self.n_held_out] > self.clusters.novelty_radius)

    def dated(self, mask: NDArray[np.bool_]) -> DatedRows:
        """The rows in `mask`, of those that windows are compared with, beside their windows."""
        _, compared = self._parts(mask)
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
    ) -> BaselineStatistics:
        """What windows like the rows in `mask` are compared with."""
        held_out, compared = self._parts(mask)
        vectors, whitened = self.vectors[compared], self.whitened[held_out]
        n = len(whitened)
        sketch = self.clusters.sketcher.sketch(
            vectors, self.labels[compared], self.distances[compared], failures or {}
        )
        return BaselineStatistics(
            sketch.without_rows(),  # a sample stands for them
            n_held_out=n,
            n_held_out_novel=int(self.is_novel[held_out].sum()),
            mean_moments=spectral_moments(vectors.astype(np.float64)),
            whitened_moments=spectral_moments(whitened),
            sample=_sample(vectors[:n], max_sample, rng),
            fit_sample=_sample(vectors[n:], max_sample, rng),
            window_counts=count_windows(
                self.windows[mask], self.labels[mask], self.clusters.n_clusters
            ),
            variation=variation,
        )

    def _parts(self, mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """A mask of the rows that nothing was fitted on, and the positions of those compared with."""
        return mask[: self.n_held_out], np.flatnonzero(mask[: self.n_compared])


def _sample(
    vectors: NDArray[np.float32], most: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    drawn = np.sort(rng.permutation(len(vectors))[:most])
    return np.ascontiguousarray(vectors[drawn])
