"""When a shift began."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from monitor.clusters import Baseline, WindowSketch
from monitor.drift.battery import clarity
from monitor.drift.comparison import Comparison
from monitor.drift.sequence import LONGEST


def onset(sketches: Sequence[WindowSketch], baseline: Baseline) -> int:
    """Where the shift that the last window shows began: the start of the clearest run up to it.

    For every start the windows from there to the last are pooled, and the statistic farthest above its
    mean without drift, in standard deviations, is taken; the start with the largest wins (the estimate
    of a change point by maximum likelihood; Hinkley 1970).

    Parameters
    ----------
    sketches
        Windows in the order of time; the last one is the one that drifted. At most `LONGEST` are used.
    baseline
        What they are held against.

    Returns
    -------
    The index of the first drifted window, in [0, len(sketches)).
    """
    rng = np.random.default_rng(0)  # clarity draws nothing
    best, clearest = len(sketches) - 1, -math.inf
    pooled: WindowSketch | None = None
    for at in range(len(sketches) - 1, max(len(sketches) - 1 - LONGEST, -1), -1):
        if sketches[at].n == 0:
            continue
        pooled = sketches[at] if pooled is None else sketches[at] + pooled
        clear = clarity(Comparison(pooled, baseline, baseline.statistics, rng))
        if clear > clearest:
            best, clearest = at, clear
    return best
