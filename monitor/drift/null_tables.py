"""The null distribution of counts: tables drawn without drift."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.overdispersion import Overdispersion
from monitor.clusters.tails import hypergeometric_tails

_MOST_CONCENTRATED = 1e7
_ROWS_PER_CLUSTER: Final = 8
"""A row drawn takes an eighth of the time of a hypergeometric number."""
_MOST_COUNTED: Final = 1_000_000
"""Drawing row by row holds a number for each row of both sides."""
_MOST_DRAWN_FROM: Final = 1_000_000_000
"""numpy draws from fewer rows only."""
_MOST_COUNTS: Final = 20_000_000
"""Bounds a batch's memory where there are thousands of clusters."""
_SEED: Final = 0x74616273
"""Of what all windows of a baseline share."""

Tables = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Counts of the baseline and of the window, (..., k) each."""


@dataclass(frozen=True, eq=False)
class NullTables:
    """Draws 2 × k tables (baseline, window) in which both come from one population.

    Without `overdispersion` rows are independent, and the window is drawn from the multivariate
    hypergeometric distribution that both margins leave: exact, and no share has to be known. With it,
    the shares of windows vary round those of the population as a Dirichlet distribution does (so
    counts are Dirichlet-multinomial), each cluster with a correlation of its own, which is itself drawn
    from those that are compatible with the baseline's windows.

    Parameters
    ----------
    baseline, window
        (k,) the observed counts.
    overdispersion
        Natural variation, or None when rows are taken as independent.
    unevenness
        Σ n_t² / (Σ n_t)² over the windows that each side was pooled from, (baseline, window); 1 for a
        single window. It says how much of the variation pooling leaves.
    """

    baseline: NDArray[np.int64]
    window: NDArray[np.int64]
    overdispersion: Overdispersion | None = None
    unevenness: tuple[float, float] = (1.0, 1.0)

    @property
    def batch(self) -> int:
        """How many tables may be drawn at once."""
        return max(_MOST_COUNTS // len(self.window), 99)

    def draw(self, n_draws: int, rng: np.random.Generator) -> Tables:
        """(n_draws, k) counts of the baseline and of the window; rows sum to the observed sums."""
        total = self.baseline + self.window
        n = int(self.window.sum())
        if self.overdispersion is None:
            if total.sum() >= _MOST_DRAWN_FROM:
                # Of so many rows the share that the window takes is known as good as exactly.
                shares = total / total.sum()
                baseline = rng.multinomial(total.sum() - n, shares, n_draws)
                return baseline, rng.multinomial(n, shares, n_draws)
            # Row by row, or cluster by cluster: what is less work.
            is_small = n < _ROWS_PER_CLUSTER * len(total) and total.sum() < _MOST_COUNTED
            drawn = rng.multivariate_hypergeometric(
                total, n, size=n_draws, method="count" if is_small else "marginals"
            )
            return total - drawn, np.asarray(drawn)
        correlations = self.overdispersion.draw(n_draws, rng)
        first, second = (
            _varied_tables(side, self.pooled_shares, correlations * uneven, rng)
            for side, uneven in zip((self.baseline, self.window), self.unevenness, strict=True)
        )
        return first, second

    def resample(self, n_draws: int, rng: np.random.Generator) -> Tables:
        """The same of sides that come from two populations, those whose shares they show."""
        uneven_baseline, uneven_window = self.unevenness
        baseline = _baseline_again(
            self.baseline.tobytes(), self.overdispersion, uneven_baseline, n_draws
        )
        shares = self.window / self.window.sum()
        if self.overdispersion is None:
            return baseline, rng.multinomial(self.window.sum(), shares, n_draws)
        correlations = _correlations(self.overdispersion, n_draws)
        return baseline, _varied_tables(self.window, shares, correlations * uneven_window, rng)

    def p_values_of_each(self) -> NDArray[np.float64]:
        """(k,) Fisher's exact test of each cluster against all others, two-sided, if rows are independent."""
        totals, n = self.baseline + self.window, int(self.window.sum())
        tails = hypergeometric_tails(self.window, int(totals.sum()), totals, n)
        return np.asarray(np.minimum(2 * np.minimum(*tails), 1.0))

    @property
    def _correlation(self) -> float:
        return 0.0 if self.overdispersion is None else self.overdispersion.correlation

    def effective_rows(self) -> tuple[float, float]:
        """How many independent rows carry as much information as those of the baseline, and of the window."""
        first, second = (
            n / (1 + (n - 1) * self._correlation * uneven)
            for n, uneven in zip(
                (int(self.baseline.sum()), int(self.window.sum())), self.unevenness, strict=True
            )
        )
        return first, second

    @property
    def pooled_shares(self) -> NDArray[np.float64]:
        """(k,) float64: shares of both sides together, each weighted by the information in its rows."""
        sides = []
        for counts, uneven in zip((self.baseline, self.window), self.unevenness, strict=True):
            sides.append(counts / (1 + (counts.sum() - 1) * self._correlation * uneven))
        pooled = sides[0] + sides[1]
        return np.asarray(pooled / pooled.sum())


@lru_cache(maxsize=64)
def _correlations(overdispersion: Overdispersion, n_draws: int) -> NDArray[np.float64]:
    """(n_draws, k) correlations, the same for all windows that are resampled beside a baseline."""
    return overdispersion.draw(n_draws, np.random.default_rng(_SEED))


@lru_cache(maxsize=64)
def _baseline_again(
    counts: bytes, overdispersion: Overdispersion | None, unevenness: float, n_draws: int
) -> NDArray[np.int64]:
    """(n_draws, k) counts of a baseline, int64, resampled round its own shares: once for all its windows."""
    baseline, rng = np.frombuffer(counts, dtype=np.int64), np.random.default_rng(_SEED)
    shares = baseline / baseline.sum()
    if overdispersion is None:
        return rng.multinomial(baseline.sum(), shares, n_draws)
    return _varied_tables(
        baseline, shares, _correlations(overdispersion, n_draws) * unevenness, rng
    )


def _varied_tables(
    counts: NDArray[np.int64],
    shares: NDArray[np.float64],
    correlations: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """(n, k) tables of as many rows as `counts` are, whose shares vary round `shares`."""
    return rng.multinomial(counts.sum(), _varied(shares, correlations, rng))


def _varied(
    shares: NDArray[np.float64], correlations: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """(n, k) shares that vary round `shares` with variance about ρ p (1 − p).

    Gamma variables scaled to sum to 1: a Dirichlet distribution where all ρ of a row are equal.
    """
    with np.errstate(divide="ignore"):
        concentration = np.clip(1 / correlations - 1, 1e-2, _MOST_CONCENTRATED)
    drawn = rng.standard_gamma(np.maximum(concentration * shares, 1e-12)) / concentration
    totals = drawn.sum(axis=1, keepdims=True)
    # So little concentration that all gammas underflowed: take the centre.
    return np.asarray(np.where(totals > 0, drawn / np.where(totals > 0, totals, 1.0), shares))
