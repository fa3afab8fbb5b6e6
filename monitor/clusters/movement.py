"""How much rows move inside their clusters, and how much the means of windows do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.moments import spectral_moments
from monitor.codec import Shape


@dataclass(frozen=True, eq=False)
class Movement:
    """How much rows, and the means of windows, move inside their clusters.

    Parameters
    ----------
    rows
        (3,) float64: tr Σ, tr Σ², tr Σ³ of the covariance Σ of a row's vector round the mean of its cluster.
    windows
        (3,) float64: the same of V = Σ + n̄ B, the covariance of √n̄ times a window's mean of these; B is
        what windows truly move.
    mean_size
        n̄, the mean size of a window.
    freedom
        Windows that V was estimated with, less the means that were taken off.
    """

    rows: Annotated[NDArray[np.float64], Shape(3, finite=False)]
    windows: Annotated[NDArray[np.float64], Shape(3, finite=False)]
    mean_size: float
    freedom: float

    @classmethod
    def of(
        cls,
        vectors: NDArray[np.float64],
        labels: NDArray[np.int64],
        index: NDArray[np.int64],
        seasons: NDArray[np.int64],
        n_clusters: int,
    ) -> Movement:
        """Of rows, (n, width), in clusters `labels` and windows `index`, which lie in `seasons`."""
        residuals = vectors - _group_means(vectors, labels, n_clusters)[labels]
        sizes = np.bincount(index)
        means = _group_means(residuals, index, len(sizes))
        n_seasons = int(seasons.max()) + 1
        of_season = _group_means(residuals, seasons[index], n_seasons)
        deviations = (means - of_season[seasons]) * np.sqrt(sizes)[:, None]
        n_means = len(np.unique(seasons))
        total = sizes.sum()
        return cls(
            rows=spectral_moments(residuals, n_means=1),
            windows=spectral_moments(deviations, n_means=n_means),
            mean_size=float((total - (sizes**2).sum() / total) / max(len(sizes) - 1, 1)),
            freedom=float(len(sizes) - n_means),
        )


def _group_means(
    vectors: NDArray[np.float64], groups: NDArray[np.int64], n_groups: int
) -> NDArray[np.float64]:
    """(n_groups, width): the mean row of each group, 0 for empty ones."""
    means = np.zeros((n_groups, vectors.shape[1]))
    if len(vectors) == 0:
        return means
    order = np.argsort(groups, kind="stable")
    sizes = np.bincount(groups, minlength=n_groups)
    starts = (np.cumsum(sizes) - sizes)[sizes > 0]
    means[sizes > 0] = np.add.reduceat(vectors[order], starts, axis=0) / sizes[sizes > 0, None]
    return means
