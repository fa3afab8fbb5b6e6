"""Sketch and baseline ─► judgement."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Baseline, Reference, WindowSketch
from monitor.clusters.variation import Overdispersion
from monitor.drift.attribution import cluster_shifts, split_movement
from monitor.drift.counts import FIRST_DRAWS, mix_test, novelty_test
from monitor.drift.effect import (
    Effect,
    beyond_chance,
    detectable_novelty,
    detectable_share,
    total_variation,
)
from monitor.drift.judgement import Judgement, Score, Verdict
from monitor.drift.means import mean_tests, moved_means
from monitor.drift.means_null import MeanNull
from monitor.drift.metrics import METRICS, Metric
from monitor.drift.nulls import NullTables
from monitor.drift.scores import distance_scores
from monitor.drift.significance import SEES, SubTest, combine

MINIMUM_ROWS = 20
"""Under so many rows on either side nothing is said: hardly any change could be seen."""
MINIMUM_CHANGE = 0.005
"""A change of fewer than 5 rows in 1,000 is no drift, however sure it is."""

_BETWEEN_DRAWS = 2_999

Tables = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Rules:
    """What makes a window drifted.

    Parameters
    ----------
    alpha
        The level in (0, 1): a window without drift is called drifted at most this often.
    minimum_rows
        Fewer rows with vectors than this, on either side, are inconclusive.
    minimum_change
        The smallest `Effect.changed_share` that matters, in [0, 1).
    thresholds
        By metric; when there are any, a window has drifted when a score reaches its threshold, and the
        p-value is for information.
    metrics
        The distances that are computed.
    """

    alpha: float
    minimum_rows: int = MINIMUM_ROWS
    minimum_change: float = MINIMUM_CHANGE
    thresholds: Mapping[str, float] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = METRICS


def judge(
    window: WindowSketch,
    baseline: Baseline,
    *,
    rules: Rules,
    reference: Reference | None = None,
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
    chosen = reference or baseline.reference
    held = chosen.sketch
    if window.n == 0 or held.n == 0:
        return _without_rows(window, held, rules)
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
        baseline_novel_share=held.n_novel / held.n,
        baseline_distances=held.distance_counts,
        window_distances=window.distance_counts,
    )


@dataclass(frozen=True, eq=False)
class Evidence:
    """A window beside a reference, with what each statistic looks like without drift."""

    window: WindowSketch
    reference: Reference
    whitener: NDArray[np.float64]
    mix_null: NullTables
    novelty_null: NullTables
    mean_nulls: tuple[MeanNull, MeanNull]

    @classmethod
    def of(
        cls,
        window: WindowSketch,
        baseline: Baseline,
        reference: Reference,
        rng: np.random.Generator,
        unevenness: float = 1.0,
    ) -> Evidence:
        """Of a window, or of several pooled, with `unevenness` Σ n_t² / (Σ n_t)²."""
        held, variation = reference.sketch, reference.variation
        whitener = baseline.whitener.astype(np.float64)
        uneven = (1.0 if variation is None else variation.unevenness, unevenness)
        novel = [np.array([side.n_novel, side.n - side.n_novel]) for side in (held, window)]
        mix_null = NullTables(
            held.histogram.counts,
            window.histogram.counts,
            None if variation is None else variation.mix,
            uneven,
        )
        novelty_null = NullTables(
            novel[0], novel[1], None if variation is None else variation.novelty, uneven
        )
        moments = (reference.mean_moments, reference.whitened_moments)
        if variation is None:
            nulls = [
                MeanNull.independent(moments[0], reference.n_mean, window.n),
                MeanNull.independent(moments[1], held.n, window.n),
            ]
        else:
            tables = mix_null.draw(_BETWEEN_DRAWS, rng)
            change = tables[1] / window.n - tables[0] / held.n
            centres = np.where(
                held.histogram.counts[:, None] > 0, held.cluster_means, baseline.centroids
            )
            nulls = [
                MeanNull.varied(
                    one,
                    held.n,
                    window.n,
                    movement,
                    sum(uneven),
                    np.einsum("mk,kl,ml->m", change, means @ means.T, change, optimize=True),
                    rng,
                )
                for one, movement, means in (
                    (moments[0], variation.plain, centres),
                    (moments[1], variation.whitened, centres @ whitener),
                )
            ]
        return cls(
            window=window,
            reference=reference,
            whitener=whitener,
            mix_null=mix_null,
            novelty_null=novelty_null,
            mean_nulls=(nulls[0], nulls[1]),
        )

    @property
    def overdispersion(self) -> Overdispersion | None:
        """Of the cluster counts."""
        return self.mix_null.overdispersion

    def tests(self, drawn: Tables, alpha: float, rng: np.random.Generator) -> tuple[SubTest, ...]:
        """The four tests, each precise enough to be held against its part of `alpha`."""
        level = alpha / len(SEES)
        return (
            mix_test(self.mix_null, drawn, level=level, rng=rng),
            novelty_test(self.novelty_null, level=level, rng=rng),
            *mean_tests(
                self.window,
                self.reference,
                self.whitener,
                self.mean_nulls,
                level=level,
                rng=rng,
            ),
        )

    def effect(self, drawn: Tables, alpha: float) -> Effect:
        """How large the shift is, and how large it would have to be."""
        window, held = self.window, self.reference.sketch
        null = self.mix_null
        seen = float(total_variation(null.baseline, null.window))
        parts = []
        for moved, moments, mean_null in zip(
            moved_means(window, self.reference, self.whitener),
            (self.reference.mean_moments, self.reference.whitened_moments),
            self.mean_nulls,
            strict=True,
        ):
            known = np.isfinite(moments[0]) and moments[0] > 0
            chance = mean_null.mean
            parts.append(
                beyond_chance(float(moved @ moved), chance) / math.sqrt(2 * moments[0])
                if known
                else 0.0
            )
        own = held.n_novel / held.n
        excess = max(0.0, window.n_novel / window.n - own)
        level = alpha / len(SEES)
        return Effect(
            mix=beyond_chance(seen**2, float((total_variation(*drawn) ** 2).mean())),
            novelty=excess / (1 - own) if own < 1 else 0.0,
            mean=parts[0],
            whitened_mean=parts[1],
            detectable=detectable_share(
                self.mean_nulls[0], float(self.reference.mean_moments[0]), level
            ),
            detectable_novel=detectable_novelty(held.n, held.n_novel, window.n, level),
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


def _without_rows(window: WindowSketch, reference: WindowSketch, rules: Rules) -> Judgement:
    nan = math.nan
    return Judgement(
        verdict=Verdict.INCONCLUSIVE,
        reason=_too_few(window.n, reference.n, rules.minimum_rows),
        p_value=nan,
        alpha=rules.alpha,
        tests=(),
        scores={metric.name: Score(nan, nan, nan, nan, nan) for metric in rules.metrics},
        clusters=(),
        baseline_histogram=reference.histogram.counts,
        window_histogram=window.histogram.counts,
        content_shift=nan,
        appearance_shift=nan,
        novel_share=nan,
        thresholds=dict(rules.thresholds),
        minimum_change=rules.minimum_change,
        n_rows_needed=rules.minimum_rows,
        baseline_novel_share=reference.n_novel / reference.n if reference.n else math.nan,
        baseline_distances=reference.distance_counts,
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
        level = rules.alpha / len(tests)
        return "; ".join(
            f"{SEES[test.name]} changed (p = {test.p_value:.2g})"
            for test in sorted(tests, key=lambda test: test.p_value)
            if test.p_value <= level
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
