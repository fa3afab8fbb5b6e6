"""Natural variation: how much the baseline's own windows differ, beyond what sampling rows explains.

Real traffic is not drawn anew row by row: what people upload on Monday resembles Monday. Rows of one
window are alike, and a test that takes them as independent calls nearly every quiet window drifted.
Here is kept how much the baseline's own windows vary; every window is judged against that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from monitor.clusters.overdispersion import Expected, Overdispersion, overdispersion
from monitor.clusters.replayed_windows import ReplayedWindows
from monitor.codec import Lengths, Shape

LEAST_OF_EACH: Final = 4
"""A season with fewer windows has no statistics of its own."""
SEASON_ALPHA: Final = 0.001
"""Seasons have statistics of their own only where chance would show such a difference so rarely."""


@dataclass(frozen=True, eq=False)
class Variation:
    """The baseline's own windows, in numbers.

    Parameters
    ----------
    every
        The length of the windows, such as "1d".
    counts
        (n_windows, n_clusters) int64, rows per cluster of each window; of one season, only its own.
    mix
        Of the counts of clusters.
    replayed
        The windows, each as it would have been judged by the others.
    """

    every: str
    counts: Annotated[NDArray[np.int64], Shape(None, "clusters")]
    mix: Annotated[Overdispersion, Lengths(_categories="clusters")]
    replayed: ReplayedWindows

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
    n_clusters
        How many clusters there are.
    """

    every: str
    windows: NDArray[np.int64]
    labels: NDArray[np.int64]
    n_clusters: int

    def variation(
        self,
        replayed: ReplayedWindows | None,
        n_seasons: int = 1,
        season: int = 0,
        expected: Expected | None = None,
    ) -> Variation | None:
        """The variation between windows; None where they could not be replayed.

        Parameters
        ----------
        replayed
            These windows, by `replay`.
        n_seasons
            Windows whose numbers are alike modulo this are one season, such as a day of the week; they
            are compared with each other only.
        season
            Whose windows `Variation.counts` holds.
        expected
            What the counts of windows are compared with, instead of those of their season.
        """
        if replayed is None:
            return None
        counts = count_windows(self.windows, self.labels, self.n_clusters)
        seasons = np.unique(self.windows[self.windows >= 0]) % n_seasons
        return Variation(
            every=self.every,
            counts=counts[seasons == season],
            mix=overdispersion(counts, seasons, expected),
            replayed=replayed,
        )

    def known_seasons(self, n_seasons: int) -> NDArray[np.bool_]:
        """(n_seasons,) which of them have the `LEAST_OF_EACH` windows of a reference of their own."""
        numbers = np.unique(self.windows[self.windows >= 0])
        return np.asarray(np.bincount(numbers % n_seasons, minlength=n_seasons) >= LEAST_OF_EACH)

    def has_seasons(self, n_seasons: int) -> bool:
        """Whether clusters have other shares in some seasons than in others, beyond natural variation.

        The variation between seasons is compared with that within them by an F test, over the seasons with
        enough windows: a shop may be closed on Sundays.
        """
        is_known = self.known_seasons(n_seasons)
        if is_known.sum() < 2:
            return False
        numbers = np.unique(self.windows[self.windows >= 0])
        is_used = is_known[numbers % n_seasons]
        seasons = numbers[is_used] % n_seasons
        counts = count_windows(self.windows, self.labels, self.n_clusters)[is_used]
        of_seasons = np.zeros((n_seasons, self.n_clusters), dtype=np.int64)
        np.add.at(of_seasons, seasons, counts)
        within, between = overdispersion(counts, seasons), overdispersion(of_seasons)
        # A season's counts are sums of windows, so they vary as many times more as one window does.
        ratio = between.design_effect / max(within.design_effect, 1.0)
        freedom = (is_known.sum() - 1) * (np.count_nonzero(of_seasons.sum(axis=0)) - 1)
        return bool(stats.f.sf(ratio, freedom, within.freedom) < SEASON_ALPHA)


def count_windows(
    windows: NDArray[np.int64], labels: NDArray[np.int64], n_clusters: int
) -> NDArray[np.int64]:
    """(n_windows, n_clusters) rows per cluster of each window that has any; negative ones are none."""
    dated = windows >= 0
    numbers, index = np.unique(windows[dated], return_inverse=True)
    cells = index * n_clusters + labels[dated]
    return np.bincount(cells, minlength=len(numbers) * n_clusters).reshape(-1, n_clusters)
