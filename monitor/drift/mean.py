"""The two tests of the mean: did the vectors move together? Plain, and where the baseline hardly varies."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from monitor.clusters import Baseline, BaselineStatistics
from monitor.drift.comparison import Comparison, Ratio
from monitor.drift.dealt_rows import DealtRows
from monitor.drift.judgement import Judgement
from monitor.drift.mean_null import MeanNull
from monitor.drift.permutations import dealt_null
from monitor.drift.subtest import POWER, SubTest


@dataclass(frozen=True, eq=False)
class MeanDifference:
    """‖x̄ − ȳ‖² of the mean vectors of a window and of the baseline, beside its null distribution.

    Parameters
    ----------
    comparison
        The two sides.
    is_whitened
        Whether vectors are taken in coordinates of equal weight.
    null
        The distribution without drift, against all rows of the baseline.
    """

    comparison: Comparison
    is_whitened: bool
    null: MeanNull

    @cached_property
    def statistic(self) -> float:
        """‖x̄ − ȳ‖² ≥ 0."""
        moved = moved_mean(self.comparison, is_whitened=self.is_whitened)
        return float(moved @ moved)

    def p_value(self, alpha: float) -> float:
        """As if rows were dealt, of windows that are small enough to hold them; else by moments."""
        if not self.null.is_known:
            return 1.0
        return self._calibrated(self._p_value_of_rows, self.statistic)

    def _p_value_of_rows(self) -> float:
        """The p-value if rows are independent."""
        comparison, rows = self.comparison, self.comparison.window.rows
        others = _dealt_rows(
            comparison.statistics, comparison.baseline, is_whitened=self.is_whitened
        )
        if rows is None or len(others) < comparison.window.n:
            return self.null.p_value(self.statistic)
        if self.is_whitened:
            rows = rows @ comparison.baseline.whitener
        statistic, null = dealt_null(rows, others)
        return null.p_value(statistic) if null.is_known else 1.0

    def _calibrated(self, by_rows: Callable[[], float], statistic: float) -> float:
        return self.comparison.calibrated(self._name, by_rows, self.null.ratio(statistic))

    def effect(self) -> float:
        """‖Δμ‖ / √(2 tr Σ), beyond chance: two unrelated rows lie √(2 tr Σ) apart."""
        spread = self._spread
        if not (np.isfinite(spread) and spread > 0):
            return 0.0
        by_chance = self.null.mean * self.comparison.mean_ratio(self._name)
        return math.sqrt(max(0.0, self.statistic - by_chance)) / math.sqrt(2 * spread)

    def detectable(self, alpha: float) -> float:
        """Of rows swapped for unrelated ones of the baseline's own spread; NaN in whitened coordinates."""
        if self.is_whitened or not self.null.is_known:
            return math.nan
        return detectable_share(
            self.null.moments * self.comparison.mean_ratio(self._name) ** np.arange(1, 4),
            self._spread,
            alpha,
            lambda statistic: self._calibrated(lambda: self.null.p_value(statistic), statistic),
        )

    @property
    def _name(self) -> str:
        return "whitened_mean" if self.is_whitened else "mean"

    @property
    def _spread(self) -> float:
        return float(_moments(self.comparison, is_whitened=self.is_whitened)[0])


@dataclass(frozen=True)
class MeanTest(SubTest):
    """The squared distance of the two mean vectors, in all their dimensions.

    Parameters
    ----------
    is_whitened
        Whether vectors are taken in coordinates of equal weight.
    """

    is_whitened: bool = False

    def null(self, comparison: Comparison) -> MeanDifference:
        """‖x̄ − ȳ‖², beside its distribution without drift."""
        return MeanDifference(
            comparison, self.is_whitened, _mean_null(comparison, is_whitened=self.is_whitened)
        )

    def ratio(self, comparison: Comparison) -> Ratio:
        """‖x̄ − ȳ‖² over its mean."""
        difference = self.null(comparison)
        return difference.null.ratio(difference.statistic)

    def clarity(self, comparison: Comparison) -> float:
        """(‖x̄ − ȳ‖² − f tr Σ) / (f √(2 tr Σ²)), by the first two moments of independent rows."""
        moments, f = _moments(comparison, is_whitened=self.is_whitened), comparison.f
        if not (np.isfinite(moments).all() and moments[1] > 0):
            return -math.inf
        moved = moved_mean(comparison, is_whitened=self.is_whitened)
        return (float(moved @ moved) - f * float(moments[0])) / (
            f * math.sqrt(2 * float(moments[1]))
        )

    def sentence(self, judgement: Judgement) -> str:
        """How the mean moved."""
        if self.is_whitened:
            return "The vectors moved in directions where the baseline hardly varies."
        return f"The vectors moved together, {kind_of_movement(judgement)}."


