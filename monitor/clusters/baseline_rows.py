"""The baseline's rows as windows are compared with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.baseline_statistics import MAX_SAMPLE, BaselineStatistics
from monitor.clusters.kmeans import assign, assign_left_out, n_distinct, portion_of
from monitor.clusters.sketch import WindowSketch
from monitor.clusters.variation import DatedRows, Variation, count_windows

LEAST_ROWS_OF_CLUSTER: Final = 10
"""With fewer different rows for each, leaving one out does not tell where clusters would be without it."""


@dataclass(frozen=True, eq=False)
class BaselineRows:
    """Rows in clusters; those that nothing was fitted on come first.

    Parameters
    ----------
    n_compared
        Windows are compared with the first so many rows: all, or those that nothing was fitted on.
    order
        (n,) where each row stood in the baseline.
    vectors
        (n, width) float32.
    labels, distances
        (n,) the cluster of each row and how far its centroid is; of fitted rows as if left out of the fit.
    is_novel
        (m,) whether the first m rows, which nothing was fitted on, lie beyond the novelty radius.
    whitened
        (m, width) float64, these rows in whitened coordinates.
    every, windows
        The length of windows, and (n,) which of them each row lies in; negative for rows without a time.
    n_clusters
        How many clusters there are.
    """

    n_compared: int
    order: NDArray[np.int64]
    vectors: NDArray[np.float32]
    labels: NDArray[np.int64]
    distances: NDArray[np.float32]
    is_novel: NDArray[np.bool_]
    whitened: NDArray[np.float64]
    every: str
    windows: NDArray[np.int64]
    n_clusters: int

    @classmethod
    def of(
        cls,
        vectors: NDArray[np.float32],
        fit_rows: NDArray[np.int64],
        other_rows: NDArray[np.int64],
        centroids: NDArray[np.float32],
        whitener: NDArray[np.float32],
        *,
        are_fitted: bool,
        novelty_radius: float,
        every: str,
        windows: NDArray[np.int64] | None,
    ) -> BaselineRows:
        """Place the rows of `vectors`, (n, width); without `are_fitted` the centroids were given."""
        held_out, fitted = vectors[other_rows], vectors[fit_rows]
        labels, distances = assign(held_out, centroids)
        if are_fitted:
            fit_labels, fit_distances = assign_left_out(
                fitted, centroids, most_copies=portion_of(len(vectors))
            )
        else:
            fit_labels, fit_distances = assign(fitted, centroids)
        order = np.concatenate([other_rows, fit_rows])
        is_told = not are_fitted or n_distinct(fitted) >= LEAST_ROWS_OF_CLUSTER * len(centroids)
        return cls(
            len(order) if is_told else len(other_rows),
            order,
            vectors[order],
            np.concatenate([labels, fit_labels]),
            np.concatenate([distances, fit_distances]),
            distances > novelty_radius,
            held_out.astype(np.float64) @ whitener.astype(np.float64),
            every,
            np.full(len(order), -1) if windows is None else windows[order],
            len(centroids),
        )

    def __len__(self) -> int:
        return len(self.order)

    def dated(self, rows: NDArray[np.bool_]) -> DatedRows:
        """The chosen rows, of those that windows are compared with, beside their windows."""
        held_out, compared = rows[: len(self.is_novel)], self._compared(rows)
        return DatedRows(
            self.every,
            self.windows[compared],
            self.labels[compared],
            self.vectors[compared].astype(np.float64),
            self.is_novel[held_out],
            self.whitened[held_out],
            n_clusters=self.n_clusters,
        )

    def statistics(
        self,
        rows: NDArray[np.bool_],
        sketch: Callable[..., WindowSketch],
        failures: Mapping[str, int],
        variation: Variation | None,
        rng: np.random.Generator,
        max_sample: int = MAX_SAMPLE,
    ) -> BaselineStatistics:
        """What windows like the chosen rows are compared with; `sketch` is `sketch_rows` of this baseline."""
        held_out, compared = rows[: len(self.is_novel)], self._compared(rows)
        vectors = self.vectors[compared]
        return BaselineStatistics.of(
            sketch(
                vectors, self.labels[compared], self.distances[compared], failures=dict(failures)
            ),
            vectors,
            self.whitened[held_out],
            n_held_out_novel=int(self.is_novel[held_out].sum()),
            variation=variation,
            window_counts=count_windows(self.windows[rows], self.labels[rows], self.n_clusters),
            max_sample=max_sample,
            rng=rng,
        )

    def _compared(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.flatnonzero(rows[: self.n_compared])
