"""What is kept of a baseline's windows that were judged by each other (see `replay`)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from monitor.codec import Shape

RATIOS: Final = ("mix", "mean", "whitened_mean", "novelty", "kernel_mean", "pixels")
"""The statistics whose ratios are kept, by the names of their tests."""


N_LAGS: Final = 31
"""As many as count in the longest pooled test."""


@dataclass(frozen=True, eq=False)
class ReplayedWindows:
    """The baseline's windows, each compared with rows of other windows.

    Parameters
    ----------
    sizes
        (n_windows,) int64, rows.
    novel
        (n_windows,) int64, novel rows.
    ratios
        (tests, n_windows) float64, in the order of `RATIOS`: a statistic over the mean that it would have if
        all rows were independent; of `novelty` the square of its z, where rows lie nearer at most a usual
        one; NaN where there is nothing to compare.
    freedoms
        (tests, n_windows) float64: the degrees of freedom of the χ² that independent rows' ratio is about.
    scales
        (n_windows,) float64: how many times more than of a row's variance the ratio shows of the variance
        between windows; about the number of rows.
    autocorrelations
        (N_LAGS,) float64: of the true means of windows that lie 1, 2, … apart, below 1.
    likeness
        By how many standard deviations of independent rows neighbouring windows are more alike than these.
    """

    sizes: Annotated[NDArray[np.int64], Shape("_replayed")]
    novel: Annotated[NDArray[np.int64], Shape("_replayed")]
    ratios: Annotated[NDArray[np.float64], Shape(len(RATIOS), "_replayed", finite=False)]
    freedoms: Annotated[NDArray[np.float64], Shape(len(RATIOS), "_replayed", finite=False)]
    scales: Annotated[NDArray[np.float64], Shape("_replayed")]
    autocorrelations: Annotated[NDArray[np.float64], Shape(N_LAGS)]
    likeness: float

    def __len__(self) -> int:
        return len(self.sizes)

    def plus(self, others: ReplayedWindows) -> ReplayedWindows:
        """These windows and others that tell as much of the same traffic."""
        part = len(others) / (len(self) + len(others))
        return ReplayedWindows(
            sizes=np.concatenate([self.sizes, others.sizes]),
            novel=np.concatenate([self.novel, others.novel]),
            ratios=np.concatenate([self.ratios, others.ratios], axis=1),
            freedoms=np.concatenate([self.freedoms, others.freedoms], axis=1),
            scales=np.concatenate([self.scales, others.scales]),
            autocorrelations=(1 - part) * self.autocorrelations + part * others.autocorrelations,
            # Both sides' sums of products of neighbours, over the standard deviation of all.
            likeness=math.sqrt(1 - part) * self.likeness + math.sqrt(part) * others.likeness,
        )

    def first(self, n: int) -> ReplayedWindows:
        """The first `n` of the windows, and how alike all are."""
        return replace(
            self,
            sizes=self.sizes[:n],
            novel=self.novel[:n],
            ratios=self.ratios[:, :n],
            freedoms=self.freedoms[:, :n],
            scales=self.scales[:n],
        )