MEAN: Final = MeanTest(
    name="mean",
    title="Mean",
    short_title="movement",
    sees="a common movement of the vectors",
    detectable_change="swapped for unrelated images",
)
WHITENED_MEAN: Final = MeanTest(
    name="whitened_mean",
    title="Fine mean",
    short_title="fine movement",
    sees="a small movement in directions where the baseline hardly varies",
    is_whitened=True,
)


def moved_mean(comparison: Comparison, *, is_whitened: bool) -> NDArray[np.float64]:
    """(width,) float64: how far the window's mean lies from the baseline's."""
    moved = comparison.window.mean - comparison.reference.mean
    return moved @ comparison.whitener if is_whitened else moved


def kind_of_movement(judgement: Judgement) -> str:
    """Whether the mean moved by other content or by another appearance, in words."""
    decided = judgement.deciding_pooled_test or judgement
    content, appearance = decided.content_shift, decided.appearance_shift
    if content > 2 * appearance:
        return "mostly content: the clusters have other shares"
    if appearance > 2 * content:
        return "mostly appearance: rows look different inside the same clusters"
    return "content and appearance both: other shares, and other looks inside the clusters"


def detectable_share(
    moments: NDArray[np.float64],
    spread: float,
    alpha: float,
    p_value: Callable[[float], float],
) -> float:
    """The share s of rows for which the mean test reaches `alpha` with probability `POWER`.

    Swapping s of the rows for unrelated ones moves the mean by s √(2 tr Σ). The statistic then has about
    the mean c₁ + δ² and the variance 2 c₂ + 4 δ² c₂ / c₁ with δ² = 2 s² tr Σ.

    Parameters
    ----------
    moments
        c₁, c₂ and more of the statistic without drift.
    spread
        tr Σ of the rows.
    alpha
        Of this test.
    p_value
        Of a statistic.

    Examples
    --------
    >>> null = MeanNull.independent(np.array([10.0, 10.0, 10.0]), 1000, 200)
    >>> round(detectable_share(null.moments, 10.0, 0.001, null.p_value), 3)
    0.094
    """
    c1, c2 = float(moments[0]), float(moments[1])
    z = float(special.ndtri(POWER))

    def missing(share: float) -> float:
        moved = 2 * share**2 * spread
        low = max(c1 + moved - z * math.sqrt(2 * c2 + 4 * moved * c2 / c1), 0.0)
        return math.log(p_value(low)) - math.log(alpha)

    if missing(1.0) > 0:
        return math.nan
    return float(optimize.brentq(missing, 0.0, 1.0, xtol=1e-5))


@lru_cache(maxsize=32)
def _dealt_rows(
    statistics: BaselineStatistics, baseline: Baseline, *, is_whitened: bool
) -> DealtRows:
    """Rows of the baseline, once for all windows that are held against them."""
    if is_whitened:
        return DealtRows.of(statistics.sample @ baseline.whitener)
    # The whitening was fitted on the others of these rows: they would lie too near together in it.
    return DealtRows.of(np.concatenate([statistics.sample, statistics.fit_sample]))


def _moments(comparison: Comparison, *, is_whitened: bool) -> NDArray[np.float64]:
    statistics = comparison.statistics
    return statistics.whitened_moments if is_whitened else statistics.mean_moments


def _mean_null(comparison: Comparison, *, is_whitened: bool) -> MeanNull:
    moments = _moments(comparison, is_whitened=is_whitened)
    return MeanNull.independent(moments, comparison.reference.n, comparison.window.n)
