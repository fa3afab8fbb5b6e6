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

from monitor.clusters.moments import spectral_moments

LEAST_WINDOWS: Final = 5
"""From fewer windows nothing is learned: their spread would be a guess."""


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
    """

    rows: NDArray[np.float64]
    windows: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        vectors: NDArray[np.float64],
        labels: NDArray[np.int64],
        index: NDArray[np.int64],
        n_clusters: int,
    ) -> Movement:
        """Of rows, (n, width), in clusters `labels` and windows `index`."""
        members = np.zeros((n_clusters, len(vectors)))
        members[labels, np.arange(len(vectors))] = 1.0
        sizes = np.maximum(members.sum(axis=1), 1)
        residuals = vectors - ((members @ vectors) / sizes[:, None])[labels]
        return cls(spectral_moments(residuals, is_centred=True), _window_moments(residuals, index))


@dataclass(frozen=True, eq=False)
class Variation:
    """The baseline's own windows, in numbers.

    Parameters
    ----------
    every
        The length of the windows, such as "1d".
    counts
        (n_windows, n_clusters) int64, rows per cluster of each window.
    novel
        (n_windows,) int64, rows beyond the novelty radius.
    plain, whitened
        Of the vectors inside their clusters, as they are and in the baseline's whitened coordinates.
    """

    every: str
    counts: NDArray[np.int64]
    novel: NDArray[np.int64]
    plain: Movement
    whitened: Movement

    @classmethod
    def of(
        cls,
        every: str,
        windows: NDArray[np.int64],
        labels: NDArray[np.int64],
        is_novel: NDArray[np.bool_],
        vectors: NDArray[np.float64],
        whitened: NDArray[np.float64],
        *,
        n_clusters: int,
    ) -> Variation | None:
        """The variation over the windows that rows lie in; None for fewer than `LEAST_WINDOWS`.

        Parameters
        ----------
        every
            The length of the windows.
        windows
            (n,) which window each row lies in; negative for rows without a time.
        labels, is_novel
            (n,) the cluster of each row, and whether it lies beyond the novelty radius.
        vectors, whitened
            (n, width) the rows, plain and whitened.
        n_clusters
            How many clusters there are.
        """
        dated = windows >= 0
        numbers, index = np.unique(windows[dated], return_inverse=True)
        # A window of one row says nothing about rows of one window.
        n_windows = int((np.bincount(index) >= 2).sum()) if len(numbers) else 0
        if n_windows < LEAST_WINDOWS:
            return None
        counts = np.zeros((len(numbers), n_clusters), dtype=np.int64)
        np.add.at(counts, (index, labels[dated]), 1)
        novel = np.bincount(index, weights=is_novel[dated], minlength=len(numbers))
        return cls(
            every=every,
            counts=counts,
            novel=novel.astype(np.int64),
            plain=Movement.of(vectors[dated], labels[dated], index, n_clusters),
            whitened=Movement.of(whitened[dated], labels[dated], index, n_clusters),
        )

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(n_windows,) rows of each window."""
        return np.asarray(self.counts.sum(axis=1))

    @property
    def mean_size(self) -> float:
        """n̄, the mean size of a window as it counts in `Movement.windows`."""
        sizes = self.sizes
        return float((sizes.sum() - (sizes**2).sum() / sizes.sum()) / (len(sizes) - 1))

    @property
    def evenness(self) -> float:
        """Σ n_w² / (Σ n_w)²: 1 / n_windows when all have the same size."""
        sizes = self.sizes
        return float((sizes**2).sum() / sizes.sum() ** 2)

    @property
    def mix(self) -> Overdispersion:
        """Of the cluster counts."""
        return overdispersion(self.counts)

    @property
    def novelty(self) -> Overdispersion:
        """Of the counts of novel rows."""
        return overdispersion(np.column_stack([self.novel, self.sizes - self.novel]))


def overdispersion(counts: NDArray[np.int64]) -> Overdispersion:
    """The overdispersion of a (windows × categories) table, by moments.

    With X²_w Pearson's statistic of window w against the pooled shares, E ΣX²_w = Σ e_w (1 + (n_w − 1) ρ)
    where e_w = (k − 1)(1 − n_w / N). The degrees of freedom are those of k − 1 equally varying
    contrasts, or, where the windows' X²_w spread wider than that, those that their spread shows.
    """
    counts = counts[:, counts.sum(axis=0) > 0]
    sizes = counts.sum(axis=1)
    counts, sizes = counts[sizes > 0], sizes[sizes > 0]
    n_windows, k = counts.shape
    total = sizes.sum()
    if k < 2 or n_windows < 2:
        return Overdispersion(0.0, 1.0, float(sizes.mean()) if len(sizes) else 1.0, 1.0)
    expected = sizes[:, None] * counts.sum(axis=0) / total
    statistics = ((counts - expected) ** 2 / expected).sum(axis=1)
    base = (k - 1) * (1 - sizes / total)
    effect = float(statistics.sum() / base.sum())
    rows = float((base * sizes).sum() / base.sum())
    correlation = max(0.0, (effect - 1) / max(rows - 1, 1e-9))
    scaled = statistics / (base * (1 + (sizes - 1) * correlation))
    spread = float(scaled.var(ddof=1))
    freedom = float((n_windows - 1) * (k - 1))
    if spread > 0:
        freedom = min(freedom, 2 * (n_windows - 1) * float(scaled.mean()) ** 2 / spread)
    return Overdispersion(correlation, effect, rows, max(freedom, 1.0))


def _window_moments(vectors: NDArray[np.float64], index: NDArray[np.int64]) -> NDArray[np.float64]:
    order = np.argsort(index, kind="stable")
    sizes = np.bincount(index)
    sums = np.add.reduceat(vectors[order], np.cumsum(sizes) - sizes, axis=0)
    deviations = sums / sizes[:, None] - vectors.mean(axis=0)
    return spectral_moments(deviations * np.sqrt(sizes)[:, None], is_centred=True)
