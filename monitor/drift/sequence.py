"""Windows in a row: each judged by itself, and with those before it.

A lasting small shift shows when windows are taken together. After each window the last 2, 4, 8, 16 and
32 of them are pooled and tested as one. Every pooled test has a level of its own, and these sum to what
the false-alarm budget gives to them: the expected number of false alarms is a sum over tests, however
much these depend on each other, so the budget holds also for a small baseline that all windows share. A
test of m windows is made every m/4 windows only, which makes its level larger.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from monitor.clusters import Baseline, BaselineStatistics, WindowSketch
from monitor.drift.attribution import split_movement
from monitor.drift.battery import examine
from monitor.drift.comparison import Comparison
from monitor.drift.judge import judge
from monitor.drift.judgement import Judgement, PooledTest, Verdict, changed_share
from monitor.drift.onset import LONGEST_RUN, onset
from monitor.drift.rules import Rules
from monitor.drift.significance import combine

LENGTHS: Final = (2, 4, 8, 16, LONGEST_RUN)
WEEKS: Final = (7, 14, 28)
"""The lengths where days of the week differ: whole weeks, which the whole baseline is fair to."""
MOST_PAST: Final = 2 * LONGEST_RUN
"""So many past windows are made use of: those that drifted are left out of pooled tests."""
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


@dataclass(frozen=True, eq=False)
class SequenceWindow:
    """A window in a row of windows.

    Parameters
    ----------
    sketch
        Its rows; there may be none.
    statistics
        What it is compared with by itself: the baseline's own, or those of its day of the week.
    number
        Its number, one more than that of the window before; None where windows are in no row.
    is_drift
        Whether it is known to have drifted by itself.
    is_closed
        Whether it has no rows at a time of the week at which the baseline never has any.
    """

    sketch: WindowSketch
    statistics: BaselineStatistics
    number: int | None
    is_drift: bool = False
    is_closed: bool = False


@dataclass(frozen=True, eq=False)
class SequenceJudgement:
    """What is said of a window in a row.

    Parameters
    ----------
    judgement
        Of the window by itself, and with those before it.
    onset
        Where its shift began, as an index among the past windows and those that were judged; None
        without drift.
    """

    judgement: Judgement
    onset: int | None


def judge_sequence(
    windows: Sequence[SequenceWindow],
    baseline: Baseline,
    *,
    rules: Rules,
    pooled_alpha: float | None,
    past: Sequence[SequenceWindow] = (),
) -> list[SequenceJudgement]:
    """Judge windows, each by itself and with those before it.

    Parameters
    ----------
    windows
        In the order of time, without gaps.
    baseline
        What they are held against.
    rules
        What makes a window drifted by itself.
    pooled_alpha
        The significance level of all pooled tests after one window together; None for no such tests.
        None are made either where windows have no numbers, and where thresholds decide.
    past
        Windows that were judged before, and end where the first of `windows` starts.
    """
    judgements = [
        judge(window.sketch, baseline, rules=rules, statistics=window.statistics)
        for window in windows
    ]
    row = [
        *past,
        *(
            replace(window, is_drift=judgement.verdict is Verdict.DRIFT)
            for window, judgement in zip(windows, judgements, strict=True)
        ),
    ]
    is_numbered = all(window.number is not None for window in row)
    if pooled_alpha is not None and is_numbered and not rules.thresholds:
        tests = pooled_tests(row, baseline, rules=replace(rules, alpha=pooled_alpha))[len(past) :]
        judgements = [
            judgement if pooled is None else _with_pooled_test(judgement, pooled)
            for judgement, pooled in zip(judgements, tests, strict=True)
        ]
    runs = [(window.sketch, window.statistics) for window in row]
    return [
        SequenceJudgement(
            judgement,
            onset(runs[: at + 1], baseline) if judgement.verdict is Verdict.DRIFT else None,
        )
        for at, judgement in enumerate(judgements, start=len(past))
    ]


def pooled_tests(
    windows: Sequence[SequenceWindow],
    baseline: Baseline,
    *,
    rules: Rules,
    random_state: int = 0,
) -> list[PooledTest | None]:
    """The pooled test that says most, after each window.

    Parameters
    ----------
    windows
        In the order of time, without gaps, and numbered: the number decides after which windows a test
        is due, so that the same tests are made whenever the windows are judged. Those that drifted by
        themselves are left out, or one unusual day would alarm again for a month.
    baseline
        What windows are held against.
    rules
        `alpha` is the significance level of all tests after one window together.
    random_state
        Seed of the simulations.

    Returns
    -------
    For each window the test that was made last of each length, of these the one that drifted most
    clearly; None where there were too few windows or rows.
    """
    lengths = WEEKS if baseline.seasons else LENGTHS
    latest: dict[int, PooledTest] = {}
    strongest: list[PooledTest | None] = []
    for at, window in enumerate(windows, start=1):
        for length in lengths:
            if window.number is None or window.number % stride(length):
                continue
            latest.pop(length, None)
            pooled = _poolable(windows[:at], length, is_weekly=bool(baseline.seasons))
            if pooled:
                alpha = min(rules.alpha / len(lengths) * stride(length), 0.5)
                rng = np.random.default_rng([random_state, length, 0x6C6F])
                test = _pooled_test(pooled, baseline, replace(rules, alpha=alpha), rng)
                if test is not None:
                    latest[length] = test
        strongest.append(
            min(latest.values(), key=lambda test: test.p_value / test.alpha, default=None)
        )
    return strongest


def stride(length: int) -> int:
    """A test of `length` windows is made after every so many windows."""
    return max(1, length // 4)


def unevenness(sketches: Sequence[WindowSketch]) -> float:
    """Σ n² / (Σ n)²: 1 over the number of windows when all have the same size."""
    sizes = np.array([sketch.n for sketch in sketches], dtype=np.float64)
    return float((sizes**2).sum() / sizes.sum() ** 2)


def _poolable(
    windows: Sequence[SequenceWindow], length: int, *, is_weekly: bool
) -> list[WindowSketch]:
    """The last `length` windows that have rows and did not drift by themselves; none if they are fewer."""
    reach = windows[-length:] if is_weekly else windows[-2 * length :]
    usable = [
        window.sketch for window in reversed(reach) if not window.is_drift and window.sketch.n > 0
    ][:length]
    # A week without one of its days is no week, unless that day is always closed.
    n_closed = sum(window.is_closed for window in reach) if is_weekly else 0
    return usable if len(usable) + n_closed == length else []


def _pooled_test(
    sketches: Sequence[WindowSketch], baseline: Baseline, rules: Rules, rng: np.random.Generator
) -> PooledTest | None:
    pooled = sketches[0]
    for sketch in sketches[1:]:
        pooled = pooled + sketch
    statistics = baseline.statistics
    if min(pooled.n, statistics.sketch.n) < rules.minimum_rows:
        return None
    comparison = Comparison(pooled, baseline, statistics, rng, unevenness(sketches))
    tests = examine(comparison, rules.alpha)
    p_value = combine(tests)
    content, appearance = split_movement(statistics.sketch, pooled)
    return PooledTest(
        n_windows=len(sketches),
        n_rows=pooled.n,
        p_value=p_value,
        alpha=rules.alpha,
        tests=tests,
        content_shift=content,
        appearance_shift=appearance,
        is_drift=p_value <= rules.alpha and changed_share(tests) >= rules.minimum_change,
    )


def _with_pooled_test(judgement: Judgement, pooled: PooledTest) -> Judgement:
    """A window that is calm by itself has drifted when the last windows together have."""
    is_empty = judgement.window_histogram.sum() == 0
    if judgement.verdict is Verdict.DRIFT or not pooled.is_drift or is_empty:
        return replace(judgement, pooled_test=pooled)
    return replace(
        judgement,
        pooled_test=pooled,
        is_by_pooled_test=True,
        verdict=Verdict.DRIFT,
        reason=(
            f"the last {pooled.n_windows} windows together have drifted (p = {pooled.p_value:.2g}); this one "
            "alone is too small to show it"
        ),
    )
