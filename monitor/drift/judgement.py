"""What is said of one window: verdict, scores, and who caused them. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from monitor.drift.significance import SubTest


class Verdict(StrEnum):
    """What is said of a window."""

    DRIFT = "drift"
    NO_DRIFT = "no drift"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Score:
    """A distance between two histograms, beside what chance alone gives.

    Parameters
    ----------
    value
        The distance.
    noise_floor
        Its mean over windows of this size without drift.
    noise_ceiling
        Its (1 − alpha) quantile over such windows: a true shift much smaller than this cannot be seen
        in so few rows.
    """

    value: float
    noise_floor: float
    noise_ceiling: float


@dataclass(frozen=True)
class ClusterShift:
    """What one cluster did.

    Parameters
    ----------
    cluster
        Its number, 0 the largest in the baseline.
    baseline_count, window_count
        Rows.
    baseline_share, window_share
        In [0, 1].
    contribution
        Its share of the Jensen–Shannon divergence, in [0, 1].
    residual
        How many standard deviations its count is above (+) or below (−) what no drift gives.
    p_value
        Two-sided, adjusted by Holm over the clusters.
    movement
        How far the mean of its rows lies from the baseline's, ≥ 0; NaN when either has none.
    """

    cluster: int
    baseline_count: int
    window_count: int
    baseline_share: float
    window_share: float
    contribution: float
    residual: float
    p_value: float
    movement: float


@dataclass(frozen=True, eq=False)
class Judgement:
    """One window against the baseline.

    Parameters
    ----------
    verdict
        `drift` when p_value ≤ alpha, `no drift` otherwise, `inconclusive` with too few rows.
    reason
        The verdict in a sentence.
    p_value
        Of the four tests together, in [0, 1]; NaN when inconclusive for lack of rows.
    alpha
        The level that the p-value was held against.
    tests
        The four tests.
    scores
        `jsd`, `psi`, `hellinger`.
    clusters
        One per cluster, in their order.
    baseline_histogram, window_histogram
        (n_clusters,) int64.
    content_shift, appearance_shift
        The two parts of the mean's movement: other shares of the same clusters, Σ (q − p) μ, and other
        vectors inside them, Σ q (m′ − μ); lengths ≥ 0.
    novel_share
        Share of rows beyond the novelty radius, in [0, 1].
    n_rows_needed
        Rows with vectors that a verdict needs; None when there were enough.
    """

    verdict: Verdict
    reason: str
    p_value: float
    alpha: float
    tests: tuple[SubTest, ...]
    scores: dict[str, Score]
    clusters: tuple[ClusterShift, ...]
    baseline_histogram: NDArray[np.int64]
    window_histogram: NDArray[np.int64]
    content_shift: float
    appearance_shift: float
    novel_share: float
    n_rows_needed: int | None = None
