"""What rows are measured by beside their cluster: how far the nearest known rows are, kernel features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.known_rows import neighbours
from monitor.codec import Shape

LEVELS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9975)
"""Quantiles of the baseline's distances that separate the bins; finer where novel rows end up."""
N_NEARNESS_BINS: Final = len(LEVELS) + 1
NOVEL_FROM: Final = LEVELS.index(0.99) + 1
"""Rows in this bin and beyond are called novel: one in a hundred of the baseline's own."""
FAR_FROM: Final = LEVELS.index(0.975) + 1
"""Rows in this bin and beyond are far."""
BANDWIDTHS: Final = (0.25, 0.5, 1.0)
"""In units of the median distance of two rows, whose kernel sees about what the mean sees (Gretton et al.
2012); narrower ones see finer shapes (Schrab et al. 2023)."""
N_DIRECTIONS: Final = 64
"""Random directions for each bandwidth; each gives a cosine and a sine."""
N_FEATURES: Final = 2 * N_DIRECTIONS * len(BANDWIDTHS)
_UNITS: Final = 2.0**16
"""A feature of a row is a whole number of parts of 1: rounding adds far less than rows differ by."""
_BLOCK_ROWS: Final = 1_024
_MEDIAN_ROWS: Final = 500
_MOMENT_ROWS: Final = 4_000


