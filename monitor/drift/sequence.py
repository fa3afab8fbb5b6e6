"""Windows in a row: shifts too small for one window.

A lasting small shift shows when windows are looked at together. After each window the last 2, 4, 8, 16
and 32 of them are pooled and tested as one. Every pooled test has a level of its own, and these sum to
what the false-alarm budget gives to them: the expected number of false alarms is a sum over tests,
however much these depend on each other, so the budget holds also for a small baseline that all windows
share. A test of m windows is made every m/4 windows only, which makes its level larger.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from monitor.clusters import Baseline, WindowSketch
from monitor.drift.attribution import split_movement
from monitor.drift.battery import examine
from monitor.drift.comparison import Comparison
from monitor.drift.judgement import PooledTest, changed_share
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
    comparison = Comparison(pooled, baseline, baseline.statistics, rng, unevenness(chosen))
    tests = examine(comparison, alpha)
    p_value = combine(tests)
    content, appearance = split_movement(baseline.statistics.sketch, pooled)
    return PooledTest(
        n_windows=length,
        n_rows=pooled.n,
        p_value=p_value,
        alpha=alpha,
        tests=tests,
        content_shift=content,
        appearance_shift=appearance,
        is_drift=p_value <= alpha and changed_share(tests) >= rules.minimum_change,
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
