"""By how much the counts of windows vary more than those of independent rows, by moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from monitor.codec import Shape

MOST_CORRELATION: Final = 0.99
"""Shares are drawn from a Dirichlet distribution of concentration 1/ρ − 1, which needs ρ < 1."""
LEAST_CONCENTRATION: Final = 0.01
"""That of about this correlation, and for the same reason."""
LEAST_ROWS_OF_CATEGORY: Final = 0.1
"""Rows of a category that a mean window counts as having, at least: by how much chance makes categories
differ is a mean over them, which one that hardly ever occurs would decide alone."""
_TINY: Final = 1e-9
"""Stands for 0 where something is divided by it: sizes of one row, effects of 1."""
_CERTAIN: Final = 1e9
"""Degrees of freedom of what needs no estimate."""


@dataclass(frozen=True, eq=False)
class Overdispersion:
    """By how much the counts of windows vary more than counts of independent rows do.

    A window of n rows varies 1 + (n − 1) ρ times as much as n independent rows, ρ the intra-window
    correlation of "lies in this category" of two of its rows (the design effect; Rao & Scott 1981).

    Parameters
    ----------
    correlation
        ρ ≥ 0 of all categories together.
    design_effect, freedom
        1 + (n − 1) ρ as estimated, which may be below 1, and the degrees of freedom of that estimate.
    effects, freedoms
        (k,) the same for each category that varies more than all together do: one may be wild while the
        others are calm.
    mean_rows
        The size of the windows that these are of.
    """

    correlation: float
    design_effect: float
    freedom: float
    effects: Annotated[NDArray[np.float64], Shape("_categories")]
    freedoms: Annotated[NDArray[np.float64], Shape("_categories")]
    mean_rows: float

    @property
    def correlations(self) -> NDArray[np.float64]:
        """(k,) ρ ≥ 0 of each category."""
        return self._correlations(self.effects)

    def draw(self, n_draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """(n_draws, k) correlations that could have given these estimates, each ≥ 0."""
        # What all categories share is one draw for all: drawn for each it would average out.
        common = rng.chisquare(self.freedom, (n_draws, 1)) / self.freedom
        own = rng.chisquare(self.freedoms, (n_draws, len(self.freedoms))) / self.freedoms
        own = np.where(self.effects > self.design_effect, own, 1.0)
        return self._correlations(self.effects / np.maximum(common * own, _TINY))

    def _correlations(self, effects: NDArray[np.float64]) -> NDArray[np.float64]:
        others = max(self.mean_rows - 1, _TINY)
        return np.asarray(np.clip((effects - 1) / others, 0.0, MOST_CORRELATION))


@dataclass(frozen=True, eq=False)
class Expected:
    """What each window's counts are compared with, instead of all windows' together.

    Parameters
    ----------
    shares
        (n_windows, k) of its categories.
    own
        (n_windows,) what part of that comes from the window itself.
    """

    shares: NDArray[np.float64]
    own: NDArray[np.float64]


def overdispersion(
    counts: NDArray[np.int64],
    seasons: NDArray[np.int64] | None = None,
    expected: Expected | None = None,
) -> Overdispersion:
    """The overdispersion of a (windows × categories) table.

    With X²_w Pearson's statistic of window w against the pooled shares of its season,
    E ΣX²_w = Σ e_w (1 + (n_w − 1) ρ) where e_w = (k − 1)(1 − n_w / N). Its degrees of freedom are those of
    k − 1 equally varying contrasts, or fewer where windows differ more in their X². Each category's own
    effect, from its share of X², is shrunk towards the common one: the less, the more categories differ
    beyond chance (empirical Bayes; Efron & Morris 1973). It counts where it is the larger of the two.

    Parameters
    ----------
    counts
        (n_windows, k) rows of each window in each category.
    seasons
        (n_windows,) windows are compared only with those of the same number; by default with all.
    expected
        What windows are compared with instead.
    """
    k = counts.shape[1]
    seasons = np.zeros(len(counts), dtype=np.int64) if seasons is None else seasons
    is_filled = counts.sum(axis=1) > 0
    if expected is None:
        pearson = _Pearson.of(counts[is_filled], seasons[is_filled])
    else:
        pearson = _Pearson.about(
            counts[is_filled], Expected(expected.shares[is_filled], expected.own[is_filled])
        )
    if pearson is None:
        # Nothing varies: rows are as good as independent.
        mean_rows = float(counts[is_filled].sum(axis=1).mean())
        return Overdispersion(0.0, 1.0, _CERTAIN, np.ones(k), np.full(k, _CERTAIN), mean_rows)
    effect, rows = pearson.effect, pearson.mean_rows
    freedom = pearson.freedom
    own_effects, trust = pearson.own_effects()
    # Never calmer than all together: few windows cannot prove a category calm.
    is_wild = own_effects > effect
    own_freedoms = pearson.own_freedoms(own_effects, trust)
    return Overdispersion(
        correlation=max(0.0, (effect - 1) / max(rows - 1, _TINY)),
        design_effect=effect,
        freedom=max(freedom, 1.0),
        effects=np.where(is_wild, own_effects, effect),
        freedoms=np.maximum(np.where(is_wild, np.minimum(own_freedoms, freedom), freedom), 1.0),
        mean_rows=rows,
    )


@dataclass(frozen=True, eq=False)
class _Pearson:
    """Pearson's X² of windows against the pooled shares of their seasons, cell by cell.

    Parameters
    ----------
    counts
        (n_windows, k), no window empty.
    shares
        (n_windows, k) the pooled shares of each window's season.
    terms
        (n_windows, k) squared standardised residuals, weighed by 1 − share: their sums are X².
    weights
        (n_windows, k) what `terms` are expected to be for independent rows.
    n_free
        Windows less seasons.
    """

    counts: NDArray[np.int64]
    shares: NDArray[np.float64]
    terms: NDArray[np.float64]
    weights: NDArray[np.float64]
    n_free: int

    @classmethod
    def of(cls, counts: NDArray[np.int64], seasons: NDArray[np.int64]) -> _Pearson | None:
        """None where a table has nothing that could vary."""
        sizes = counts.sum(axis=1)
        pooled = np.zeros((int(seasons.max(initial=0)) + 1, counts.shape[1]))
        np.add.at(pooled, seasons, counts)
        total = pooled.sum(axis=1)[seasons]
        inner = 1 - sizes / total
        n_free = len(counts) - len(np.unique(seasons))
        if (counts.sum(axis=0) > 0).sum() < 2 or n_free < 1 or inner.sum() <= 0:
            return None
        return cls._with(counts, pooled[seasons] / total[:, None], inner, n_free)

    @classmethod
    def about(cls, counts: NDArray[np.int64], expected: Expected) -> _Pearson | None:
        """The same about given shares."""
        inner = 1 - expected.own
        n_free = round(float(inner.sum()))
        if (counts.sum(axis=0) > 0).sum() < 2 or n_free < 1:
            return None
        return cls._with(counts, expected.shares, inner, n_free)

    @classmethod
    def _with(
        cls,
        counts: NDArray[np.int64],
        shares: NDArray[np.float64],
        inner: NDArray[np.float64],
        n_free: int,
    ) -> _Pearson:
        sizes = counts.sum(axis=1)
        spread = sizes[:, None] * shares * (1 - shares)
        squares = np.where(shares > 0, (counts - sizes[:, None] * shares) ** 2, 0.0)
        standardised = np.divide(squares, spread, out=np.zeros_like(spread), where=spread > 0)
        return cls(
            counts=counts,
            shares=shares,
            terms=standardised * (1 - shares),
            weights=(1 - shares) * inner[:, None] * (shares > 0),
            n_free=n_free,
        )

    @property
    def is_there(self) -> NDArray[np.bool_]:
        """(k,) which categories have any row."""
        return np.asarray(self.counts.sum(axis=0) > 0)

    @property
    def n_contrasts(self) -> int:
        """Categories that have rows, less one."""
        return int(self.is_there.sum()) - 1

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(n_windows,) rows of each window."""
        return np.asarray(self.counts.sum(axis=1))

    @property
    def effect(self) -> float:
        """The design effect of all categories together."""
        return float(self.terms.sum() / self.weights.sum())

    @property
    def mean_rows(self) -> float:
        """The size of windows that the effect is of."""
        return float((self.weights.sum(axis=1) * self.sizes).sum() / self.weights.sum())

    @property
    def freedom(self) -> float:
        """The degrees of freedom of the effect."""
        freedom = float(self.n_free * self.n_contrasts)
        weights = self.weights.sum(axis=1)
        of_windows = (self.terms.sum(axis=1) / np.maximum(weights, _TINY))[weights > 0]
        spread = float(of_windows.var(ddof=1)) if len(of_windows) > 1 else 0.0
        # A mean of squares with this variance tells as much as so many normal ones (Satterthwaite 1946).
        return min(freedom, 2 * self.n_free * self.effect**2 / spread) if spread > 0 else freedom

    def own_effects(self) -> tuple[NDArray[np.float64], float]:
        """(k,) each category's effect, shrunk towards the common one, and how little: 1 is not at all."""
        effect, is_there = self.effect, self.is_there
        own = np.divide(
            self.terms.sum(axis=0), self.weights.sum(axis=0),
            out=np.full(len(is_there), effect), where=is_there,
        )  # fmt: skip
        rows = self.sizes.mean() * self.shares.mean(axis=0)[is_there]
        # A Poisson count of mean m has the excess kurtosis 1 / m: its squared residual varies by 2 + 1 / m.
        rare = float((1 / np.maximum(rows, LEAST_ROWS_OF_CATEGORY)).mean())
        by_chance = (2 * effect**2 + rare) / self.n_free
        beyond = max(float(own[is_there].var(ddof=1)) - by_chance, 0.0)
        trust = beyond / (beyond + by_chance)
        return effect + trust * (own - effect), trust

    def own_freedoms(self, effects: NDArray[np.float64], trust: float) -> NDArray[np.float64]:
        """(k,) the degrees of freedom of `own_effects`."""
        # The variance of trust · own + (1 − trust) · common, which has n_contrasts times as many.
        freedom = self.n_free / (trust**2 + (1 - trust) ** 2 / self.n_contrasts)
        # The wilder a share, the longer its tail. A gamma variable of shape a has the excess kurtosis 6 / a,
        # and the variance of n of them tells as much as that of n / (1 + 3 / a) normal ones, for
        # Var s² = σ⁴ (2 / (n − 1) + kurtosis / n) (Cramér 1946, § 27.4).
        concentration = (self.mean_rows - 1) / np.maximum(effects - 1, _TINY) - 1
        shape = np.maximum(concentration, LEAST_CONCENTRATION) * self.counts.sum(axis=0)
        shape = np.maximum(shape / self.sizes.sum(), _TINY)
        return np.asarray(freedom / (1 + trust**2 * 3 / shape))
