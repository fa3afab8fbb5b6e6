"""What windows are compared with: rows that nothing was fitted on, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.moments import spectral_moments
from monitor.clusters.sketch import WindowSketch


@dataclass(frozen=True, eq=False)
class Reference:
    """A sketch, and how much the vectors behind it vary.

    Parameters
    ----------
    sketch
        Counts and sums of the rows.
    mean_moments, whitened_moments
        (3,) float64: tr Σ, tr Σ², tr Σ³ of their covariance, plain and in the baseline's whitened
        coordinates; NaN for fewer than 4 rows.
    """

    sketch: WindowSketch
    mean_moments: NDArray[np.float64]
    whitened_moments: NDArray[np.float64]

    @classmethod
    def of(
        cls, sketch: WindowSketch, vectors: NDArray[np.float32], whitener: NDArray[np.float32]
    ) -> Reference:
        """The reference of `vectors`, (n, width), that `sketch` was made from."""
        exact = vectors.astype(np.float64)
        return cls(
            sketch, spectral_moments(exact), spectral_moments(exact @ whitener.astype(np.float64))
        )
