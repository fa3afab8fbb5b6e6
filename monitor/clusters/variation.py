"""Natural variation: how much the baseline's own windows differ, beyond what sampling rows explains.

Real traffic is no lottery drawn anew each day: what people upload on Monday resembles Monday. The
rows of one window are alike, and a test that takes rows as independent calls nearly every quiet
window drifted. What the baseline's windows show of it is kept here, and every window is judged
against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from monitor.clusters.moments import spectral_moments
from monitor.codec import Lengths, Shape

LEAST_WINDOWS: Final = 5
"""From fewer windows nothing is learned: their spread would be a guess."""
LEAST_OF_EACH: Final = 4
"""A season with fewer windows has no reference of its own."""
SEASON_LEVEL: Final = 0.001
"""Seasons are told apart only where chance would show such a difference so rarely."""


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
        What was seen, not cut off at 1, and the degrees of freedom that it was estimated with.
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
        return np.asarray(np.clip((self.effects - 1) / max(self.mean_rows - 1, 1e-9), 0.0, 0.99))

    def draw(self, n_draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """(n_draws, k) correlations in [0, 0.99] that could have given what was seen."""
        # What is not known of all together is one draw for all: drawn apart it would average out.
        common = rng.chisquare(self.freedom, (n_draws, 1)) / self.freedom
        own = rng.chisquare(self.freedoms, (n_draws, len(self.freedoms))) / self.freedoms
        own = np.where(self.effects > self.design_effect, own, 1.0)
        effects = self.effects / np.maximum(common * own, 1e-12)
        return np.asarray(np.clip((effects - 1) / max(self.mean_rows - 1, 1e-9), 0.0, 0.99))


@dataclass(frozen=True, eq=False)
class Movement:
    """How much rows, and the means of windows, move inside their clusters.

    Parameters
    ----------
    rows
        (3,) float64: tr Σ, tr Σ², tr Σ³ of the covariance Σ of a row's vector round the mean of its cluster.
    windows
        (3,) float64: the same of V = Σ + n̄ B, the covariance of √n̄ times a window's mean of these; B is
        what windows truly move.
    mean_size
        n̄, the mean size of a window.
    freedom
        Windows that V was estimated with, less the means that were taken off.
    """

    rows: Annotated[NDArray[np.float64], Shape(3, finite=False)]
    windows: Annotated[NDArray[np.float64], Shape(3, finite=False)]
    mean_size: float
    freedom: float

    @classmethod
    def of(
        cls,
        vectors: NDArray[np.float64],
        labels: NDArray[np.int64],
        index: NDArray[np.int64],
        seasons: NDArray[np.int64],
        n_clusters: int,
    ) -> Movement:
        """Of rows, (n, width), in clusters `labels` and windows `index`, which lie in `seasons`."""
        residuals = vectors - _group_means(vectors, labels, n_clusters)[labels]
        sizes = np.bincount(index)
        means = _group_means(residuals, index, len(sizes))
        n_seasons = int(seasons.max()) + 1
        of_season = _group_means(residuals, seasons[index], n_seasons)
        deviations = (means - of_season[seasons]) * np.sqrt(sizes)[:, None]
        n_means = len(np.unique(seasons))
        total = sizes.sum()
        return cls(
            rows=spectral_moments(residuals, n_means=1),
            windows=spectral_moments(deviations, n_means=n_means),
            mean_size=float((total - (sizes**2).sum() / total) / max(len(sizes) - 1, 1)),
            freedom=float(len(sizes) - n_means),
        )


@dataclass(frozen=True, eq=False)
class Variation:
    """The baseline's own windows, in numbers.

    Parameters
    ----------
    every
        The length of the windows, such as "1d".
    counts
        (n_windows, n_clusters) int64, rows per cluster of each window; of one season, only its own.
    mix, novelty
        Of the counts of clusters, and of rows beyond the novelty radius.
    plain, whitened
        Of the vectors inside their clusters, as they are and in the baseline's whitened coordinates.
    """

    every: str
    counts: Annotated[NDArray[np.int64], Shape(None, "clusters")]
    mix: Annotated[Overdispersion, Lengths(_categories="clusters")]
    novelty: Annotated[Overdispersion, Lengths(_categories=2)]
    plain: Movement
    whitened: Movement

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(n_windows,) rows of each window."""
        return np.asarray(self.counts.sum(axis=1))

    @property
    def unevenness(self) -> float:
        """Σ n_w² / (Σ n_w)²: 1 / n_windows when all have the same size."""
        sizes = self.sizes
        return float((sizes**2).sum() / sizes.sum() ** 2)


