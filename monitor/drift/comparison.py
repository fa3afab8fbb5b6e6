"""A window beside what it is compared with: what every test is given."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Baseline, BaselineStatistics, ReplayedWindows, WindowSketch
from monitor.clusters.overdispersion import MOST_CORRELATION, Overdispersion
from monitor.drift.calibration import Calibration, calibrate
from monitor.drift.null_tables import NullTables, Tables

N_TABLES: Final = 499
"""So many tell a mean distance to 1 or 2 %, and its spread to 3 %."""
MOST_TABLES: Final = 8 * N_TABLES
"""So many tell a third moment, and how small a small p-value is."""

_Kind = tuple[ReplayedWindows | None, int, int, float]
_KNOWN: Final[
    WeakKeyDictionary[BaselineStatistics, dict[_Kind, dict[tuple[str, float], float]]]
] = WeakKeyDictionary()
"""What is known of windows of a size, for as long as their baseline is there."""


class Ratio(NamedTuple):
    """A statistic over its mean if rows are independent, and the freedom of the χ² that it is about then.

    As those of `ReplayedWindows`; NaN where there is nothing to compare.
    """

    value: float
    freedom: float


UNKNOWN: Final = Ratio(math.nan, math.nan)


@dataclass(frozen=True, eq=False)
class Comparison:
    """A window, or several pooled, beside the statistics of a baseline.

    Tests draw from one random stream in turn, so that the same comparison gives the same numbers.

    Parameters
    ----------
    window
        The sketch of the window; it has rows.
    baseline
        Whose clusters and coordinates both sides are in.
    statistics
        What the window is compared with: the baseline's own, or those of a segment or a day of the week.
    rng
        All that is drawn comes from it.
    window_unevenness
        Σ n_t² / (Σ n_t)² over the windows that were pooled; 1 for a single window.
    lessons
        What windows of production taught of how much windows differ.
    """

    window: WindowSketch
    baseline: Baseline
    statistics: BaselineStatistics
    rng: np.random.Generator
    window_unevenness: float = 1.0
    lessons: ReplayedWindows | None = None

    @property
    def reference(self) -> WindowSketch:
        """The sketch of the baseline's rows."""
        return self.statistics.sketch

    @property
    def f(self) -> float:
        """1/N + 1/n, N rows of the baseline and n of the window."""
        return 1 / self.reference.n + 1 / self.window.n

    @cached_property
    def unevenness(self) -> tuple[float, float]:
        """Σ n_t² / (Σ n_t)² of the windows that each side was pooled from: baseline, window."""
        variation = self.statistics.variation
        return (1.0 if variation is None else variation.unevenness, self.window_unevenness)

    @cached_property
    def calibration(self) -> Calibration | None:
        """The laws of the statistics in windows like the baseline's; None where rows are independent."""
        return None if self.replayed is None else calibrate(self.replayed)

    @cached_property
    def replayed(self) -> ReplayedWindows | None:
        """Windows without drift, of the baseline and of production that taught; None for independent rows."""
        replayed, lessons = self.statistics.replayed, self.lessons
        if replayed is None or lessons is None:
            return lessons if replayed is None else replayed
        return _together(replayed, lessons)

    @property
    def _groups(self) -> ReplayedWindows | None:
        """Groups of alike rows, where no windows are known."""
        return self.statistics.grouped if self.statistics.variation is None else None

    def _long_run(self, unevenness: float) -> float:
        return (
            1.0 if self.replayed is None else long_run(unevenness, self.replayed.autocorrelations)
        )

    @cached_property
    def pooling(self) -> float:
        """What part of the variation of one window is left in the window: 1 of a single one."""
        if (groups := self._groups) is not None:
            # Groups make any sample vary as many times more.
            return float(groups.sizes.mean()) / self.window.n
        return self.window_unevenness * self._long_run(self.window_unevenness)

    @cached_property
    def scale(self) -> float:
        """How many times more than of a row's variance ratios show of that between windows."""
        if self._groups is not None:
            return 1.0  # as all scales of groups are
        of_baseline = 0.0  # rows of no time are taken as of very many windows
        if (variation := self.statistics.variation) is not None:
            uneven = variation.unevenness
            of_baseline = uneven * self._long_run(uneven)
        return (self.pooling + of_baseline) / self.f

    def calibrated(self, test: str, by_rows: Callable[[], float], ratio: Ratio) -> float:
        """The p-value of a statistic where windows vary as the baseline's do.

        Parameters
        ----------
        test
            One of `RATIOS`.
        by_rows
            Computes the p-value if all rows are independent.
        ratio
            Of the statistic.
        """
        if self.calibration is None:
            return by_rows()
        return self.calibration.ratios[test].p_value(by_rows, *ratio, self.scale)

    def mean_ratio(self, test: str) -> float:
        """The mean of the statistic without drift, over that under independent rows, ≥ 1."""
        return 1.0 if self.calibration is None else self.calibration.ratios[test].mean(self.scale)

    def spread(self, test: str) -> float:
        """How many times more a test's statistic varies than that of independent rows, ≥ 1, roughly.

        Windows are taken as independent of each other here, so that runs of any length compare.
        """
        if self.calibration is None:
            return 1.0
        alone = 1.0 if self.statistics.variation is None else sum(self.unevenness) / self.f
        return self.calibration.ratios[test].mean(alone)

    @property
    def known_of_its_size(self) -> dict[tuple[str, float], float]:
        """What hangs on nothing of a window but how many rows it has, shared by all such windows.

        By a test's name and a level.
        """
        window = self.window
        kind = self.replayed, window.n, window.n_measured, self.window_unevenness
        return _KNOWN.setdefault(self.statistics, {}).setdefault(kind, {})

    @cached_property
    def whitener(self) -> NDArray[np.float64]:
        """(width, width): coordinates of about equal weight."""
        return self.baseline.whitener.astype(np.float64)

    @cached_property
    def cluster_null(self) -> NullTables:
        """The counts per cluster of both sides, and how such tables fall without drift."""
        baseline, window = self.reference.histogram.counts, self.window.histogram.counts
        variation = self.statistics.variation
        if variation is not None:
            return NullTables(baseline, window, variation.mix, self.unevenness)
        return NullTables(baseline, window, self._alike, (self._unevenness_of_alike, 1.0))

    @cached_property
    def _alike(self) -> Overdispersion | None:
        """How much more counts vary than those of independent rows, where no windows of the baseline say so.

        As much as X² does, by groups of alike rows or by windows of production that taught.
        """
        effect = self.mean_ratio("mix")
        if self.replayed is None or effect <= 1:
            return None
        k = len(self.reference.histogram.counts)
        freedom = float(len(self.replayed) * max(k - 1, 1))
        n = self.window.n
        return Overdispersion(
            correlation=min((effect - 1) / max(n - 1, 1), MOST_CORRELATION),
            design_effect=effect,
            freedom=freedom,
            effects=np.full(k, effect),
            freedoms=np.full(k, freedom),
            mean_rows=float(n),
        )

    @property
    def _unevenness_of_alike(self) -> float:
        """So that groups make the baseline vary as much more as the window; rows of no time hardly do."""
        return 1.0 / self.reference.n if self._groups is None else self.window.n / self.reference.n

    @cached_property
    def tables(self) -> Tables:
        """`N_TABLES` tables that `cluster_null` drew."""
        return self.cluster_null.draw(N_TABLES, self.rng)


@lru_cache(maxsize=256)
def _together(replayed: ReplayedWindows, lessons: ReplayedWindows) -> ReplayedWindows:
    """The same object for the same two, so that their laws are made once."""
    return replayed.plus(lessons)


def long_run(unevenness: float, autocorrelations: NDArray[np.float64]) -> float:
    """How many times more the mean of windows in a row varies than that of independent ones.

    1 + 2 Σ (1 − l/m) r_l over the lags l < m of m windows (Bartlett 1946), as many as have this unevenness.

    Parameters
    ----------
    unevenness
        Σ n² / (Σ n)² of the windows' rows.
    autocorrelations
        r_l for l = 1, 2, …; 0 after the last.

    Examples
    --------
    >>> r = 0.8 ** np.arange(1, 40)
    >>> long_run(1.0, r), long_run(0.5, r), round(long_run(1 / 1000, r), 2)
    (1.0, 1.8, 8.96)
    """
    m = max(round(1 / unevenness), 1)
    lags = np.arange(1, min(m, len(autocorrelations) + 1))
    sum_of_lags = float(((1 - lags / m) * autocorrelations[: len(lags)]).sum())
    return max(1 + 2 * sum_of_lags, 1.0)
