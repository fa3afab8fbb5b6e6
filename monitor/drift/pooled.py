"""The last windows taken together: a small shift that lasts shows in many of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from monitor.clusters import Baseline, ReplayedWindows
from monitor.drift.attribution import split_movement
from monitor.drift.battery import examine
from monitor.drift.judgement import PooledTest, changed_share
from monitor.drift.onset import LONGEST_RUN
from monitor.drift.rules import Rules
from monitor.drift.run import Run, SequenceWindow
from monitor.drift.significance import combine

LENGTHS: Final = (2, 4, 8, 16, LONGEST_RUN)


def due_test(
    windows: Sequence[SequenceWindow],
    baseline: Baseline,
    *,
    rules: Rules,
    lessons: ReplayedWindows | None = None,
    random_state: int = 0,
) -> tuple[PooledTest, list[int]] | None:
    """Of the tests that are due after the last window, the one that drifted most clearly.

    Parameters
    ----------
    windows
        In the order of time, without gaps, and numbered: the number decides after which windows a test
        is due, so that the same tests are made whenever the windows are judged. Those that drifted by
        themselves are left out, or one unusual day would alarm again for a month, and so are those of
        shifts that are over.
    baseline
        What windows are held against.
    rules
        `alpha` is the significance level of all tests after one window together.
    lessons
        What production taught, by `learn`.
    random_state
        Seed of the simulations.

    Returns
    -------
    The test, and which windows were pooled; None where none is due, or there are too few windows or rows.
    """
    number = windows[-1].number
    if number is None or windows[-1].sketch.n == 0:
        return None
    calm = usable(windows)
    made = []
    for length in LENGTHS:
        if number % stride(length):
            continue
        pooled = [at for at in calm if at >= len(windows) - 2 * length][-length:]
        if len(pooled) < length:
            continue
        alpha = min(rules.alpha / len(LENGTHS) * stride(length), 0.5)
        test = pooled_test(
            [windows[at] for at in pooled],
            baseline,
            rules=replace(rules, alpha=alpha),
            lessons=lessons,
            random_state=random_state,
        )
        if test is not None:
            made.append((test, pooled))
    return min(made, key=lambda made: made[0].p_value / made[0].alpha, default=None)


def stride(length: int) -> int:
    """A test of `length` windows is made after every so many windows."""
    return max(1, length // 4)


def pooled_test(
    windows: Sequence[SequenceWindow],
    baseline: Baseline,
    *,
    rules: Rules,
    lessons: ReplayedWindows | None = None,
    random_state: int = 0,
) -> PooledTest | None:
    """These windows as one; None with too few rows."""
    run = Run.of(windows)
    rng = np.random.default_rng([random_state, len(run.sizes), 0x6C6F])
    comparison = run.comparison(baseline, rng, lessons)
    if min(run.sketch.n, comparison.reference.n) < rules.minimum_rows:
        return None
    tests = examine(comparison, rules.alpha, says_detectable=False)
    p_value = combine(tests)
    content, appearance = split_movement(comparison.reference, run.sketch)
    return PooledTest(
        n_windows=len(run.sizes),
        n_rows=run.sketch.n,
        p_value=p_value,
        alpha=rules.alpha,
        tests=tests,
        content_shift=content,
        appearance_shift=appearance,
        is_drift=p_value <= rules.alpha and changed_share(tests) >= rules.minimum_change,
    )


def usable(windows: Sequence[SequenceWindow]) -> list[int]:
    """The windows that have rows, did not drift by themselves, and belong to no shift that was found."""
    is_taken = np.zeros(len(windows), dtype=bool)
    for at, window in enumerate(windows):
        if window.shift is not None:
            is_taken[max(at - window.shift.since, 0) : at - window.shift.until + 1] = True
    return [
        at
        for at, window in enumerate(windows)
        if window.sketch.n > 0 and not window.is_drift and not is_taken[at]
    ]
