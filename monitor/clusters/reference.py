"""What windows are compared with: rows that nothing was fitted on, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.moments import spectral_moments
from monitor.clusters.sketch import WindowSketch
from monitor.clusters.variation import Variation

MAX_SAMPLE: Final = 1_000


@dataclass(frozen=True, eq=False)
class Reference:
    """A sketch of rows that nothing was fitted on, and how much the vectors behind it vary.

    The plain mean of the vectors owes nothing to the clusters, so for it the rows that these were
    fitted on count as well.

    Parameters
    ----------
    sketch
        Counts and sums of the rows that nothing was fitted on.
    mean, n_mean
        (width,) float64, the mean vector of all rows of the baseline, and how many these are.
    mean_moments
        (3,) float64: tr Σ, tr Σ², tr Σ³ of the covariance of all rows; NaN for fewer than 4 rows.
    whitened_moments
        The same of the rows that nothing was fitted on, in the baseline's whitened coordinates.
    sample, fit_sample
        (m, width) float32, some of the rows that nothing was fitted on, and of the others, drawn at
        random: small windows are compared with these one by one.
    window_counts
        (n_windows, n_clusters) int64, rows per cluster of each window of the baseline, all rows taken;
        without rows when there are no times. What thresholds in standard deviations are made of.
    variation
        How much windows of these rows differ; None when that is not known.
    """

    sketch: WindowSketch
    mean: NDArray[np.float64]
    n_mean: int
    mean_moments: NDArray[np.float64]
    whitened_moments: NDArray[np.float64]
    sample: NDArray[np.float32]
    fit_sample: NDArray[np.float32]
    window_counts: NDArray[np.int64]
    variation: Variation | None = None

    @classmethod
    def of(
        cls,
        sketch: WindowSketch,
        vectors: NDArray[np.float32],
        whitened: NDArray[np.float64],
        fitted_on: NDArray[np.float32],
        *,
        variation: Variation | None,
        window_counts: NDArray[np.int64],
        max_sample: int,
        rng: np.random.Generator,
    ) -> Reference:
        """The reference of `vectors`, (n, width), that `sketch` was made from."""
        both = np.concatenate([vectors, fitted_on]).astype(np.float64)
        return cls(
            sketch,
            mean=both.mean(axis=0) if len(both) else np.full(vectors.shape[1], np.nan),
            n_mean=len(both),
            mean_moments=spectral_moments(both),
            whitened_moments=spectral_moments(whitened),
            sample=_drawn(vectors, max_sample, rng),
            fit_sample=_drawn(fitted_on, max_sample, rng),
            window_counts=window_counts,
            variation=variation,
        )


def _drawn(
    vectors: NDArray[np.float32], most: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    chosen = np.sort(rng.permutation(len(vectors))[:most])
    return np.ascontiguousarray(vectors[chosen])
