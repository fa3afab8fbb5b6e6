"""The mix test: do the clusters have other shares?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import combine_p_values
from monitor.clusters.contingency import chi_square, chi_square_moments
from monitor.clusters.tails import hypergeometric_tails
from monitor.drift.comparison import MOST_TABLES, N_TABLES, UNKNOWN, Comparison, Ratio
from monitor.drift.judgement import Judgement, ShiftKind
from monitor.drift.mean_null import MeanNull
from monitor.drift.monte_carlo import TOLERANCE, count_reached, simulate
from monitor.drift.null_tables import NullTables
from monitor.drift.significance import LEAST_P_VALUE
from monitor.drift.subtest import SubTest
from monitor.drift.wording import percent

_MANY: Final = 400
"""So many that reach tell a p-value to 5 %."""


@dataclass(frozen=True, eq=False)
class MixNull:
    """Pearson's X² of the 2 × k table of counts, held against tables without drift."""

    comparison: Comparison

    @cached_property
    def statistic(self) -> float:
        """X² ≥ 0."""
        null = self.comparison.cluster_null
        return float(chi_square(null.baseline, null.window))

    @cached_property
    def independent(self) -> NullTables:
        """The same counts, and how such tables fall when rows are independent."""
        null = self.comparison.cluster_null
        return NullTables(null.baseline, null.window)

    @cached_property
    def ratio(self) -> Ratio:
        """X² over its mean in tables of independent rows."""
        null = self.independent
        mean, variance = chi_square_moments(null.baseline, null.window)
        return Ratio(self.statistic / mean, 2 * mean**2 / variance) if variance > 0 else UNKNOWN

    def p_value(self, alpha: float) -> float:
        """By drawn tables of independent rows, or by the law of the baseline's windows."""
        if self.ratio is UNKNOWN:
            return 1.0
        return self.comparison.calibrated("mix", self._p_value_of_rows, self.ratio)

    def _p_value_of_rows(self) -> float:
        """The p-value if rows are independent, of all clusters together and of the one that changed most.

        X² spreads its power over all clusters: of twenty, one that grows is lost in the chance of the others.
        """
        null = self.independent
        if np.count_nonzero(null.baseline + null.window) == 2:
            return _exact(null)
        return combine_p_values([self.p_value_together(), p_value_of_one(null)])

    def p_value_together(self) -> float:
        """The share of drawn tables that reach X², if these are many.

        Far out, where they are few, it would hang on the draw: a χ² with three moments stands for it, the
        first two exact.
        """
        null, rng = self.independent, self.comparison.rng
        is_drawn = self.comparison.calibration is None
        simulation = simulate(
            lambda n: chi_square(*null.draw(n, rng)),
            partial(count_reached, observed=self.statistic),
            first=chi_square(*(self.comparison.tables if is_drawn else null.draw(N_TABLES, rng))),
            most=MOST_TABLES,
            batch=null.batch,
            enough=_MANY,
        )
        if simulation.n_reached >= _MANY:
            return simulation.p_value
        mean, variance = chi_square_moments(null.baseline, null.window)
        third = float(((simulation.draws - mean) ** 3).mean())
        return MeanNull(np.array([mean, variance / 2, max(third, 0.0) / 8])).p_value(self.statistic)

    def effect(self) -> float:
        """Half the sum of the clusters' share changes (total variation distance), beyond chance."""
        null = self.comparison.cluster_null
        observed = float(total_variation(null.baseline, null.window))
        by_chance = float((total_variation(*self.comparison.tables) ** 2).mean())
        return math.sqrt(max(0.0, observed**2 - by_chance))

    def detectable(self, alpha: float) -> float:
        """NaN: a mix can change in too many ways."""
        return math.nan


def p_value_of_one(null: NullTables) -> float:
    """Of the cluster whose count is least likely: Fisher's exact test of each, two-sided, by Bonferroni.

    Examples
    --------
    >>> counts = np.full(20, 100)
    >>> grown = np.array([25] + [10] * 19)
    >>> round(p_value_of_one(NullTables(counts, grown)), 4)
    0.0097
    """
    each = null.p_values_of_each()[null.baseline + null.window > 0]
    return float(np.clip(each.min() * len(each), LEAST_P_VALUE, 1.0))


def _exact(null: NullTables) -> float:
    """Of tables with two clusters, which are few."""
    baseline, window = (
        counts[null.baseline + null.window > 0] for counts in (null.baseline, null.window)
    )
    totals, n = baseline + window, int(window.sum())
    # With both margins given, X² grows with the distance of one count from its mean.
    mean = n * int(totals[0]) / int(totals.sum())
    gap = abs(int(window[0]) - mean) * (1 - TOLERANCE)
    far = np.array([math.floor(mean - gap), math.ceil(mean + gap)])
    if far[0] == far[1]:
        return 1.0
    up_to, beyond = hypergeometric_tails(far, int(totals.sum()), totals[0], n)
    return float(np.clip(up_to[0] + beyond[1], LEAST_P_VALUE, 1.0))


class MixTest(SubTest):
    """Pearson's X² of the counts per cluster, by drawn tables, and the cluster that changed most."""

    def null(self, comparison: Comparison) -> MixNull:
        """X², beside the tables that windows without drift give."""
        return MixNull(comparison)

    def ratio(self, comparison: Comparison) -> Ratio:
        """X² over its mean in tables of independent rows."""
        return MixNull(comparison).ratio

    def clarity(self, comparison: Comparison) -> float:
        """(X² − df) / √(2 df), as X² of independent rows is about χ² with df = k − 1."""
        null = comparison.cluster_null
        df = max(int(np.count_nonzero(null.baseline + null.window)) - 1, 1)
        return (float(chi_square(null.baseline, null.window)) - df) / math.sqrt(2 * df)

    def sentence(self, judgement: Judgement) -> str:
        """Which cluster changed most."""
        most = max(judgement.clusters, key=lambda shift: shift.contribution)
        verb = "rose" if most.window_share > most.baseline_share else "fell"
        return (
            f"The clusters have other shares; most of all, cluster {most.cluster} {verb} from "
            f"{percent(most.baseline_share)} to {percent(most.window_share)} of the rows."
        )


MIX: Final = MixTest(
    name="mix",
    title="Cluster mix",
    short_title="cluster shares",
    sees="other shares of the clusters",
    kind=ShiftKind.NEW_MIX,
)


def total_variation(baseline: NDArray[np.int64], window: NDArray[np.int64]) -> NDArray[np.float64]:
    """Half the summed share changes of (..., k) counts, in [0, 1].

    Examples
    --------
    >>> float(total_variation(np.array([50, 50]), np.array([30, 10])))
    0.25
    """
    p = baseline / baseline.sum(axis=-1, keepdims=True)
    q = window / window.sum(axis=-1, keepdims=True)
    return np.asarray(np.abs(p - q).sum(axis=-1) / 2)
