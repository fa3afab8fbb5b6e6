"""The kernel test: are the rows distributed otherwise, though their mean may be the same?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.drift.comparison import Comparison, Ratio
from monitor.drift.judgement import Judgement
from monitor.drift.mean_null import MeanNull
from monitor.drift.subtest import SubTest


@dataclass(frozen=True, eq=False)
class KernelMeanNull:
    """The squared distance of the mean kernel features, held against that of independent rows.

    Features are bounded, so that moments tell their distribution also for few rows.
    """

    comparison: Comparison

    @cached_property
    def statistic(self) -> float:
        """‖Δφ‖² ≥ 0."""
        moved = moved_features(self.comparison)
        return float(moved @ moved)

    @cached_property
    def null(self) -> MeanNull:
        """The distribution without drift, of independent rows."""
        comparison = self.comparison
        return MeanNull.independent(
            comparison.statistics.kernel_moments,
            comparison.reference.n_measured,
            comparison.window.n_measured,
        )

    def p_value(self, alpha: float) -> float:
        """By three moments, or by the law of the baseline's windows."""
        return self.null.p_value_beside(self.comparison, "kernel_mean", self.statistic)

    def effect(self) -> float:
        """‖Δφ‖ / √(2 tr Σ), beyond chance: two unrelated rows lie √(2 tr Σ) apart."""
        if not self.null.is_known:
            return 0.0
        by_chance = self.null.mean * self.comparison.mean_ratio("kernel_mean")
        spread = float(self.comparison.statistics.kernel_moments[0])
        return math.sqrt(max(0.0, self.statistic - by_chance) / (2 * spread))

    def detectable(self, alpha: float) -> float:
        """NaN: distributions can differ in too many ways."""
        return math.nan


class KernelMeanTest(SubTest):
    """The squared distance of the two mean kernel features: an approximated MMD (Gretton et al. 2012)."""

    def null(self, comparison: Comparison) -> KernelMeanNull:
        """‖Δφ‖², beside its distribution without drift."""
        return KernelMeanNull(comparison)

    def ratio(self, comparison: Comparison) -> Ratio:
        """‖Δφ‖² over its mean."""
        null = KernelMeanNull(comparison)
        return null.null.ratio(null.statistic)

    def clarity(self, comparison: Comparison) -> float:
        """The statistic less its mean, in standard deviations of independent rows."""
        null = KernelMeanNull(comparison)
        return null.null.clarity(null.statistic)

    def sentence(self, judgement: Judgement) -> str:
        """That shapes differ."""
        return "The vectors gather in other places: finer than the clusters show, their distribution differs."


KERNEL_MEAN: Final = KernelMeanTest(
    name="kernel_mean",
    title="Kernel mean",
    short_title="fine distribution",
    sees="another distribution of the vectors, finer than the clusters",
)


def moved_features(comparison: Comparison) -> NDArray[np.float64]:
    """(N_FEATURES,) float64: how far the window's mean features lie from the baseline's."""
    kernels = comparison.baseline.kernels
    window, reference = comparison.window, comparison.reference
    return kernels.mean(window.kernel_units, window.n_measured) - kernels.mean(
        reference.kernel_units, reference.n_measured
    )
