"""The novelty test: do rows lie farther from what is known than the baseline's own?"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from monitor.clusters import FarRows
from monitor.drift.comparison import UNKNOWN, Comparison, Ratio
from monitor.drift.judgement import Judgement, ShiftKind
from monitor.drift.significance import LEAST_P_VALUE
from monitor.drift.subtest import POWER, SubTest
from monitor.drift.wording import percent

_FAR: Final = 0.5
"""Nearer than so many of the baseline's own rows lies no new one."""


@dataclass(frozen=True, eq=False)
class NoveltyNull:
    """The distances to the nearest known rows, held against the baseline's own. One-sided.

    Each row of the baseline is measured as if it were not known, so that its distance is that of a new row.
    """

    comparison: Comparison

    @cached_property
    def far_rows(self) -> FarRows:
        """The test of independent rows."""
        return FarRows.of(*self._counts)

    @property
    def _counts(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self.comparison.reference.nearness_counts, self.comparison.window.nearness_counts

    @property
    def statistic(self) -> float:
        """The p-value of independent rows as a standard normal's z."""
        return self.far_rows.z

    def p_value(self, alpha: float) -> float:
        """By counts of rows that are far, or by the law of the baseline's windows."""
        return self._p_value(self.far_rows)

    def _p_value(self, far_rows: FarRows) -> float:
        of_rows = max(far_rows.p_value, LEAST_P_VALUE)
        if far_rows.z <= 0:
            return of_rows
        return self.comparison.calibrated("novelty", lambda: of_rows, Ratio(far_rows.ratio, 1.0))

    def effect(self) -> float:
        """The least share of rows that must be new, beyond chance: at the distance that shows most.

        If π of the rows are new, no more than (1 − π) times the baseline's share of rows lie within any
        distance.
        """
        counts = [side / max(side.sum(), 1) for side in self._counts]
        own, beyond = (np.cumsum(shares[::-1])[::-1][1:] for shares in counts)
        f = self.comparison.f * self.comparison.mean_ratio("novelty")
        is_far = own <= _FAR
        own, beyond = own[is_far], beyond[is_far]
        excess, chance = (beyond - own) / (1 - own), own / (1 - own) * f
        above = np.where(excess > 0, excess**2 - chance, 0.0)
        return math.sqrt(max(float(above.max(initial=0.0)), 0.0))

    def detectable(self, alpha: float) -> float:
        """Of rows that are all farther than any of the baseline's."""
        baseline, window = self._counts
        n, n_baseline = int(window.sum()), int(baseline.sum())
        if n_baseline == 0:
            return math.nan

        def p_value(n_new: int) -> float:
            counts = baseline.astype(np.float64) * ((n - n_new) / n_baseline)
            counts[-1] += n_new
            return self._p_value(FarRows.of(baseline, counts))

        return detectable_novelty(n, alpha, p_value)


class NoveltyTest(SubTest):
    """Distances to the nearest known rows: are few very far, more far, or all farther?"""

    def null(self, comparison: Comparison) -> NoveltyNull:
        """The distances, beside those that windows without drift have."""
        return NoveltyNull(comparison)

    def ratio(self, comparison: Comparison) -> Ratio:
        """z², or that of a usual window where rows lie nearer."""
        if not (comparison.reference.n_measured and comparison.window.n_measured):
            return UNKNOWN
        return Ratio(NoveltyNull(comparison).far_rows.ratio, 1.0)

    def clarity(self, comparison: Comparison) -> float:
        """The statistic."""
        return NoveltyNull(comparison).statistic if comparison.reference.n_measured else -math.inf

    def sentence(self, judgement: Judgement) -> str:
        """How many rows are novel."""
        own = judgement.baseline_novel_share
        if judgement.novel_share <= 2 * own:
            return "The rows lie farther from known ones than the baseline's own do."
        return (
            f"{percent(judgement.novel_share)} of the rows are novel, unlike anything in the baseline "
            f"({percent(own)} there)."
        )


NOVELTY: Final = NoveltyTest(
    name="novelty",
    title="Novelty",
    short_title="novel rows",
    sees="rows unlike anything in the baseline",
    detectable_change="unlike anything in the baseline",
    kind=ShiftKind.NEW_CONTENT,
)


def detectable_novelty(n_window: int, alpha: float, p_value: Callable[[int], float]) -> float:
    """The share of new rows for which the novelty test reaches `alpha` with probability `POWER`.

    Parameters
    ----------
    n_window
        Rows of the window.
    alpha
        Of this test.
    p_value
        Of a number of new rows, the others being the baseline's.

    Examples
    --------
    >>> from scipy import stats
    >>> def fisher(n_new):
    ...     return float(stats.hypergeom.sf(n_new + 1, 1200, 12 + n_new, 200))
    >>> round(detectable_novelty(200, 0.001, fisher), 3)
    0.051
    """
    if p_value(n_window) > alpha:
        return math.nan
    least = bisect.bisect_left(range(n_window), True, key=lambda n_new: p_value(n_new) <= alpha)
    # P(X ≥ x) = POWER for X binomial, in terms of its share (Clopper & Pearson 1934).
    return float(special.betaincinv(least, n_window - least + 1, POWER)) if least else 0.0
