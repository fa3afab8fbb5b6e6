"""Our judge, as the benchmark asks it: public names only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Baseline, Clustering, WindowSketch, fit
from monitor.drift import (
    MOST_FIRST,
    MOST_PAST,
    POOLED_SHARE,
    Rules,
    SequenceJudgement,
    SequenceWindow,
    Verdict,
    judge,
    judge_sequence,
)

N_CLUSTERS = 20
DAILY_LEVEL = 1 / 365


def fitted(baseline: NDArray[np.float32], seed: int = 0) -> Baseline:
    """The baseline as a user would fit it."""
    return fit(baseline, {"name": "vector"}, Clustering(N_CLUSTERS, random_state=seed))


def p_value(baseline: Baseline, window: NDArray[np.float32], alpha: float = 0.05) -> float:
    """The combined p-value of a window, (n, width)."""
    return judge(baseline.sketch(window, {}), baseline, rules=Rules(alpha)).p_value


def first_alarm(baseline: Baseline, windows: Iterable[NDArray[np.float32]]) -> int | None:
    """The number of windows up to and with the first alarm, or None, at one false alarm a year of days.

    As `monitor.detect_drift` shares the budget out: part for each day by itself, the rest for tests of
    the last days together.

    Parameters
    ----------
    baseline
        What the windows are held against.
    windows
        Daily windows in order, each (n, width).
    """
    past: list[SequenceWindow] = []
    for day, window in enumerate(windows, start=1):
        past, judged = next_day(past, baseline.sketch(window, {}), baseline)
        if judged.judgement.verdict is Verdict.DRIFT:
            return day
    return None


def next_day(
    past: list[SequenceWindow], sketch: WindowSketch, baseline: Baseline
) -> tuple[list[SequenceWindow], SequenceJudgement]:
    """The days so far with one more, and what is said of that, at one false alarm a year of days."""
    number = past[-1].number + 1 if past and past[-1].number is not None else 0
    window = SequenceWindow(sketch, baseline.statistics, number)
    rules = Rules(DAILY_LEVEL * (1 - POOLED_SHARE))
    pooled_alpha = DAILY_LEVEL * POOLED_SHARE
    (judged,) = judge_sequence(
        [window],
        baseline,
        rules=rules,
        pooled_alpha=pooled_alpha,
        past=past[-MOST_PAST:],
        first=past[:MOST_FIRST],
    )
    is_together = judged.judgement.is_by_pooled_test
    is_drift = judged.judgement.verdict is Verdict.DRIFT and not is_together
    return [*past, replace(window, is_drift=is_drift, shift=judged.shift)], judged
