"""Sketch and baseline ─► judgement."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Baseline, Reference, WindowSketch
from monitor.drift.distances import DISTANCES, contributions
from monitor.drift.judgement import ClusterShift, Judgement, Score, Verdict
from monitor.drift.significance import (
    SEES,
    SubTest,
    combine,
    holm,
    mean_test,
    mix_test,
    novelty_test,
    null_windows,
)

MINIMUM_ROWS = 30
"""Under so many rows on either side, nothing is said: the mean tests rest on the central limit theorem."""
_N_DRAWS = 9_999
_N_DRAWS_UNJUDGED = 999
"""A window with too few rows gets noise floors, but no verdict that would rest on them."""
_MOST_DRAWN_COUNTS = 40_000_000
"""Bounds the simulation's memory where there are thousands of clusters."""


def judge(
    window: WindowSketch,
    baseline: Baseline,
    *,
    alpha: float,
    reference: Reference | None = None,
    minimum_rows: int = MINIMUM_ROWS,
    random_state: int = 0,
) -> Judgement:
    """Judge a window.

    Parameters
    ----------
    window
        The window's sketch, by `Baseline.sketch`.
    baseline
        What it is held against.
    alpha
        The level in (0, 1): a window without drift is called drifted at most this often.
    reference
        What the window is compared with, such as one segment's reference; the baseline's own by default.
    minimum_rows
        Fewer rows with vectors than this, on either side, are inconclusive.
    random_state
        Seed of the simulation: the same window gives the same p-value.

    Returns
    -------
    A `Judgement`.
    """
    chosen = reference or baseline.reference
    held = chosen.sketch
    if window.n == 0 or held.n == 0:
        return _without_rows(window, held, alpha, minimum_rows)
    enough = min(window.n, held.n) >= minimum_rows
    base, seen = held.histogram.counts, window.histogram.counts
    rng = np.random.default_rng([random_state, 0x6D6F6E])
    n_draws = min(
        _N_DRAWS if enough else _N_DRAWS_UNJUDGED, max(_MOST_DRAWN_COUNTS // len(base), 99)
    )
    drawn = null_windows(base, seen, n_draws=n_draws, rng=rng)
    difference = window.mean - held.mean
    tests = (
        mix_test(base, seen, drawn, level=alpha / len(SEES), rng=rng),
        novelty_test(held, window),
        mean_test("mean", difference, chosen.mean_moments, held.n, window.n),
        mean_test(
            "whitened_mean",
            difference @ baseline.whitener.astype(np.float64),
            chosen.whitened_moments,
            held.n,
            window.n,
        ),
    )
    scores = {}
    for name, distance in DISTANCES.items():
        null = distance(base + seen - drawn, drawn)
        scores[name] = Score(
            value=float(distance(base, seen)),
            noise_floor=float(null.mean()),
            noise_ceiling=float(np.quantile(null, 1 - alpha)),
        )
    content, appearance = _split_movement(held, window)
    p_value = combine(tests)
    verdict = (
        Verdict.INCONCLUSIVE
        if not enough
        else Verdict.DRIFT
        if p_value <= alpha
        else Verdict.NO_DRIFT
    )
    return Judgement(
        verdict=verdict,
        reason=_reason(verdict, window.n, held.n, minimum_rows, tests, alpha),
        p_value=p_value if enough else math.nan,
        alpha=alpha,
        tests=tests,
        scores=scores,
        clusters=_cluster_shifts(held, window, drawn),
        baseline_histogram=base,
        window_histogram=seen,
        content_shift=content,
        appearance_shift=appearance,
        novel_share=window.n_novel / window.n,
        n_rows_needed=None if enough else minimum_rows,
    )


def _without_rows(
    window: WindowSketch, reference: WindowSketch, alpha: float, minimum_rows: int
) -> Judgement:
    nan = math.nan
    return Judgement(
        verdict=Verdict.INCONCLUSIVE,
        reason=_reason(Verdict.INCONCLUSIVE, window.n, reference.n, minimum_rows, (), alpha),
        p_value=nan,
        alpha=alpha,
        tests=(),
        scores={name: Score(nan, nan, nan) for name in DISTANCES},
        clusters=(),
        baseline_histogram=reference.histogram.counts,
        window_histogram=window.histogram.counts,
        content_shift=nan,
        appearance_shift=nan,
        novel_share=nan,
        n_rows_needed=minimum_rows,
    )


def _reason(
    verdict: Verdict,
    n_window: int,
    n_baseline: int,
    minimum_rows: int,
    tests: tuple[SubTest, ...],
    alpha: float,
) -> str:
    if verdict is Verdict.INCONCLUSIVE:
        side, n = ("window", n_window) if n_window < minimum_rows else ("baseline", n_baseline)
        return f"the {side} has {n} rows with vectors; a verdict needs {minimum_rows}"
    if verdict is Verdict.NO_DRIFT:
        return "none of the four tests sees more than chance gives"
    level = alpha / len(tests)
    return "; ".join(
        f"{SEES[test.name]} changed (p = {test.p_value:.2g})"
        for test in sorted(tests, key=lambda test: test.p_value)
        if test.p_value <= level
    )


def _cluster_shifts(
    reference: WindowSketch, window: WindowSketch, drawn: NDArray[np.int64]
) -> tuple[ClusterShift, ...]:
    base, seen = reference.histogram.counts, window.histogram.counts
    total = base + seen
    n_all, n = int(total.sum()), window.n
    share = total / n_all
    expected = n * share
    # Variance of the hypergeometric distribution.
    deviation = np.sqrt(n * share * (1 - share) * (n_all - n) / max(n_all - 1, 1))
    safe = np.where(deviation > 0, deviation, 1.0)
    residual = (seen - expected) / safe
    as_far = np.abs(drawn - expected) / safe >= np.abs(residual) * (1 - 1e-9)
    adjusted = holm((1 + as_far.sum(axis=0)) / (len(drawn) + 1))
    caused = contributions(base, seen)
    moved = _cluster_means(window) - _cluster_means(reference)
    movement = np.where((seen > 0) & (base > 0), np.linalg.norm(moved, axis=1), np.nan)
    return tuple(
        ClusterShift(
            cluster=k,
            baseline_count=int(base[k]),
            window_count=int(seen[k]),
            baseline_share=float(reference.histogram.shares[k]),
            window_share=float(window.histogram.shares[k]),
            contribution=float(caused[k]),
            residual=float(residual[k]),
            p_value=float(adjusted[k]),
            movement=float(movement[k]),
        )
        for k in range(len(base))
    )


def _split_movement(reference: WindowSketch, window: WindowSketch) -> tuple[float, float]:
    """Lengths of Σ (q − p) μ and Σ q (m′ − μ), which add up (as vectors) to the mean's movement."""
    base, seen = reference.histogram, window.histogram
    # A cluster that the baseline left empty has no mean of its own: its rows count as new content.
    means = np.where(
        base.counts[:, None] > 0,
        _cluster_means(reference),
        _cluster_means(window),
    )
    content = (seen.shares - base.shares) @ means
    appearance = window.mean - reference.mean - content
    return float(np.linalg.norm(content)), float(np.linalg.norm(appearance))


def _cluster_means(sketch: WindowSketch) -> NDArray[np.float64]:
    """(n_clusters, width): the mean vector of each cluster's rows, 0 where there are none."""
    return np.asarray(sketch.cluster_totals / np.maximum(sketch.histogram.counts, 1)[:, None])
