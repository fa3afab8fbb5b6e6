"""Our judge, as the benchmark asks it: public names only."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Baseline, fit
from monitor.drift import Verdict, judge

N_CLUSTERS = 20
DAILY_LEVEL = 1 / 365


def fitted(baseline: NDArray[np.float32], seed: int = 0) -> Baseline:
    """The baseline as a user would fit it."""
    return fit(baseline, {"name": "vector"}, n_clusters=N_CLUSTERS, random_state=seed)


def p_value(baseline: Baseline, window: NDArray[np.float32], alpha: float = 0.05) -> float:
    """The combined p-value of a window, (n, width)."""
    return judge(baseline.sketch(window, {}), baseline, alpha=alpha).p_value


def first_alarm(baseline: Baseline, windows: Iterable[NDArray[np.float32]]) -> int | None:
    """The number of windows up to and with the first alarm, or None, at one false alarm a year of days.

    Parameters
    ----------
    baseline
        What the windows are held against.
    windows
        Daily windows in order, each (n, width).
    """
    for day, window in enumerate(windows, start=1):
        found = judge(baseline.sketch(window, {}), baseline, alpha=DAILY_LEVEL)
        if found.verdict is Verdict.DRIFT:
            return day
    return None
