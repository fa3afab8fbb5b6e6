"""Sketch and baseline ─► judgement."""

from __future__ import annotations

import math

import numpy as np

from monitor.clusters import Baseline, BaselineStatistics, WindowSketch
from monitor.drift.attribution import cluster_shifts, split_movement
from monitor.drift.counts import FIRST_DRAWS
from monitor.drift.effect import Effect
from monitor.drift.evidence import Evidence
from monitor.drift.judgement import Judgement, Score, Verdict
from monitor.drift.rules import Rules
from monitor.drift.scores import distance_scores
from monitor.drift.significance import SEES, SubTest, combine, telling


def judge(
    window: WindowSketch,
    baseline: Baseline,
    *,
    rules: Rules,
    reference: BaselineStatistics | None = None,
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
    reference
        What the window is compared with, such as one segment's reference; the baseline's own by default.
    random_state
        Seed of the simulation: the same window gives the same p-value.
    """
    chosen = reference or baseline.statistics
    held = chosen.sketch
    if window.n == 0 or held.n == 0:
        return _without_rows(window, chosen, rules)
    rng = np.random.default_rng([random_state, 0x6D6F6E])
    evidence = Evidence.of(window, baseline, chosen, rng)
    drawn = evidence.mix_null.draw(FIRST_DRAWS, rng)
    tests = evidence.tests(drawn, rules.alpha, rng)
    scores = distance_scores(window, baseline, chosen, evidence.mix_null, drawn, rules, rng)
    effect = evidence.effect(drawn, rules.alpha)
    content, appearance = split_movement(held, window)
    p_value = combine(tests)
    has_enough = min(window.n, held.n) >= rules.minimum_rows
    verdict = _verdict(has_enough, p_value, effect, scores, rules)
    known = evidence.overdispersion
    return Judgement(
        verdict=verdict,
        reason=_reason(verdict, window.n, held.n, tests, p_value, effect, scores, rules),
        p_value=p_value if has_enough else math.nan,
        alpha=rules.alpha,
        tests=tests,
        scores=scores,
        clusters=cluster_shifts(held, window, evidence.mix_null, drawn),
        baseline_histogram=held.histogram.counts,
        window_histogram=window.histogram.counts,
        content_shift=content,
        appearance_shift=appearance,
        novel_share=window.n_novel / window.n,
        effect=effect,
        design_effect=None if known is None else 1 + (window.n - 1) * known.correlation,
        thresholds=dict(rules.thresholds),
        minimum_change=rules.minimum_change,
        n_rows_needed=None if has_enough else rules.minimum_rows,
        baseline_novel_share=chosen.novel_share,
        baseline_distances=held.distance_counts,
        window_distances=window.distance_counts,
    )


def _verdict(
    has_enough: bool, p_value: float, effect: Effect, scores: dict[str, Score], rules: Rules
) -> Verdict:
    if not has_enough:
        return Verdict.INCONCLUSIVE
    if rules.thresholds:
        is_drift = any(scores[name].value >= limit for name, limit in rules.thresholds.items())
    else:
        is_drift = p_value <= rules.alpha and effect.changed_share >= rules.minimum_change
    return Verdict.DRIFT if is_drift else Verdict.NO_DRIFT


def _without_rows(window: WindowSketch, reference: BaselineStatistics, rules: Rules) -> Judgement:
    nan, held = math.nan, reference.sketch
    return Judgement(
        verdict=Verdict.INCONCLUSIVE,
        reason=_too_few(window.n, held.n, rules.minimum_rows),
        p_value=nan,
        alpha=rules.alpha,
        tests=(),
        scores={distance.name: Score(nan, nan, nan, nan, nan) for distance in rules.distances},
        clusters=(),
        baseline_histogram=held.histogram.counts,
        window_histogram=window.histogram.counts,
        content_shift=nan,
        appearance_shift=nan,
        novel_share=nan,
        thresholds=dict(rules.thresholds),
        minimum_change=rules.minimum_change,
        n_rows_needed=rules.minimum_rows,
        baseline_novel_share=reference.novel_share,
        baseline_distances=held.distance_counts,
        window_distances=window.distance_counts,
    )


def _reason(
    verdict: Verdict,
    n_window: int,
    n_baseline: int,
    tests: tuple[SubTest, ...],
    p_value: float,
    effect: Effect,
    scores: dict[str, Score],
    rules: Rules,
) -> str:
    if verdict is Verdict.INCONCLUSIVE:
        return _too_few(n_window, n_baseline, rules.minimum_rows)
    if rules.thresholds:
        reached = [n for n, limit in rules.thresholds.items() if scores[n].value >= limit]
        named = reached or list(rules.thresholds)
        return "; ".join(
            f"{name} {scores[name].value:.3g} {'reaches' if reached else 'is below'} its threshold "
            f"{rules.thresholds[name]:.3g}"
            for name in named
        )
    if verdict is Verdict.DRIFT:
        return "; ".join(
            f"{SEES[test.name]} changed (p = {test.p_value:.2g})"
            for test in sorted(telling(tests, rules.alpha), key=lambda test: test.p_value)
        )
    if p_value <= rules.alpha:
        return (
            f"a change is certain (p = {p_value:.2g}) but too small to matter: as if "
            f"{effect.changed_share:.2%} of the rows had changed, below the "
            f"{rules.minimum_change:.2%} asked for"
        )
    return "none of the four tests sees more than chance gives"


def _too_few(n_window: int, n_baseline: int, minimum_rows: int) -> str:
    side, n = ("window", n_window) if n_window < minimum_rows else ("baseline", n_baseline)
    return f"the {side} has {n} rows with vectors; a verdict needs {minimum_rows}"
