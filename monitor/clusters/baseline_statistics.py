"""What windows are compared with: the baseline's rows, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.replayed_windows import ReplayedWindows
from monitor.clusters.sketch import WindowSketch
from monitor.clusters.variation import Variation
from monitor.codec import Shape


@dataclass(frozen=True, eq=False)
class BaselineStatistics:
    """A sketch of the baseline's rows, and how much the vectors behind it vary.

    The rows that the clusters were fitted on count as if each had been left out of the fit (see
    `assign_left_out`). Whitened coordinates leave them out altogether, as the whitening comes from their own
    covariance.

    Parameters
    ----------
    sketch
        Counts and sums of all rows.
    n_held_out
        Rows that nothing was fitted on.
    mean_moments
        (3,) float64: tr Σ, tr Σ², tr Σ³ of the covariance of all rows; NaN for fewer than 4 rows.
    whitened_moments
        The same of the rows that nothing was fitted on, in the baseline's whitened coordinates.
    kernel_moments
        The same of the measured rows' kernel features.
    sample, fit_sample
        (m, width) float32, random samples of the rows that nothing was fitted on, and of the others:
        small windows are compared with these row by row.
    window_counts
        (n_windows, n_clusters) int64, rows per cluster of each window of the baseline, whether windows are
        compared with them or not; empty when there are no times. Thresholds in standard deviations are
        computed from it.
    variation
        How much windows of these rows differ; None when that is not known.
    grouped
        How much samples of whole groups of alike rows differ, where there are such and no windows.
    """

    sketch: WindowSketch
    n_held_out: int
    mean_moments: Annotated[NDArray[np.float64], Shape(3, finite=False)]
    whitened_moments: Annotated[NDArray[np.float64], Shape(3, finite=False)]
    kernel_moments: Annotated[NDArray[np.float64], Shape(3, finite=False)]
    sample: Annotated[NDArray[np.float32], Shape(None, "width")]
    fit_sample: Annotated[NDArray[np.float32], Shape(None, "width")]
    window_counts: Annotated[NDArray[np.int64], Shape(None, "clusters")]
    variation: Variation | None = None
    grouped: ReplayedWindows | None = None

    @property
    def replayed(self) -> ReplayedWindows | None:
        """Parts of these rows that are as unlike as windows without drift; None for independent rows."""
        return self.grouped if self.variation is None else self.variation.replayed

    @property
    def novel_share(self) -> float:
        """The share of novel rows, each judged without its own help; NaN where none was measured."""
        return self.sketch.novel_share

    def check(self) -> None:
        """Refuse numbers that contradict one another.

        Raises
        ------
        ValueError
            If they do.
        """
        sketch = self.sketch
        if sketch.histogram.counts.min() < 0 or sketch.nearness_counts.min() < 0:
            raise ValueError("there are counts below 0")
        if (
            sketch.distance_counts.sum() != sketch.n
            or not len(self.sample) <= self.n_held_out <= sketch.n
            or len(self.fit_sample) > sketch.n - self.n_held_out
            or sketch.nearness_counts.sum() != sketch.n_measured
            or sketch.n_measured > sketch.n
        ):
            raise ValueError("the counts of rows do not agree")
        if (windows := self.variation) is not None and (
            windows.counts.min() < 0 or windows.counts.sum() > sketch.n
        ):
            raise ValueError("the counts of windows and of rows do not agree")
        if sketch.n >= 4 and not np.isfinite(self.mean_moments).all():
            raise ValueError("the moments hold NaN or infinity")
