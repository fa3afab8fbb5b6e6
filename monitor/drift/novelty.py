"""The novelty test: are more rows than in the baseline unlike anything known?"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from scipy import stats

from monitor.drift.comparison import Comparison
from monitor.drift.judgement import Judgement, ShiftKind
from monitor.drift.subtest import POWER, SubTest
from monitor.drift.wording import percent


@dataclass(frozen=True, eq=False)
class NoveltyNull:
    """The number of rows beyond the novelty radius, held against the baseline's. One-sided.

    The radius comes from the part of the baseline that centroids were fitted on, and the baseline's count
    from the other part, so that neither of the two counts had a hand in it.
    """

    comparison: Comparison

    @property
    def statistic(self) -> float:
        """The share of novel rows in the window, in [0, 1]."""
        return self.comparison.window.n_novel / self.comparison.window.n

    def p_value(self, alpha: float) -> float:
        """Fisher's exact test where rows are independent, else by the law of the baseline's windows."""
        return self._p_value(self.comparison.window.n_novel)

    def _p_value(self, n_novel: int) -> float:
        comparison, n = self.comparison, self.comparison.window.n
        if comparison.calibration is not None:
            return comparison.calibration.novelty.p_value(n_novel, n, comparison.pooling)
        n_baseline = comparison.statistics.n_held_out
        n_all = comparison.statistics.n_held_out_novel + n_novel
        return min(float(stats.hypergeom.sf(n_novel - 1, n_baseline + n, n_all, n)), 1.0)

    def effect(self) -> float:
        """The share of novel rows that the baseline does not have."""
        own = self.comparison.novel_share
        excess = max(0.0, self.statistic - own)
        return excess / (1 - own) if own < 1 else 0.0  # 0 where the own share is not known

    def detectable(self, alpha: float) -> float:
        """Of rows that are all novel."""
        own = self.comparison.novel_share
        if math.isnan(own):
            return math.nan
        return detectable_novelty(own, self.comparison.window.n, alpha, self._p_value)


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


def detectable_novelty(
    own: float, n_window: int, alpha: float, p_value: Callable[[int], float]
) -> float:
    """The share of novel rows for which the novelty test reaches `alpha` with probability `POWER`.

    Parameters
    ----------
    own
        The share of novel rows without drift.
    n_window
        Rows of the window.
    alpha
        Of this test.
    p_value
        Of a number of novel rows.

    Examples
    --------
    >>> def fisher(novel):
    ...     return float(stats.hypergeom.sf(novel - 1, 1200, 10 + novel, 200))
    >>> round(detectable_novelty(0.01, 200, 0.001, fisher), 3)
    0.053
    """
    if p_value(n_window) > alpha:
        return math.nan
    least = bisect.bisect_left(range(n_window), True, key=lambda novel: p_value(novel) <= alpha)
    # P(X ≥ x) = POWER for X binomial, in terms of its share (Clopper & Pearson 1934).
    total = float(stats.beta.ppf(POWER, least, n_window - least + 1))
    return max(0.0, (total - own) / (1 - own)) if own < 1 else math.nan
