"""Windows in a row: shifts too small for one window, and when a shift began.

A lasting small shift shows when windows are looked at together. After each window the last 2, 4, 8, 16
and 32 of them are pooled and tested as one. Every pooled test has a level of its own, and these sum to
what the false-alarm budget gives to them: the expected number of false alarms is a sum over tests,
however much these depend on each other, so the budget holds also for a small baseline that all windows
share. A test of m windows is made every m/4 windows only, which makes its level larger.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Baseline, BaselineStatistics, WindowSketch
from monitor.drift.attribution import split_movement
from monitor.drift.counts import FIRST_DRAWS
from monitor.drift.evidence import Evidence
from monitor.drift.judgement import PooledTest
from monitor.drift.rules import Rules
from monitor.drift.significance import combine

LENGTHS: Final = (2, 4, 8, 16, 32)
WEEKS: Final = (7, 14, 28)
"""The lengths where days of the week differ: whole weeks, which the whole baseline is fair to."""
LONGEST: Final = LENGTHS[-1]
POOLED_SHARE: Final = 0.5
"""Of the false-alarm budget; single windows get the rest."""


@dataclass(frozen=True, eq=False)
class PastWindow:
    """A window that was judged before.

    Parameters
    ----------
    start
        When it started, in UTC.
    sketch
        Its sketch, by the same baseline.
    is_drift
        Whether it drifted by itself.
    """

    start: dt.datetime
    sketch: WindowSketch
    is_drift: bool


def stride(length: int) -> int:
    """A test of `length` windows is made after every so many windows."""
    return max(1, length // 4)


def pooled_tests(
    sketches: Sequence[WindowSketch],
    numbers: Sequence[int],
    drifted: Sequence[bool],
    baseline: Baseline,
    *,
    rules: Rules,
    random_state: int = 0,
) -> list[PooledTest | None]:
    """The pooled test that says most, after each window.

    Parameters
    ----------
    sketches
        The windows in the order of time, without gaps; a window may be empty.
    numbers
        The number of each window, rising by 1; it decides after which windows a test is due, so
        that the same test is made whenever the windows are judged.
    drifted
        Which windows drifted by themselves; pooled tests leave them out, or an unusual day would be
        told of again for a month.
    baseline
        What windows are held against.
    rules
        `alpha` is the significance level of all tests after one window together.

    Returns
    -------
    Per window the test that was made last of each length, of these the one that drifted most clearly;
    None where there were too few windows or rows.
    """
    lengths = WEEKS if baseline.seasons else LENGTHS
    latest: dict[int, PooledTest] = {}
    found: list[PooledTest | None] = []
    for at, number in enumerate(numbers):
        for length in lengths:
            if number % stride(length) == 0:
                pooled_test = _pooled_test(
                    sketches[: at + 1], drifted[: at + 1], length, baseline, rules, random_state
                )
                latest.pop(length, None)
                if pooled_test is not None:
                    latest[length] = pooled_test
        best = min(latest.values(), key=lambda pooled: pooled.p_value / pooled.alpha, default=None)
        found.append(best)
    return found


def _pooled_test(
    sketches: Sequence[WindowSketch],
    drifted: Sequence[bool],
    length: int,
    baseline: Baseline,
    rules: Rules,
    random_state: int,
) -> PooledTest | None:
    chosen: list[WindowSketch] = []
    if baseline.seasons and (any(drifted[-length:]) or any(s.n == 0 for s in sketches[-length:])):
        return None  # a week without one of its days is no week
    for sketch, is_drift in zip(
        reversed(sketches[-2 * length :]), reversed(drifted[-2 * length :]), strict=True
    ):
        if len(chosen) < length and not is_drift and sketch.n > 0:
            chosen.append(sketch)
    pooled = pool(chosen)
    if len(chosen) < length or pooled is None:
        return None
    if min(pooled.n, baseline.statistics.sketch.n) < rules.minimum_rows:
        return None
    alpha = min(
        rules.alpha / (len(WEEKS) if baseline.seasons else len(LENGTHS)) * stride(length), 0.5
    )
    rng = np.random.default_rng([random_state, length, 0x6C6F])
    evidence = Evidence.of(pooled, baseline, baseline.statistics, rng, unevenness(chosen))
    drawn = evidence.mix_null.draw(FIRST_DRAWS, rng)
    tests = evidence.tests(drawn, alpha, rng)
    p_value = combine(tests)
    changed = evidence.effect(drawn, alpha).changed_share
    content, appearance = split_movement(baseline.statistics.sketch, pooled)
    return PooledTest(
        n_windows=length,
        n_rows=pooled.n,
        p_value=p_value,
        alpha=alpha,
        tests=tests,
        changed_share=changed,
        content_shift=content,
        appearance_shift=appearance,
        is_drift=p_value <= alpha and changed >= rules.minimum_change,
    )


def pool(sketches: Sequence[WindowSketch]) -> WindowSketch | None:
    """The sum of sketches; None for none."""
    total = None
    for sketch in sketches:
        total = sketch if total is None else total + sketch
    return total


def unevenness(sketches: Sequence[WindowSketch]) -> float:
    """Σ n² / (Σ n)²: 1 over the number of windows when all have the same size."""
    sizes = np.array([sketch.n for sketch in sketches], dtype=np.float64)
    return float((sizes**2).sum() / sizes.sum() ** 2)


def onset(
    sketches: Sequence[WindowSketch],
    baseline: Baseline,
    *,
    reference: BaselineStatistics | None = None,
) -> int:
    """Where the shift that the last window shows began: the start of the clearest run up to it.

    For every start the windows from there to the last are pooled, and the statistic farthest above its
    mean without drift, in standard deviations, is taken; the start with the largest wins (the estimate
    of a change point by maximum likelihood; Hinkley 1970).

    Parameters
    ----------
    sketches
        Windows in the order of time; the last one is the one that drifted. At most `LONGEST` are used.

    Returns
    -------
    The index of the first drifted window, in [0, len(sketches)).
    """
    chosen = reference or baseline.statistics
    whitener = baseline.whitener.astype(np.float64)
    best, clearest = len(sketches) - 1, -math.inf
    pooled: WindowSketch | None = None
    for at in range(len(sketches) - 1, max(len(sketches) - 1 - LONGEST, -1), -1):
        if sketches[at].n == 0:
            continue
        pooled = sketches[at] if pooled is None else sketches[at] + pooled
        seen = _clarity(pooled, chosen, whitener)
        if seen > clearest:
            best, clearest = at, seen
    return best


def _clarity(
    window: WindowSketch, reference: BaselineStatistics, whitener: NDArray[np.float64]
) -> float:
    """The largest of the four statistics in standard deviations above its mean without drift."""
    held = reference.sketch
    f = 1 / held.n + 1 / window.n
    moved = window.mean - held.mean
    found = []
    for vector, moments in (
        (moved, reference.mean_moments),
        (moved @ whitener, reference.whitened_moments),
    ):
        if np.isfinite(moments).all() and moments[1] > 0:
            found.append(
                (float(vector @ vector) - f * moments[0]) / (f * math.sqrt(2 * moments[1]))
            )
    total = held.histogram.counts + window.histogram.counts
    gap = window.histogram.shares - held.histogram.shares
    known = total > 0
    df = max(int(known.sum()) - 1, 1)
    chi = float((gap[known] ** 2 / (total[known] / total.sum())).sum() / f)
    found.append((chi - df) / math.sqrt(2 * df))
    n_held_out = reference.n_held_out
    novel = (reference.n_held_out_novel + window.n_novel) / (n_held_out + window.n)
    if 0 < novel < 1 and n_held_out:
        excess = window.n_novel / window.n - reference.novel_share
        found.append(excess / math.sqrt(novel * (1 - novel) * (1 / n_held_out + 1 / window.n)))
    return float(max(found))
