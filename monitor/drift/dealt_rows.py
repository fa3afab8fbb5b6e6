"""Rows of a baseline that windows are dealt together with, and their sums that hang on no window."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

_MOST_PAIRED: Final = 500
"""So many rows tell the mean cube of two rows' inner product."""


@dataclass(frozen=True, eq=False)
class DealtRows:
    """Rows r about their mean, so that Σ r = 0. Made once for all windows of a baseline.

    Parameters
    ----------
    mean
        (width,) float64.
    rows
        (m, width) float32, about their mean: every window reads all of them.
    """

    mean: NDArray[np.float64]
    rows: NDArray[np.float32]

    @classmethod
    def of(cls, rows: NDArray[np.floating]) -> DealtRows:
        """Of `rows`, (m, width)."""
        exact = rows.astype(np.float64)
        mean = exact.sum(axis=0) / max(len(exact), 1)
        return cls(mean, (exact - mean).astype(np.float32))

    def __len__(self) -> int:
        """m."""
        return len(self.rows)

    @property
    def _exact(self) -> NDArray[np.float64]:
        return self.rows.astype(np.float64)

    @cached_property
    def squares(self) -> NDArray[np.float64]:
        """(m,) ‖r‖²."""
        return np.asarray(np.einsum("nd,nd->n", self._exact, self._exact))

    @cached_property
    def products(self) -> NDArray[np.float64]:
        """P = Σ r rᵀ, (width, width)."""
        return np.asarray(self._exact.T @ self._exact)

    @cached_property
    def products32(self) -> NDArray[np.float32]:
        """The same in single precision."""
        return self.products.astype(np.float32)

    @cached_property
    def products_by_square(self) -> NDArray[np.float32]:
        """Σ ‖r‖² r rᵀ, (width, width)."""
        return np.asarray((self._exact.T * self.squares) @ self._exact, dtype=np.float32)

    @cached_property
    def sum_by_square(self) -> NDArray[np.float64]:
        """Σ ‖r‖² r, (width,)."""
        return np.asarray(self.squares @ self._exact)

    @cached_property
    def lengths(self) -> NDArray[np.float64]:
        """(m,) rᵀPr."""
        return np.asarray(np.einsum("nd,nd->n", self._exact @ self.products, self._exact))

    @cached_property
    def trace_of_square(self) -> float:
        """tr P²."""
        return float(np.vdot(self.products, self.products))

    @cached_property
    def trace_of_cube(self) -> float:
        """tr P³."""
        return float(np.vdot(self.products @ self.products, self.products))

    @property
    def step(self) -> int:
        """Every so many-th row is one of the few."""
        return max(-(-len(self) // _MOST_PAIRED), 1)

    @cached_property
    def few(self) -> NDArray[np.float32]:
        """Some of the rows, for what takes products of all with all."""
        return np.ascontiguousarray(self.rows[:: self.step])

    def cubes_of_few(self, added: NDArray[np.float64]) -> float:
        """Σ (rᵢ·rⱼ + aᵢ + aⱼ)³ over i ≠ j of the few rows, `added` being their a."""
        products, squared, cubed = self._pair_sums
        n, a1, a2, a3 = len(added), added.sum(), added @ added, added**2 @ added
        along = added @ self.few
        of_products = products @ added**2 + along @ along - self.squares[:: self.step] @ added**2
        return float(cubed + 6 * (squared @ added + of_products) + 2 * (n - 4) * a3 + 6 * a1 * a2)

    @cached_property
    def _pair_sums(self) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Of the few rows: Σⱼ rᵢ·rⱼ and Σⱼ (rᵢ·rⱼ)², (few,) each, and the sum of all cubes, j ≠ i."""
        pairs = (self.few @ self.few.T).astype(np.float64)
        np.fill_diagonal(pairs, 0.0)
        squared = pairs * pairs
        return pairs.sum(axis=1), squared.sum(axis=1), float(np.vdot(squared, pairs))
