"""Natural variation: how much the baseline's own windows differ, beyond what sampling rows explains.

Real traffic is no lottery drawn anew each day: what people upload on Monday resembles Monday. The
rows of one window are alike, and a test that takes rows as independent calls nearly every quiet
window drifted. What the baseline's windows show of it is kept here, and every window is judged
against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from monitor.clusters.moments import spectral_moments

LEAST_WINDOWS: Final = 5
"""From fewer windows nothing is learned: their spread would be a guess."""
LEAST_OF_EACH: Final = 4
"""A season with fewer windows has no reference of its own."""
SEASON_LEVEL: Final = 0.001
"""Seasons are told apart only where chance would show such a difference so rarely."""


@dataclass(frozen=True, eq=False)
class Overdispersion:
    """By how much the counts of windows vary more than counts of independent rows do.

    Parameters
    ----------
    correlation
        ρ ≥ 0: the intra-window correlation of "lies in this cluster", of two rows of one window. A
        window of n rows varies 1 + (n − 1) ρ times as much as n independent rows (the design effect;
        Rao & Scott 1981).
    design_effect, mean_rows
        What was seen: the mean design effect, not cut off at 1, of windows of so many rows.
    freedom
        Degrees of freedom that `design_effect` was estimated with.
    """

    correlation: float
    design_effect: float
    mean_rows: float
    freedom: float

    def draw(self, n_draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """(n_draws,) correlations in [0, 0.99] that could have given what was seen."""
        effects = self.design_effect * self.freedom / rng.chisquare(self.freedom, n_draws)
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

    rows: NDArray[np.float64]
    windows: NDArray[np.float64]
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
    counts: NDArray[np.int64]
    mix: Overdispersion
    novelty: Overdispersion
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
    labels, is_novel
        (n,) the cluster of each row, and whether it lies beyond the novelty radius.
    vectors, whitened
        (n, width) float64, the rows, plain and whitened.
    n_clusters
        How many clusters there are.
    """

    every: str
    windows: NDArray[np.int64]
    labels: NDArray[np.int64]
    is_novel: NDArray[np.bool_]
    vectors: NDArray[np.float64]
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
        dated = self.windows >= 0
        numbers, index = np.unique(self.windows[dated], return_inverse=True)
        # A window of one row says nothing about rows of one window.
        n_windows = int((np.bincount(index) >= 2).sum()) if len(numbers) else 0
        if n_windows < LEAST_WINDOWS + n_seasons - 1:
            return None
        seasons = numbers % n_seasons
        counts = self._counts(index, len(numbers))
        novel = np.bincount(index, weights=self.is_novel[dated], minlength=len(numbers))
        two = np.column_stack([novel, counts.sum(axis=1) - novel]).astype(np.int64)
        labels = self.labels[dated]
        plain, whitened = (
            Movement.of(rows[dated], labels, index, seasons, self.n_clusters)
            for rows in (self.vectors, self.whitened)
        )
        return Variation(
            every=self.every,
            counts=counts[seasons == season],
            mix=overdispersion(counts, seasons),
            novelty=overdispersion(two, seasons),
            plain=plain,
            whitened=whitened,
        )

    def has_seasons(self, n_seasons: int) -> bool:
        """Whether clusters have other shares in some seasons than in others, beyond natural variation.

        The variation between seasons is held against that within them by an F test; every season needs
        `LEAST_OF_EACH` windows.
        """
        dated = self.windows >= 0
        numbers, index = np.unique(self.windows[dated], return_inverse=True)
        seasons = numbers % n_seasons
        if np.bincount(seasons, minlength=n_seasons).min() < LEAST_OF_EACH:
            return False
        counts = self._counts(index, len(numbers))
        of_seasons = np.zeros((n_seasons, self.n_clusters), dtype=np.int64)
        np.add.at(of_seasons, seasons, counts)
        within, between = overdispersion(counts, seasons), overdispersion(of_seasons)
        # A season's counts are sums of windows, so they vary as many times more as one window does.
        ratio = between.design_effect / max(within.design_effect, 1.0)
        freedom = (n_seasons - 1) * (np.count_nonzero(of_seasons.sum(axis=0)) - 1)
        return bool(stats.f.sf(ratio, freedom, within.freedom) < SEASON_LEVEL)

    def _counts(self, index: NDArray[np.int64], n_windows: int) -> NDArray[np.int64]:
        cells = index * self.n_clusters + self.labels[self.windows >= 0]
        counts = np.bincount(cells, minlength=n_windows * self.n_clusters)
        return counts.reshape(n_windows, self.n_clusters)


def overdispersion(
    counts: NDArray[np.int64], seasons: NDArray[np.int64] | None = None
) -> Overdispersion:
    """The overdispersion of a (windows × categories) table, by moments.

    With X²_w Pearson's statistic of window w against the pooled shares of its season,
    E ΣX²_w = Σ e_w (1 + (n_w − 1) ρ) where e_w = (k − 1)(1 − n_w / N). The degrees of freedom are those of
    k − 1 equally varying contrasts, or, where the windows' X²_w spread wider than that, those that their
    spread shows.
    """
    counts = counts[:, counts.sum(axis=0) > 0]
    seasons = np.zeros(len(counts), dtype=np.int64) if seasons is None else seasons
    filled = counts.sum(axis=1) > 0
    counts, seasons = counts[filled], seasons[filled]
    sizes, k = counts.sum(axis=1), counts.shape[1]
    pooled = np.zeros((int(seasons.max(initial=0)) + 1, k))
    np.add.at(pooled, seasons, counts)
    total = pooled.sum(axis=1)[seasons]
    shares = pooled[seasons] / total[:, None]
    base = (k - 1) * (1 - sizes / total)
    freedom = float((len(counts) - len(np.unique(seasons))) * (k - 1))
    if k < 2 or freedom < 1 or base.sum() <= 0:
        return Overdispersion(0.0, 1.0, float(sizes.mean()) if len(sizes) else 1.0, 1.0)
    expected = sizes[:, None] * shares
    terms = np.divide(
        (counts - expected) ** 2, expected, out=np.zeros_like(shares), where=shares > 0
    )
    statistics = terms.sum(axis=1)
    effect = float(statistics.sum() / base.sum())
    rows = float((base * sizes).sum() / base.sum())
    correlation = max(0.0, (effect - 1) / max(rows - 1, 1e-9))
    counted = base > 0
    scaled = statistics[counted] / (base * (1 + (sizes - 1) * correlation))[counted]
    spread = float(scaled.var(ddof=1)) if len(scaled) > 1 else 0.0
    if spread > 0:
        freedom = min(freedom, 2 * freedom / (k - 1) * float(scaled.mean()) ** 2 / spread)
    return Overdispersion(correlation, effect, rows, max(freedom, 1.0))


def _group_means(
    vectors: NDArray[np.float64], groups: NDArray[np.int64], n_groups: int
) -> NDArray[np.float64]:
    """(n_groups, width): the mean row of each group, 0 for empty ones."""
    members = np.zeros((n_groups, len(vectors)))
    members[groups, np.arange(len(vectors))] = 1.0
    return np.asarray(members @ vectors / np.maximum(members.sum(axis=1), 1)[:, None])
