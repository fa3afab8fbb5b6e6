"""When a shift began."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Baseline, BaselineStatistics, WindowSketch
from monitor.drift.battery import clarity
from monitor.drift.comparison import Comparison

LONGEST_RUN: Final = 32
"""Windows; further back no shift is followed."""


def onset(windows: Sequence[tuple[WindowSketch, BaselineStatistics]], baseline: Baseline) -> int:
    """Where the shift that the last window shows began: the start of the clearest run up to it.

    For every start the windows from there to the last are pooled, and the statistic farthest above its
    mean without drift, in standard deviations, is taken; the start with the largest wins (the estimate
    of a change point by maximum likelihood; Hinkley 1970).

    Parameters
    ----------
    windows
        In the order of time, each with what it is compared with; the last one is the one that drifted.
        At most `LONGEST_RUN` are used.
    baseline
        What they are held against.

    Returns
    -------
    The index of the first drifted window, in [0, len(windows)).
    """
    rng = np.random.default_rng(0)  # clarity draws nothing
    last = len(windows) - 1
    best, clearest = last, -math.inf
    pooled: WindowSketch | None = None
    rows: dict[int, int] = {}
    compared: dict[int, BaselineStatistics] = {}
    for at in range(last, max(last - LONGEST_RUN, -1), -1):
        sketch, statistics = windows[at]
        if sketch.n == 0:
            continue
        pooled = sketch if pooled is None else sketch + pooled
        compared[id(statistics)] = statistics
        rows[id(statistics)] = rows.get(id(statistics), 0) + sketch.n
        mixed = _mixed(list(compared.values()), list(rows.values()))
        run_clarity = clarity(Comparison(pooled, baseline, mixed, rng))
        if run_clarity > clearest:
            best, clearest = at, run_clarity
    return best


def _mixed(parts: Sequence[BaselineStatistics], rows: Sequence[int]) -> BaselineStatistics:
    """What a run of windows is compared with: the statistics of its days, in the mix of its own rows.

    The mean of the parts' distributions with weights w has the variance of Σ w² / N of a row's; so it
    counts as 1 / Σ (w² / N) rows.

    Parameters
    ----------
    parts
        Of each day of the week in the run; without drift its windows come from them.
    rows
        The run's rows of each.
    """
    if len(parts) == 1:
        return parts[0]
    weights = np.array(rows) / sum(rows)
    n_rows = _effective([part.sketch.n for part in parts], weights)
    n_held_out = _effective([part.n_held_out for part in parts], weights)
    sketch = _scaled(parts[0].sketch, n_rows * weights[0])
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        sketch = sketch + _scaled(part.sketch, n_rows * weight)
    novel = [part.n_held_out_novel / max(part.n_held_out, 1) for part in parts]
    return replace(
        parts[0],
        sketch=sketch,
        n_held_out=round(n_held_out),
        n_held_out_novel=round(n_held_out * float(weights @ novel)),
        mean_moments=_averaged([part.mean_moments for part in parts], weights),
        whitened_moments=_averaged([part.whitened_moments for part in parts], weights),
        variation=None,
    )


def _effective(sizes: Sequence[int], weights: NDArray[np.float64]) -> float:
    return 0.0 if min(sizes) == 0 else float(1 / (weights**2 / np.array(sizes)).sum())


def _averaged(
    values: Sequence[NDArray[np.float64]], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.asarray(weights @ np.stack(values))


def _scaled(sketch: WindowSketch, n_rows: float) -> WindowSketch:
    """The same shares and cluster means of about `n_rows` rows."""
    counts = sketch.histogram.counts
    scaled = np.rint(counts * (n_rows / max(sketch.n, 1))).astype(np.int64)
    ratio = np.divide(scaled, counts, out=np.zeros(len(counts)), where=counts > 0)
    return replace(
        sketch,
        histogram=replace(sketch.histogram, counts=scaled),
        cluster_units=np.rint(sketch.cluster_units * ratio[:, None]).astype(np.int64),
        rows=None,
    )