@dataclass(frozen=True, eq=False)
class DatedRows:
    """Rows of a baseline, and the windows that they lie in.

    Parameters
    ----------
    every
        The length of the windows.
    windows
        (n,) which window each row lies in; negative for rows without a time.
    labels
        (n,) the cluster of each row.
    vectors
        (n, width) float64.
    is_novel
        (m,) whether the first m rows, which nothing was fitted on, lie beyond the novelty radius.
    whitened
        (m, width) float64, these rows in whitened coordinates.
    n_clusters
        How many clusters there are.
    """

    every: str
    windows: NDArray[np.int64]
    labels: NDArray[np.int64]
    vectors: NDArray[np.float64]
    is_novel: NDArray[np.bool_]
    whitened: NDArray[np.float64]
    n_clusters: int

    def variation(self, n_seasons: int = 1, season: int = 0) -> Variation | None:
        """The variation between windows; None for fewer than `LEAST_WINDOWS`.

        Parameters
        ----------
        n_seasons
            Windows whose numbers are alike modulo this are one season, such as a day of the week; they
            are compared with each other only.
        season
            Whose windows `Variation.counts` holds.
        """
        windows = self.windows[: len(self.is_novel)]
        # A window of one row says nothing about rows of one window.
        sizes = np.unique(windows[windows >= 0], return_counts=True)[1]
        if (sizes >= 2).sum() < LEAST_WINDOWS + n_seasons - 1:
            return None
        counts = count_windows(self.windows, self.labels, self.n_clusters)
        seasons = np.unique(self.windows[self.windows >= 0]) % n_seasons
        novel = count_windows(windows, 1 - self.is_novel.astype(np.int64), 2)
        return Variation(
            every=self.every,
            counts=counts[seasons == season],
            mix=overdispersion(counts, seasons),
            novelty=overdispersion(novel, np.unique(windows[windows >= 0]) % n_seasons),
            plain=self._movement(self.vectors, n_seasons),
            whitened=self._movement(self.whitened, n_seasons),
        )

    def _movement(self, vectors: NDArray[np.float64], n_seasons: int) -> Movement:
        """Of `vectors`, which are those of the first rows."""
        windows = self.windows[: len(vectors)]
        dated = windows >= 0
        numbers, index = np.unique(windows[dated], return_inverse=True)
        labels = self.labels[: len(vectors)][dated]
        return Movement.of(vectors[dated], labels, index, numbers % n_seasons, self.n_clusters)

    def has_seasons(self, n_seasons: int) -> bool:
        """Whether clusters have other shares in some seasons than in others, beyond natural variation.

        The variation between seasons is held against that within them by an F test; every season needs
        `LEAST_OF_EACH` windows.
        """
        dated = self.windows >= 0
        numbers = np.unique(self.windows[dated])
        seasons = numbers % n_seasons
        if np.bincount(seasons, minlength=n_seasons).min() < LEAST_OF_EACH:
            return False
        counts = count_windows(self.windows, self.labels, self.n_clusters)
        of_seasons = np.zeros((n_seasons, self.n_clusters), dtype=np.int64)
        np.add.at(of_seasons, seasons, counts)
        within, between = overdispersion(counts, seasons), overdispersion(of_seasons)
        # A season's counts are sums of windows, so they vary as many times more as one window does.
        ratio = between.design_effect / max(within.design_effect, 1.0)
        freedom = (n_seasons - 1) * (np.count_nonzero(of_seasons.sum(axis=0)) - 1)
        return bool(stats.f.sf(ratio, freedom, within.freedom) < SEASON_LEVEL)


def count_windows(
    windows: NDArray[np.int64], labels: NDArray[np.int64], n_clusters: int
) -> NDArray[np.int64]:
    """(n_windows, n_clusters) rows per cluster of each window that has any; negative ones are none."""
    dated = windows >= 0
    numbers, index = np.unique(windows[dated], return_inverse=True)
    cells = index * n_clusters + labels[dated]
    return np.bincount(cells, minlength=len(numbers) * n_clusters).reshape(-1, n_clusters)


