"""Sketch and baseline ─► judgement."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from monitor.clusters import Baseline, BaselineStatistics, ReplayedWindows, WindowSketch
from monitor.drift.attribution import cluster_shifts, split_movement
from monitor.drift.battery import examine, subtest_named
from monitor.drift.comparison import Comparison
from monitor.drift.judgement import Judgement, Outcome, Score, Verdict, changed_share
from monitor.drift.rules import Rules
from monitor.drift.scores import distance_scores
from monitor.drift.significance import combine, telling


def judge(
    window: WindowSketch,
    baseline: Baseline,
    *,
    rules: Rules,
    statistics: BaselineStatistics | None = None,
    lessons: ReplayedWindows | None = None,
    random_state: int = 0,
) -> Judgement:
    """Judge a window.

    Parameters
    ----------
    window
        The window's sketch, by `Baseline.sketch`.
    baseline
        What it is held against.
    rules
        What makes it drifted.
    statistics
        What the window is compared with, such as those of one segment; the baseline's own by default.
    lessons
        What windows of production taught of how much windows differ, by `learn`.
    random_state
        Seed of the simulation: the same window gives the same p-value.
    """
    statistics = statistics or baseline.statistics
    reference = statistics.sketch
    if window.n == 0 or reference.n == 0:
        return _without_rows(window, statistics, rules)
    rng = np.random.default_rng([random_state, 0x6D6F6E])
    comparison = Comparison(window, baseline, statistics, rng, lessons=lessons)
    tests = examine(comparison, rules.alpha)
    scores = distance_scores(comparison, rules)
    content, appearance = split_movement(reference, window)
    has_enough = min(window.n, reference.n) >= rules.minimum_rows
    verdict, reason = (
        _decide(tests, scores, rules)
        if has_enough
        else (Verdict.INCONCLUSIVE, _too_few(window, reference, rules))
    )
    variation = statistics.variation
    return Judgement(
        verdict=verdict,
        reason=reason,
        p_value=combine(tests) if has_enough else math.nan,
        alpha=rules.alpha,
        tests=tests,
        scores=scores,
        clusters=cluster_shifts(comparison),
        baseline_histogram=reference.histogram.counts,
        window_histogram=window.histogram.counts,
        content_shift=content,
        appearance_shift=appearance,
        novel_share=window.novel_share,
        design_effect=None if variation is None else 1 + (window.n - 1) * variation.mix.correlation,
        n_lessons=0 if lessons is None else len(lessons),
        thresholds=dict(rules.thresholds),
        minimum_change=rules.minimum_change,
        n_rows_needed=None if has_enough else rules.minimum_rows,
        baseline_novel_share=statistics.novel_share,
        baseline_distances=reference.distance_counts,
        window_distances=window.distance_counts,
        baseline_nearness=reference.nearness_counts,
        window_nearness=window.nearness_counts,
    )


def _without_rows(window: WindowSketch, statistics: BaselineStatistics, rules: Rules) -> Judgement:
    nan, reference = math.nan, statistics.sketch
    return Judgement(
        verdict=Verdict.INCONCLUSIVE,
        reason=_too_few(window, reference, rules),
        p_value=nan,
        alpha=rules.alpha,
        tests=(),
        scores={distance.name: Score(nan, nan, nan, nan, nan) for distance in rules.distances},
        clusters=(),
        baseline_histogram=reference.histogram.counts,
        window_histogram=window.histogram.counts,
        content_shift=nan,
        appearance_shift=nan,
        novel_share=nan,
        thresholds=dict(rules.thresholds),
        minimum_change=rules.minimum_change,
        n_rows_needed=rules.minimum_rows,
        baseline_novel_share=statistics.novel_share,
        baseline_distances=reference.distance_counts,
        window_distances=window.distance_counts,
        baseline_nearness=reference.nearness_counts,
        window_nearness=window.nearness_counts,
    )


def _decide(
    tests: tuple[Outcome, ...], scores: Mapping[str, Score], rules: Rules
) -> tuple[Verdict, str]:
    """The verdict on a window with enough rows, and the reason for it."""
    if rules.thresholds:
        return _by_thresholds(scores, rules.thresholds)
    p_value, changed = combine(tests), changed_share(tests)
    if p_value > rules.alpha:
        return Verdict.NO_DRIFT, "no test sees more than chance gives"
    if changed < rules.minimum_change:
        return Verdict.NO_DRIFT, (
            f"a change is statistically clear (p = {p_value:.2g}) but too small to matter: as if "
            f"{changed:.2%} of the rows had changed, below the minimum change of "
            f"{rules.minimum_change:.2%}"
        )
    return Verdict.DRIFT, "; ".join(
        f"{subtest_named(test.name).sees} (p = {test.p_value:.2g})"
        for test in sorted(telling(tests, rules.alpha), key=lambda test: test.p_value)
    )


def _by_thresholds(
    scores: Mapping[str, Score], thresholds: Mapping[str, float]
) -> tuple[Verdict, str]:
    reached = [name for name, limit in thresholds.items() if scores[name].value >= limit]
    reason = "; ".join(
        f"{name} {scores[name].value:.3g} {'reaches' if reached else 'is below'} its threshold "
        f"{thresholds[name]:.3g}"
        for name in reached or thresholds
    )
    return (Verdict.DRIFT if reached else Verdict.NO_DRIFT), reason


def _too_few(window: WindowSketch, reference: WindowSketch, rules: Rules) -> str:
    is_window = window.n < rules.minimum_rows
    side, n = ("window", window.n) if is_window else ("baseline", reference.n)
    rows = "row" if n == 1 else "rows"
    # A baseline may have been given more, where the others had to make the clusters.
    what = "" if is_window else " to compare with"
    return f"the {side} has {n} {rows} with vectors{what}; a verdict needs {rules.minimum_rows}"
