"""A window beside what it is compared with: what every test is given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Baseline, BaselineStatistics, WindowSketch
from monitor.drift.null_tables import NullTables, Tables

N_TABLES: Final = 999
_N_CHANGES: Final = 2_999


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
    """

    window: WindowSketch
    baseline: Baseline
    statistics: BaselineStatistics
    rng: np.random.Generator
    window_unevenness: float = 1.0

    @property
    def reference(self) -> WindowSketch:
        """The sketch of the baseline's rows."""
        return self.statistics.sketch

    @property
    def f(self) -> float:
        """1/N + 1/n, N rows of the baseline and n of the window."""
        return 1 / self.reference.n + 1 / self.window.n

    @property
    def unevenness(self) -> tuple[float, float]:
        """Σ n_t² / (Σ n_t)² of the windows that each side was pooled from: baseline, window."""
        variation = self.statistics.variation
        return (1.0 if variation is None else variation.unevenness, self.window_unevenness)

    @cached_property
    def whitener(self) -> NDArray[np.float64]:
        """(width, width): coordinates of about equal weight."""
        return self.baseline.whitener.astype(np.float64)

    @cached_property
    def cluster_null(self) -> NullTables:
        """The counts per cluster of both sides, and how such tables fall without drift."""
        variation = self.statistics.variation
        return NullTables(
            self.reference.histogram.counts,
            self.window.histogram.counts,
            None if variation is None else variation.mix,
            self.unevenness,
        )

    @cached_property
    def tables(self) -> Tables:
        """`N_TABLES` tables that `cluster_null` drew."""
        return self.cluster_null.draw(N_TABLES, self.rng)

    @cached_property
    def share_changes(self) -> NDArray[np.float64]:
        """(m, k) float64: changes of the clusters' shares that `cluster_null` drew, others than `tables`."""
        baseline, window = self.cluster_null.draw(_N_CHANGES, self.rng)
        return np.asarray(window / self.window.n - baseline / self.reference.n)
