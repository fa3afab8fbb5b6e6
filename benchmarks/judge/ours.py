"""Our judge, as the benchmark asks it: public names only."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Baseline, Clustering, WindowSketch, fit
from monitor.drift import POOLED_SHARE, Rules, SequenceWindow, Verdict, judge, pooled_tests

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
    alone = Rules(DAILY_LEVEL * (1 - POOLED_SHARE))
    sketches = [baseline.sketch(window, {}) for window in windows]
    drifted = []
    for day, sketch in enumerate(sketches, start=1):
        drifted.append(judge(sketch, baseline, rules=alone).verdict is Verdict.DRIFT)
        if drifted[-1]:
            return _first(sketches[: day - 1], drifted[: day - 1], baseline) or day
    return _first(sketches, drifted, baseline)


def row(
    sketches: list[WindowSketch], drifted: list[bool], baseline: Baseline
) -> list[SequenceWindow]:
    """These windows as neighbouring days, from day 0 on."""
    return [
        SequenceWindow(sketch, baseline.statistics, day, is_drift)
        for day, (sketch, is_drift) in enumerate(zip(sketches, drifted, strict=True))
    ]


def _first(sketches: list[WindowSketch], drifted: list[bool], baseline: Baseline) -> int | None:
    """The day of the first pooled test that drifted."""
    rules = Rules(DAILY_LEVEL * POOLED_SHARE)
    found = pooled_tests(row(sketches, drifted, baseline), baseline, rules=rules)
    for day, pooled in enumerate(found, start=1):
        if pooled is not None and pooled.is_drift:
            return day
    return None