def overdispersion(
    counts: NDArray[np.int64], seasons: NDArray[np.int64] | None = None
) -> Overdispersion:
    """The overdispersion of a (windows × categories) table, by moments.

    With X²_w Pearson's statistic of window w against the pooled shares of its season,
    E ΣX²_w = Σ e_w (1 + (n_w − 1) ρ) where e_w = (k − 1)(1 − n_w / N). Its degrees of freedom are those of
    k − 1 equally varying contrasts. Each category's own effect, from its share of X², is drawn towards the
    common one by as much as the categories differ no more than chance makes them (empirical Bayes;
    Efron & Morris 1973), and counts where it is the larger of the two.
    """
    k = counts.shape[1]
    seasons = np.zeros(len(counts), dtype=np.int64) if seasons is None else seasons
    filled = counts.sum(axis=1) > 0
    counts, seasons = counts[filled], seasons[filled]
    sizes = counts.sum(axis=1)
    pooled = np.zeros((int(seasons.max(initial=0)) + 1, k))
    np.add.at(pooled, seasons, counts)
    total = pooled.sum(axis=1)[seasons]
    shares = pooled[seasons] / total[:, None]
    inner = 1 - sizes / total
    is_there = counts.sum(axis=0) > 0
    n_free = len(counts) - len(np.unique(seasons))
    if is_there.sum() < 2 or n_free < 1 or inner.sum() <= 0:
        # Nothing varies: rows are as good as independent.
        return Overdispersion(0.0, 1.0, 1e9, np.ones(k), np.full(k, 1e9), float(sizes.mean()))
    spread = sizes[:, None] * shares * (1 - shares)
    of_cells = np.where(shares > 0, (counts - sizes[:, None] * shares) ** 2, 0.0)
    # Pearson's X² weighs a category's squared standardised residuals by 1 − p.
    weights = (1 - shares) * inner[:, None] * (shares > 0)
    terms = np.divide(of_cells, spread, out=np.zeros_like(spread), where=spread > 0)
    base = weights.sum()
    effect = float((terms * (1 - shares)).sum() / base)
    rows = float((weights.sum(axis=1) * sizes).sum() / base)
    own = np.divide(
        (terms * (1 - shares)).sum(axis=0), weights.sum(axis=0),
        out=np.full(k, effect), where=is_there,
    )  # fmt: skip
    n_contrasts = int(is_there.sum()) - 1
    freedom = float(n_free * n_contrasts)
    by_window = (terms * (1 - shares)).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-12)
    uneven = float(by_window[inner > 0].var(ddof=1)) if (inner > 0).sum() > 1 else 0.0
    if uneven > 0:
        # Windows that differ more in their X² than equal contrasts would tell less.
        freedom = min(freedom, 2 * n_free * effect**2 / uneven)
    # Squared residuals of rare categories vary by 1 / (n p) more than those of normal variables.
    rare = float((1 / np.maximum(sizes.mean() * shares.mean(axis=0)[is_there], 0.1)).mean())
    by_chance = (2 * effect**2 + rare) / n_free
    differ = max(float(own[is_there].var(ddof=1)) - by_chance, 0.0)
    trust = differ / (differ + by_chance)
    drawn = effect + trust * (own - effect)
    # Never calmer than all together: few windows cannot prove a category calm.
    is_wild = drawn > effect
    own_freedom = n_free / (trust**2 + (1 - trust) ** 2 / n_contrasts)
    # The wilder a share, the longer its tail: a gamma variable of shape a has the excess kurtosis 6 / a, and
    # the variance of n of them tells as much as that of n / (1 + 3 / a) normal ones.
    concentration = np.maximum((rows - 1) / np.maximum(drawn - 1, 1e-9) - 1, 1e-2)
    shape = np.maximum(concentration * counts.sum(axis=0) / sizes.sum(), 1e-9)
    own_freedom = own_freedom / (1 + trust**2 * 3 / shape)
    effects = np.where(is_wild, drawn, effect)
    freedoms = np.where(is_wild, np.minimum(own_freedom, freedom), freedom)
    correlation = max(0.0, (effect - 1) / max(rows - 1, 1e-9))
    return Overdispersion(
        correlation=correlation,
        design_effect=effect,
        freedom=max(freedom, 1.0),
        effects=effects,
        freedoms=np.maximum(freedoms, 1.0),
        mean_rows=rows,
    )


def _group_means(
    vectors: NDArray[np.float64], groups: NDArray[np.int64], n_groups: int
) -> NDArray[np.float64]:
    """(n_groups, width): the mean row of each group, 0 for empty ones."""
    means = np.zeros((n_groups, vectors.shape[1]))
    if len(vectors) == 0:
        return means
    order = np.argsort(groups, kind="stable")
    sizes = np.bincount(groups, minlength=n_groups)
    starts = (np.cumsum(sizes) - sizes)[sizes > 0]
    means[sizes > 0] = np.add.reduceat(vectors[order], starts, axis=0) / sizes[sizes > 0, None]
    return means
