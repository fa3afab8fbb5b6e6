"""Two tests on counts: the mix of clusters, and rows unlike anything known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from monitor.drift.distances import chi_square
from monitor.drift.null_tables import NullTables, Tables
from monitor.drift.significance import LEAST_P_VALUE, SubTest

FIRST_DRAWS = 999
_ENOUGH_REACHED = 20
_MOST_DRAWS = 200_000
_MOST_COUNTS = 20_000_000
"""Bounds a batch's memory where there are thousands of clusters."""

Statistic = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Simulated:
    """A statistic, and how often tables without drift reach it.

    Parameters
    ----------
    value
        The statistic of what was seen.
    n_drawn, n_reached
        Tables drawn, and those whose statistic was as large.
    """

    value: float
    n_drawn: int
    n_reached: int

    @property
    def p_value(self) -> float:
        """(1 + reached) / (1 + drawn), valid at any counts (Davison & Hinkley 1997, eq. 4.11)."""
        return (1 + self.n_reached) / (1 + self.n_drawn)


def simulate(
    null: NullTables,
    drawn: Tables,
    statistic: Statistic,
    *,
    level: float,
    rng: np.random.Generator,
) -> Simulated:
    """Hold the statistic of `null`'s own table against that of tables without drift.

    Starts with the tables in `drawn`; where so few of them reach the statistic that `level` is in
    reach, more are drawn until 20 do or p is fine enough to tell (Besag & Clifford 1991).
    """
    seen = float(statistic(null.baseline, null.window))
    reached = int((statistic(*drawn) >= seen * (1 - 1e-9)).sum())
    n_drawn = len(drawn[1])
    most = min(4 / level, _MOST_DRAWS)
    largest = max(_MOST_COUNTS // len(null.window), 99)
    while reached < _ENOUGH_REACHED and n_drawn < most:
        size = min(n_drawn, largest)
        reached += int((statistic(*null.draw(size, rng)) >= seen * (1 - 1e-9)).sum())
        n_drawn += size
    return Simulated(seen, n_drawn, reached)


def mix_test(
    null: NullTables,
    drawn: Tables,
    *,
    level: float,
    rng: np.random.Generator,
) -> SubTest:
    """Do the clusters have other shares? Pearson's X² of the 2 × k table, by simulation.

    Beyond what simulation can tell, χ² with k − 1 degrees of freedom stands in where rows are taken as
    independent and all expected counts are 5 or more.

    Parameters
    ----------
    null
        The counts, and how such tables fall without drift.
    drawn
        Some tables that `null` drew.
    level
        The p-value that must be told apart from larger ones.
    rng
        Draws more tables where they are needed.
    """
    found = simulate(null, drawn, chi_square, level=level, rng=rng)
    p_value = found.p_value
    is_beyond = found.n_reached == 0 and p_value > level
    if is_beyond and null.overdispersion is None and _is_dense(null):
        df = np.count_nonzero(null.baseline + null.window) - 1
        p_value = min(p_value, max(float(stats.chi2.sf(found.value, df)), LEAST_P_VALUE))
    return SubTest("mix", found.value, p_value)


def _is_dense(null: NullTables) -> bool:
    """Cochran's (1954) rule: every expected count of the 2 × k table is 5 or more."""
    total = null.baseline + null.window
    smaller = min(null.baseline.sum(), null.window.sum()) / total.sum()
    return bool(total[total > 0].min() * smaller >= 5)


def novelty_test(null: NullTables, *, level: float, rng: np.random.Generator) -> SubTest:
    """Are there more rows beyond the novelty radius than in the baseline? One-sided.

    Fisher's exact test where rows are taken as independent, simulation with natural variation
    otherwise. The radius comes from the part of the baseline that centroids were fitted on, so that
    neither of the two counts had a hand in it.

    Parameters
    ----------
    null
        Its counts are (novel, other) rows.
    level, rng
        As in `mix_test`.
    """
    base, seen = null.baseline, null.window
    n, share = int(seen.sum()), float(seen[0] / seen.sum())
    if null.overdispersion is None:
        total = base + seen
        p_value = float(stats.hypergeom.sf(seen[0] - 1, total.sum(), total[0], n))
        return SubTest("novelty", share, min(p_value, 1.0))
    if base.sum() == 0 or seen[0] / n <= base[0] / base.sum():
        return SubTest("novelty", share, 1.0)

    def excess(baseline: NDArray[np.int64], window: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(
            window[..., 0] / window.sum(axis=-1) - baseline[..., 0] / baseline.sum(axis=-1)
        )

    drawn = null.draw(FIRST_DRAWS, rng)
    return SubTest("novelty", share, simulate(null, drawn, excess, level=level, rng=rng).p_value)
