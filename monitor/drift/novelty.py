"""The novelty test: are more rows than in the baseline unlike anything known?"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from monitor.drift.comparison import N_TABLES, Comparison
from monitor.drift.judgement import Judgement, ShiftKind
from monitor.drift.mix import MOST_TABLES, table_batch
from monitor.drift.monte_carlo import count_reached, most_draws, simulate
from monitor.drift.null_tables import NullTables
from monitor.drift.subtest import POWER, SubTest
from monitor.drift.wording import percent


@dataclass(frozen=True, eq=False)
class NoveltyNull:
    """The number of rows beyond the novelty radius, held against the baseline's. One-sided.

    The radius comes from the part of the baseline that centroids were fitted on, and the baseline's count
    from the other part, so that neither of the two counts had a hand in it.
    """

    comparison: Comparison

    @cached_property
    def counts(self) -> NullTables:
        """(novel, other) rows of both sides, and how such tables fall without drift."""
        statistics, window = self.comparison.statistics, self.comparison.window
        variation = statistics.variation
        novel = statistics.n_held_out_novel
        return NullTables(
            np.array([novel, statistics.n_held_out - novel]),
            np.array([window.n_novel, window.n - window.n_novel]),
            None if variation is None else variation.novelty,
            self.comparison.unevenness,
        )

    @property
    def statistic(self) -> float:
        """The share of novel rows in the window, in [0, 1]."""
        novel = self.counts.window
        return float(novel[0] / novel.sum())

    def p_value(self, alpha: float) -> float:
        """Fisher's exact test where rows are independent, simulation with natural variation otherwise."""
        null, rng = self.counts, self.comparison.rng
        baseline, window = null.baseline, null.window
        n = int(window.sum())
        if null.overdispersion is None:
            total = baseline + window
            p_value = float(stats.hypergeom.sf(window[0] - 1, total.sum(), total[0], n))
            return min(p_value, 1.0)
        if baseline.sum() == 0 or window[0] / n <= baseline[0] / baseline.sum():
            return 1.0
        return simulate(
            lambda size: _excess(*null.draw(size, rng)),
            partial(count_reached, observed=_excess(baseline, window)),
            first=_excess(*null.draw(N_TABLES, rng)),
            most=most_draws(alpha, MOST_TABLES),
            batch=table_batch(null),
        ).p_value

    def effect(self) -> float:
        """The share of novel rows that the baseline does not have."""
        own = self.comparison.statistics.novel_share
        excess = max(0.0, self.statistic - own)
        return excess / (1 - own) if own < 1 else 0.0  # 0 where the own share is not known

    def detectable(self, alpha: float) -> float:
        """Of rows that are all novel."""
        own = self.comparison.statistics.novel_share
        if math.isnan(own):
            return math.nan
        n_baseline, n_window = (max(round(n), 1) for n in self.counts.effective_rows())
        return detectable_novelty(n_baseline, round(own * n_baseline), n_window, alpha)


class NoveltyTest(SubTest):
    """Fisher's exact test of the rows beyond the novelty radius, or the same by drawn tables."""

    def null(self, comparison: Comparison) -> NoveltyNull:
        """The novel rows, beside those that windows without drift have."""
        return NoveltyNull(comparison)

    def clarity(self, comparison: Comparison) -> float:
        """The two-sample z of the novel shares, with their pooled variance."""
        statistics, window = comparison.statistics, comparison.window
        n_baseline = statistics.n_held_out
        pooled = (statistics.n_held_out_novel + window.n_novel) / (n_baseline + window.n)
        if not (0 < pooled < 1 and n_baseline):
            return -math.inf
        excess = window.n_novel / window.n - statistics.novel_share
        return excess / math.sqrt(pooled * (1 - pooled) * (1 / n_baseline + 1 / window.n))

    def sentence(self, judgement: Judgement) -> str:
        """How many rows are novel."""
        return (
            f"{percent(judgement.novel_share)} of the rows are novel, unlike anything in the baseline "
            f"({percent(judgement.baseline_novel_share)} there)."
        )


NOVELTY: Final = NoveltyTest(
    name="novelty",
    title="Novelty",
    short_title="novel rows",
    sees="rows unlike anything in the baseline",
    detectable_change="unlike anything in the baseline",
    kind=ShiftKind.NEW_CONTENT,
)


def detectable_novelty(n_baseline: int, novel_baseline: int, n_window: int, alpha: float) -> float:
    """The share of novel rows for which Fisher's exact test reaches `alpha` with probability `POWER`.

    Examples
    --------
    >>> round(detectable_novelty(1000, 10, 200, 0.001), 3)
    0.053
    """

    def p_value(novel: int) -> float:
        total = n_baseline + n_window
        return float(stats.hypergeom.sf(novel - 1, total, novel_baseline + novel, n_window))

    if p_value(n_window) > alpha:
        return math.nan
    least = bisect.bisect_left(range(n_window), True, key=lambda novel: p_value(novel) <= alpha)
    # P(X ≥ x) = POWER for X binomial, in terms of its share (Clopper & Pearson 1934).
    total = float(stats.beta.ppf(POWER, least, n_window - least + 1))
    own = novel_baseline / n_baseline
    return max(0.0, (total - own) / (1 - own)) if own < 1 else math.nan


def _excess(baseline: NDArray[np.int64], window: NDArray[np.int64]) -> NDArray[np.float64]:
    """By how much the window's share of novel rows is higher."""
    return np.asarray(
        window[..., 0] / window.sum(axis=-1) - baseline[..., 0] / baseline.sum(axis=-1)
    )
