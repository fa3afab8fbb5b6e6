"""A flat map of a baseline: the two directions in which its rows vary most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Plane:
    """The first two principal components of some rows (Pearson 1901).

    Parameters
    ----------
    centre
        (width,) float64, their mean.
    axes
        (2, width) float64, orthonormal, the direction of most variance first; each points to where its
        largest coordinate is positive.
    explained
        The part of the rows' variance that lies in the plane, in [0, 1].

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(100, 5)) * [5, 3, 1, 1, 1]
    >>> plane = Plane.of(rows)
    >>> plane.axes.argmax(axis=1).tolist(), plane.explained > 0.8
    ([0, 1], True)
    """

    centre: NDArray[np.float64]
    axes: NDArray[np.float64]
    explained: float

    @classmethod
    def of(cls, rows: NDArray[np.floating]) -> Plane:
        """The plane of these rows, (n, width) with n ≥ 2 and width ≥ 2."""
        rows = np.asarray(rows, dtype=np.float64)
        centre = rows.mean(axis=0)
        _, lengths, axes = np.linalg.svd(rows - centre, full_matrices=False)
        axes = axes[:2]
        largest = axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)]
        squares = lengths**2
        return cls(
            centre,
            axes * np.where(largest < 0, -1.0, 1.0)[:, None],
            float(squares[:2].sum() / max(squares.sum(), np.finfo(float).tiny)),
        )

    def place(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, 2) where rows lie, (n, width)."""
        return np.asarray((rows - self.centre) @ self.axes.T, dtype=np.float64)
