"""Two tests on means: did the vectors move together? Plain, and where the baseline hardly varies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import BaselineStatistics, WindowSketch
from monitor.drift.mean_null import MeanNull
from monitor.drift.permutations import permutation_p_value
from monitor.drift.significance import SubTest


def mean_tests(
    window: WindowSketch,
    reference: BaselineStatistics,
    whitener: NDArray[np.float64],
    nulls: tuple[MeanNull, MeanNull],
    *,
    level: float,
    rng: np.random.Generator,
) -> tuple[SubTest, SubTest]:
    """The test of the mean and that of the whitened mean.

    A window that is small enough to hold its rows is compared with the reference's samples by
    permutation, larger ones by the moments of `nulls`. With natural variation the larger of both
    p-values counts. Where rows themselves are compared in whitened coordinates, these are rows that the
    whitening was not fitted on.

    Parameters
    ----------
    window, reference
        The two sides.
    whitener
        (width, width) float64.
    nulls
        The null distributions of both statistics, against the whole reference.
    level
        The p-value that must be told apart from larger ones.
    rng
        Draws permutations.
    """
    moved = moved_means(window, reference, whitener)
    held = np.concatenate([reference.sample, reference.fit_sample])
    narrow = whitener.astype(np.float32)
    coordinates = ((held, None), (reference.sample, narrow))
    tests = []
    for name, vector, null, (others, axes) in zip(
        ("mean", "whitened_mean"), moved, nulls, coordinates, strict=True
    ):
        statistic = float(vector @ vector)
        if not np.isfinite(null.moments).all() or null.moments[0] <= 0:
            tests.append(SubTest(name, statistic, 1.0))
            continue
        rows, p_value = window.rows, 0.0
        is_small = rows is not None and len(others) >= window.n
        if not is_small or reference.variation is not None:
            p_value = null.p_value(statistic)
        if rows is not None and is_small:
            by_permutation = permutation_p_value(
                rows if axes is None else rows @ axes,
                others if axes is None else others @ axes,
                inflation=null.inflation,
                level=level,
                rng=rng,
            )
            p_value = max(p_value, by_permutation)
        tests.append(SubTest(name, statistic, p_value))
    return tests[0], tests[1]


def moved_means(
    window: WindowSketch, reference: BaselineStatistics, whitener: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(width,) each: how far the window's mean lies from the baseline's, plain and whitened."""
    moved = window.mean - reference.sketch.mean
    return moved, moved @ whitener
