"""Clusters as they come from a fit, with what the rows behind them say of rows to come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from monitor.clusters.kmeans import assign
from monitor.clusters.scatter import Scatter
from monitor.clusters.sketch import N_DISTANCE_BINS, Sketcher, quantum_for


@dataclass(frozen=True, eq=False)
class FittedClusters:
    """Centroids, and the scales that rows are measured by; all fields but one are those of `Baseline`.

    Parameters
    ----------
    centroids
        (n_clusters, width) float32.
    are_given
        Whether a user gave the centroids, so that no row was fitted on.
    whitener, distance_edges, quantum
        See `Baseline`.
    """

    centroids: NDArray[np.float32]
    are_given: bool
    whitener: NDArray[np.float32]
    distance_edges: NDArray[np.float64]
    quantum: float

    @classmethod
    def of(
        cls, fit_part: NDArray[np.float32], centroids: NDArray[np.float32], *, are_given: bool
    ) -> FittedClusters:
        """The clusters round `centroids`, measured by the rows `fit_part`, (n, width)."""
        _, distances = assign(fit_part, centroids)
        return cls(
            centroids=centroids,
            are_given=are_given,
            whitener=_whitener(fit_part),
            distance_edges=np.linspace(0.0, 2 * float(distances.max() or 1.0), N_DISTANCE_BINS)[1:],
            quantum=quantum_for(float(np.abs(fit_part).max())),
        )

    @property
    def n_clusters(self) -> int:
        """How many clusters there are."""
        return len(self.centroids)

    @property
    def sketcher(self) -> Sketcher:
        """What counts and sums rows in these clusters."""
        return Sketcher(self.n_clusters, self.quantum, self.distance_edges)


def _whitener(fit_part: NDArray[np.float32]) -> NDArray[np.float32]:
    """(width, width): the eigenbasis V of the covariance with columns scaled by (λ + mean λ)^(−1/2)."""
    scatter = Scatter.of(fit_part)
    eigenvalues, eigenvectors = np.linalg.eigh(scatter.products / max(scatter.n - 1, 1))
    eigenvalues = np.clip(eigenvalues, 0, None)
    ridge = float(eigenvalues.mean()) or 1.0
    return np.asarray(eigenvectors / np.sqrt(eigenvalues + ridge), dtype=np.float32)


def whitening(scatter: Scatter) -> NDArray[np.float64]:
    """(width, width) float64: coordinates in which vectors are as long as in those of the whitener.

    A Aᵀ = (Σ + mean λ)⁻¹, by Cholesky's factor, in a tenth of the time of an eigenbasis.
    """
    covariance = scatter.products / max(scatter.n - 1, 1)
    width = len(covariance)
    ridge = max(float(np.trace(covariance)) / width, 0.0) or 1.0
    factor = linalg.cholesky(covariance + ridge * np.eye(width), lower=True)
    return np.asarray(linalg.solve_triangular(factor, np.eye(width), lower=True).T)
