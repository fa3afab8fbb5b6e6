"""Where a shift began, and where it ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from monitor.clusters import Baseline
from monitor.drift.battery import clarity
from monitor.drift.run import Run, SequenceWindow

LONGEST_RUN: Final = 32
"""Windows; further back no shift is followed."""
_ROUNDS: Final = 3


def onset(windows: Sequence[SequenceWindow], baseline: Baseline) -> int:
    """Where the shift that the last window shows began: the start of the clearest run up to it.

    For every start the windows from there to the last are pooled, and the statistic farthest above its
    mean without drift, in standard deviations, is taken; the start with the largest wins (the estimate
    of a change point by maximum likelihood; Hinkley 1970).

    Parameters
    ----------
    windows
        In the order of time; the last one is the one that drifted. At most `LONGEST_RUN` are used.
    baseline
        What they are held against.

    Returns
    -------
    The index of the first drifted window, in [0, len(windows)).
    """
    last = len(windows) - 1
    return _clearest(_course(windows, range(last, max(last - LONGEST_RUN, -1), -1), baseline))


def course(windows: Sequence[SequenceWindow], baseline: Baseline) -> dict[int, float]:
    """How clear the run of windows from the first to each later one is.

    One more window makes a run clearer where it lies nearer to the run's windows than to the baseline: where
    the run is clearest the shift of the first window ended.

    Parameters
    ----------
    windows
        In the order of time; the first one belongs to the shift. At most `LONGEST_RUN` are used.
    baseline
        What they are held against.

    Returns
    -------
    Its `clarity` by the index of the run's last window; windows without rows are left out.
    """
    return _course(windows, range(min(len(windows), LONGEST_RUN)), baseline)


def clearest_run(windows: Sequence[SequenceWindow], baseline: Baseline) -> tuple[int, int]:
    """First and last window of the shift that these windows show together.

    Both ends in turn, until they stay.
    """
    first, last = 0, len(windows) - 1
    for _ in range(_ROUNDS):
        before = first, last
        first = onset(windows[: last + 1], baseline)
        last = first + _clearest(course(windows[first:], baseline))
        if (first, last) == before:
            break
    return first, last


def _clearest(clarities: Mapping[int, float]) -> int:
    return max(clarities, key=clarities.__getitem__)


def _course(
    windows: Sequence[SequenceWindow], order: Iterable[int], baseline: Baseline
) -> dict[int, float]:
    """The clarity of the run that grows by these windows, after each that has rows."""
    rng = np.random.default_rng(0)  # clarity draws nothing
    run: Run | None = None
    clarities = {}
    for at in order:
        window = windows[at]
        if window.sketch.n:
            run = Run.of([window]) if run is None else run.plus(window)
            clarities[at] = clarity(run.comparison(baseline, rng))
    return clarities
