"""The covariance of rows in one pass, in float32, of sets of rows that add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.moments import moments_of, two_moments_of

_BLOCK_ROWS: Final = 2_048


@dataclass(frozen=True, eq=False)
class Scatter:
    """How rows lie round their mean.

    Parameters
    ----------
    n
        Rows.
    mean
        (width,) float64.
    products
        (width, width) float64, Σ (x − mean) (x − mean)ᵀ. The products of a block are summed in float32,
        which loses nothing that counts: the differences are small, and blocks are summed in float64.
    """

    n: int
    mean: NDArray[np.float64]
    products: NDArray[np.float64]

    @classmethod
    def of(cls, vectors: NDArray[np.float32]) -> Scatter:
        """Of `vectors`, (n, width)."""
        n, width = vectors.shape
        products, sums = np.zeros((width, width)), np.zeros(width)
        origin = vectors.mean(axis=0, dtype=np.float64).astype(np.float32) if n else sums
        for start in range(0, n, _BLOCK_ROWS):
            differences = vectors[start : start + _BLOCK_ROWS] - origin
            products += differences.T @ differences
            sums += differences.sum(axis=0, dtype=np.float64)
        offset = sums / max(n, 1)
        return cls(n, origin + offset, products - n * np.outer(offset, offset))

    def __add__(self, other: Scatter) -> Scatter:
        n = self.n + other.n
        gap = other.mean - self.mean
        # Chan, Golub & LeVeque (1979), eq. 2.1b.
        weight = self.n * other.n / max(n, 1)
        return Scatter(
            n,
            self.mean + gap * other.n / max(n, 1),
            self.products + other.products + weight * np.outer(gap, gap),
        )

    def without(self, part: Scatter) -> Scatter:
        """The rows that are left without `part` of them."""
        n = self.n - part.n
        mean = (self.n * self.mean - part.n * part.mean) / max(n, 1)
        gap = part.mean - mean
        weight = n * part.n / max(self.n, 1)
        return Scatter(n, mean, self.products - part.products - weight * np.outer(gap, gap))

    def moments(self, whitener: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """(3,) the spectral moments of the covariance, of rows times `whitener` if given."""
        return moments_of(self._products(whitener), self.n - 1, is_scatter=True)

    def two_moments(self, whitener: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """(2,) the first two of these."""
        return two_moments_of(self._products(whitener), self.n - 1, is_scatter=True)

    def _products(self, whitener: NDArray[np.float64] | None) -> NDArray[np.float64]:
        return self.products if whitener is None else whitener.T @ self.products @ whitener
