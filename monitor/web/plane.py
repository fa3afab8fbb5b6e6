"""Where rows lie on the map: fitted on the baseline once, so that windows are placed in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from monitor.clusters import Baseline


@dataclass(frozen=True, eq=False)
class Plane:
    """The two directions in which a baseline's rows vary most: its first principal components."""

    centre: NDArray[np.float32]
    axes: NDArray[np.float32]

    @classmethod
    def of(cls, baseline: Baseline) -> Plane:
        """Fitted on the rows that the baseline keeps whole, or on its centroids."""
        rows = baseline.centroids if baseline.known is None else baseline.known.vectors
        rows = np.asarray(rows, dtype=np.float64)
        centre = rows.mean(axis=0)
        _, _, axes = np.linalg.svd(rows - centre, full_matrices=False)
        # A part of one or two dimensions, or of one known row, has fewer axes.
        full = np.zeros((2, rows.shape[1]))
        full[: len(axes[:2])] = axes[:2]
        largest = full[np.arange(2), np.abs(full).argmax(axis=1)]
        signed = full * np.where(largest < 0, -1.0, 1.0)[:, None]
        return cls(centre.astype(np.float32), signed.astype(np.float32))

    def place(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 2) where scaled vectors lie."""
        return np.asarray((scaled - self.centre) @ self.axes.T, dtype=np.float32)
