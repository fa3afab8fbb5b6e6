"""What production teaches: how much windows without drift differ, beside what the baseline shows of it.

A baseline of a month hardly shows a variation that makes alarms four times as frequent: a second month does.
So the first windows of production are taken as further evidence, where they are calm and stayed calm in all
pooled tests that they are in. Only the first: if each calm window taught, a creeping drift would teach the
judge not to see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from monitor.clusters import (
    RATIOS,
    UNRELATED,
    Autocorrelation,
    Baseline,
    ReplayedWindows,
    autocorrelation_of_means,
)
from monitor.drift.battery import TESTS
from monitor.drift.comparison import UNKNOWN, Comparison, Ratio
from monitor.drift.onset import LONGEST_RUN
from monitor.drift.pooled import usable
from monitor.drift.run import SequenceWindow

MOST_LESSONS: Final = LONGEST_RUN
"""So many windows teach: a baseline's usual month once more."""
MOST_FIRST: Final = 3 * LONGEST_RUN
"""So many of the first windows count: twice as many as teach, as some may be of a shift, and those that
follow the last of these in pooled tests."""
LEAST_ALONE: Final = 24
"""Of windows beside a baseline that knows none of its own: from fewer it could not be told that rows are
independent, as they are taken to be until then."""
STEP: Final = 8
"""So many begin to teach at once: all laws are made anew then."""


def learn(
    first: Sequence[SequenceWindow], baseline: Baseline, minimum_rows: int
) -> ReplayedWindows | None:
    """What the first windows of production teach.

    Parameters
    ----------
    first
        The first windows that were held against the baseline, in the order of time, without gaps; no more
        than `MOST_FIRST` count. The first `MOST_LESSONS` calm ones teach, each when `LONGEST_RUN` later ones
        are known.
    baseline
        What they were held against.
    minimum_rows
        Of a window that teaches.

    Returns
    -------
    None where there is nothing to learn yet, or from nobody.
    """
    n_old = (min(len(first), MOST_FIRST) - LONGEST_RUN) // STEP * STEP
    if n_old <= 0:
        return None
    teachers = [
        first[at]
        for at in usable(first[: n_old + LONGEST_RUN])
        if at < n_old and first[at].sketch.n >= minimum_rows
    ][:MOST_LESSONS]
    least = LEAST_ALONE if baseline.statistics.replayed is None else 1
    if len(teachers) < least:
        return None
    # Ratios draw nothing.
    rng = np.random.default_rng(0)
    compared = [Comparison(window.sketch, baseline, window.statistics, rng) for window in teachers]
    ratios = [_ratios(comparison) for comparison in compared]
    autocorrelation = _autocorrelation(teachers, baseline)
    return ReplayedWindows(
        sizes=np.array([window.sketch.n for window in teachers]),
        novel=np.array([window.sketch.n_novel for window in teachers]),
        ratios=np.array([[ratio.value for ratio in of_window] for of_window in ratios]).T,
        freedoms=np.array([[ratio.freedom for ratio in of_window] for of_window in ratios]).T,
        scales=np.array([comparison.scale for comparison in compared]),
        autocorrelations=autocorrelation.lags,
        likeness=autocorrelation.z,
    )


def _autocorrelation(teachers: Sequence[SequenceWindow], baseline: Baseline) -> Autocorrelation:
    """About their own mean: that all lie off the baseline's makes them no more alike."""
    numbers = [window.number for window in teachers if window.number is not None]
    if len(numbers) < len(teachers):
        return UNRELATED
    means = [window.sketch.mean - window.statistics.sketch.mean for window in teachers]
    return autocorrelation_of_means(
        np.array(means),
        np.array([window.sketch.n for window in teachers]),
        np.array(numbers),
        baseline.statistics.mean_moments,
    )


def _ratios(comparison: Comparison) -> list[Ratio]:
    """In the order of `RATIOS`."""
    tests = {test.name: test for test in TESTS if test.applies(comparison)}
    return [tests[name].ratio(comparison) if name in tests else UNKNOWN for name in RATIOS]
