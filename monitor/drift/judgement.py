"""The judgement of one window: verdict, scores, tests and clusters. Values only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Verdict(StrEnum):
    """Whether a window drifted."""

    DRIFT = "drift"
    NO_DRIFT = "no drift"
    INCONCLUSIVE = "inconclusive"


class ShiftKind(StrEnum):
    """What a shift looks like."""

    BROKEN_FEED = "broken feed"
    TECHNICAL = "technical change"
    NEW_CONTENT = "new content"
    CONTENT_LOST = "content lost"
    NEW_MIX = "new mix"
    NEW_LOOK = "new look"


@dataclass(frozen=True)
class Outcome:
    """What one test says of a window.

    Parameters
    ----------
    name
        Of the test (see `monitor.drift.battery.TESTS`).
    statistic
        The number that was judged; higher is farther from the baseline.
    p_value
        In [0, 1]: how often a window without drift gives such a statistic or a higher one.
    effect
        How large the shift is beyond what chance gives, ≥ 0: as if so large a share of the rows had been
        swapped for unrelated images.
    detectable
        The smallest share of rows whose change the test would have seen in 8 of 10 such windows, in
        [0, 1]; NaN when not even all would do, and of tests that do not say.
    """

    name: str
    statistic: float
    p_value: float
    effect: float
    detectable: float


def changed_share(tests: Sequence[Outcome]) -> float:
    """The size of a shift as a share of rows: the largest effect that a test sees, 1 at most; NaN without."""
    return min(max((test.effect for test in tests), default=math.nan), 1.0)


@dataclass(frozen=True)
class Score:
    """A distance between the baseline and a window, beside what chance alone gives.

    Parameters
    ----------
    value
        The distance.
    noise_floor
        Its mean over windows of this size without drift.
    noise_ceiling
        Its (1 − alpha) quantile over such windows: a true shift much smaller than this cannot be
        detected in so few rows.
    low, high
        An interval that holds the distance of the two populations, without the noise of sampling them,
        in about 95 of 100 cases.
    """

    value: float
    noise_floor: float
    noise_ceiling: float
    low: float
    high: float


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
    change_low, change_high
        An interval of the change of share; all clusters' together hold in 95 of 100 cases.
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
    change_low: float
    change_high: float
    contribution: float
    residual: float
    p_value: float
    movement: float


@dataclass(frozen=True)
class PooledTest:
    """Several windows judged as one: a shift too small for each of them may be significant in all together.

    Parameters
    ----------
    n_windows
        How many windows were pooled: the last ones that have rows and did not drift by themselves.
    n_rows
        Their rows with vectors.
    p_value
        Of all tests together, in [0, 1].
    alpha
        Its significance level.
    tests
        What each test says, but not what it could have detected.
    is_drift
        Whether p_value ≤ alpha and `changed_share` is large enough to matter.
    content_shift, appearance_shift
        As those of a `Judgement`, of these windows together.
    """

    n_windows: int
    n_rows: int
    p_value: float
    alpha: float
    tests: tuple[Outcome, ...]
    is_drift: bool
    content_shift: float
    appearance_shift: float

    @property
    def changed_share(self) -> float:
        """How large the shift is, as a share of rows."""
        return changed_share(self.tests)


def _no_counts() -> NDArray[np.int64]:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Judgement:
    """One window against the baseline.

    Parameters
    ----------
    verdict
        `drift` when p_value ≤ alpha and the change is large enough to matter, or, with thresholds, when
        a score reaches its own; `no drift` otherwise; `inconclusive` with too few rows.
    reason
        The verdict in a sentence.
    p_value
        Of all tests together, in [0, 1]; NaN when inconclusive for lack of rows.
    alpha
        The significance level that the p-value was held against.
    tests
        What each test says; empty without rows.
    scores
        By the name of the distance.
    clusters
        One per cluster, in their order.
    baseline_histogram, window_histogram
        (n_clusters,) int64.
    content_shift, appearance_shift
        The two parts of the mean's movement: other shares of the same clusters, Σ (q − p) μ, and other
        vectors inside them, Σ q (m′ − μ); lengths ≥ 0.
    novel_share, baseline_novel_share
        Share of rows in [0, 1] that are farther from the nearest known rows than 99 % of the baseline's own.
    baseline_distances, window_distances
        (bins,) int64, rows per bin of the distance to the nearest centroid.
    baseline_nearness, window_nearness
        (bins,) int64, rows per bin of the mean distance to the nearest known rows.
    design_effect
        How many times more the cluster shares of such a window vary than those of independent rows, ≥ 1,
        as the baseline's own windows show; None when that is not known.
    n_lessons
        Calm windows of production that taught how much windows differ, beside the baseline's own.
    pooled_test
        The last windows together, where there is a row of them; when it has drifted, so has this window.
    is_by_pooled_test
        Whether the window drifted only together with those before it, not by itself.
    thresholds
        Set by the user: scores that make a window drifted, whatever its p-value.
    minimum_change
        The `changed_share` from which on a change matters.
    n_rows_needed
        Rows with vectors that a verdict needs; None when there were enough.
    """

    verdict: Verdict
    reason: str
    p_value: float
    alpha: float
    tests: tuple[Outcome, ...]
    scores: dict[str, Score]
    clusters: tuple[ClusterShift, ...]
    baseline_histogram: NDArray[np.int64]
    window_histogram: NDArray[np.int64]
    content_shift: float
    appearance_shift: float
    novel_share: float
    design_effect: float | None = None
    n_lessons: int = 0
    pooled_test: PooledTest | None = None
    is_by_pooled_test: bool = False
    thresholds: Mapping[str, float] = field(default_factory=dict)
    minimum_change: float = 0.0
    n_rows_needed: int | None = None
    baseline_novel_share: float = math.nan
    baseline_distances: NDArray[np.int64] = field(default_factory=_no_counts)
    window_distances: NDArray[np.int64] = field(default_factory=_no_counts)
    baseline_nearness: NDArray[np.int64] = field(default_factory=_no_counts)
    window_nearness: NDArray[np.int64] = field(default_factory=_no_counts)

    @property
    def changed_share(self) -> float:
        """How large the shift is, as a share of rows; NaN without rows."""
        return changed_share(self.tests)

    def outcome(self, name: str) -> Outcome | None:
        """What the test of that name says; None without rows."""
        return next((test for test in self.tests if test.name == name), None)

    @property
    def deciding_pooled_test(self) -> PooledTest | None:
        """The pooled test that made the verdict, where the window drifts only with those before it."""
        return self.pooled_test if self.is_by_pooled_test else None