@dataclass(frozen=True, eq=False)
class Kernels:
    """Random Fourier features (Rahimi & Recht 2007) of Gaussian kernels of several bandwidths.

    The mean of the features is that of the rows in the kernels' space, so that two sets of rows whose mean
    features are equal have about the same distribution, not just the same mean.

    Parameters
    ----------
    directions
        (width, N_DIRECTIONS · bandwidths) float32, each over its bandwidth.
    weights
        (bandwidths,) float64, for the features of each: so all kernels' distances vary equally.
    """

    directions: Annotated[NDArray[np.float32], Shape("width", N_DIRECTIONS * len(BANDWIDTHS))]
    weights: Annotated[NDArray[np.float64], Shape(len(BANDWIDTHS))]

    @classmethod
    def of(cls, rows: NDArray[np.float32], random_state: int) -> Kernels:
        """Kernels for rows like `rows`, (n, width)."""
        width = rows.shape[1]
        rng = np.random.default_rng([random_state, 0x6B726E6C])
        median = _median_distance(rows)
        directions = np.concatenate(
            [_orthogonal(width, rng) / (factor * median) for factor in BANDWIDTHS], axis=1
        ).astype(np.float32)
        few = rows[:_MOMENT_ROWS]
        flat = cls(directions, np.ones(len(BANDWIDTHS)))
        features = flat.features(few).reshape(len(few), len(BANDWIDTHS), -1).astype(np.float64)
        features -= features.mean(axis=0)
        spreads = []
        for of_kernel in np.moveaxis(features, 1, 0):
            covariance = of_kernel.T @ of_kernel / max(len(few), 1)
            spreads.append(float((covariance**2).sum()) ** 0.25)
        return cls(directions, np.array([1 / spread if spread > 0 else 1.0 for spread in spreads]))

    def features(
        self, vectors: NDArray[np.float32], *, is_exact: bool = True
    ) -> NDArray[np.float32]:
        """(n, N_FEATURES) float32 of `vectors`, (n, width): cosines and sines, not weighted yet.

        If `is_exact`, to the bit the same in whatever pieces rows come; else in half the time, and off by
        parts in a million.
        """
        features = np.empty((len(vectors), N_FEATURES), dtype=np.float32)
        # In float64: the last bits of a product depend on how many rows it has, and here none of them counts.
        dtype = np.float64 if is_exact else np.float32
        directions: NDArray[np.floating] = self.directions.astype(dtype, copy=False)
        for start in range(0, len(vectors), _BLOCK_ROWS):
            block: NDArray[np.floating] = vectors[start : start + _BLOCK_ROWS].astype(
                dtype, copy=False
            )
            angles = (block @ directions).astype(np.float32, copy=False)
            angles = angles.reshape(len(block), -1, N_DIRECTIONS)
            both = features[start : start + len(block)].reshape(len(block), -1, 2 * N_DIRECTIONS)
            np.cos(angles, out=both[:, :, :N_DIRECTIONS])
            np.sin(angles, out=both[:, :, N_DIRECTIONS:])
        return features

    def units(self, vectors: NDArray[np.float32]) -> NDArray[np.int64]:
        """(N_FEATURES,) int64, the sum of the features in whole units: in any order to the bit."""
        total = np.zeros(N_FEATURES, dtype=np.int64)
        for start in range(0, len(vectors), _BLOCK_ROWS):
            total += self.summed(self.features(vectors[start : start + _BLOCK_ROWS]))
        return total

    def summed(self, features: NDArray[np.float32]) -> NDArray[np.int64]:
        """The same of features."""
        total = np.zeros(N_FEATURES, dtype=np.int64)
        for start in range(0, len(features), _BLOCK_ROWS):
            block = features[start : start + _BLOCK_ROWS] * np.float32(_UNITS)
            # Whole numbers, whose sum is exact in float64: 1,024 · 2¹⁶ < 2⁵³.
            total += np.rint(block, out=block).sum(axis=0, dtype=np.float64).astype(np.int64)
        return total

    def mean(self, units: NDArray[np.int64], n: int) -> NDArray[np.float64]:
        """(N_FEATURES,) float64, the mean of the weighted features; NaN of no rows."""
        with np.errstate(invalid="ignore"):
            return np.asarray(units / _UNITS / np.float64(n) * self.weights_of_features)

    def weighted(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Features as they are compared."""
        return np.asarray(features * self.weights_of_features)

    @property
    def weights_of_features(self) -> NDArray[np.float64]:
        """(N_FEATURES,) float64, the weight of each feature."""
        return np.repeat(self.weights, 2 * N_DIRECTIONS)


def _median_distance(rows: NDArray[np.float32]) -> float:
    """Of random pairs: rows are in no order that means anything."""
    few = rows[: 2 * _MEDIAN_ROWS].astype(np.float64)
    first, second = few[: len(few) // 2], few[len(few) // 2 :]
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2 * first @ second.T
    return float(np.sqrt(np.median(np.clip(squares, 0, None)))) or 1.0


def _orthogonal(width: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(width, N_DIRECTIONS) normal vectors that are orthogonal in sets (Yu et al. 2016)."""
    sets: list[NDArray[np.float64]] = []
    missing = N_DIRECTIONS
    while missing > 0:
        n = min(width, missing)
        axes = np.linalg.qr(rng.normal(size=(width, n)))[0]
        sets.append(axes * np.sqrt(rng.chisquare(width, size=n)))
        missing -= n
    return np.concatenate(sets, axis=1)


def nearness_edges(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N_NEARNESS_BINS − 1,) float64, rising: quantiles of baseline rows' distances to the known rows."""
    known = distances[np.isfinite(distances)]
    if len(known) == 0:
        return np.zeros(len(LEVELS))
    return np.asarray(np.quantile(known, LEVELS, method="higher"))


def nearness_counts(
    distances: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.int64]:
    """(N_NEARNESS_BINS,) int64, rows per bin; bin j holds edges[j − 1] < distance ≤ edges[j]."""
    return np.bincount(np.searchsorted(edges, distances), minlength=N_NEARNESS_BINS)


@dataclass(frozen=True, eq=False)
class RowMeasures:
    """Measures rows beside a baseline.

    Parameters
    ----------
    known
        (m, width) float32, the baseline's known rows.
    edges
        (N_NEARNESS_BINS − 1,) float64, from `nearness_edges`.
    kernels
        The kernels.
    """

    known: NDArray[np.float32]
    edges: NDArray[np.float64]
    kernels: Kernels

    def nearness(
        self, vectors: NDArray[np.float32], distances: NDArray[np.float64] | None = None
    ) -> NDArray[np.int64]:
        """(N_NEARNESS_BINS,) int64: rows per bin of their mean distance to the nearest known rows.

        `distances` are these, where they were measured before.
        """
        if distances is None:
            distances = neighbours(vectors, self.known)[0]
        return nearness_counts(distances, self.edges)
