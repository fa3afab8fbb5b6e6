"""What makes up a shift: each cluster's part, and content against appearance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from monitor.clusters import WindowSketch
from monitor.drift.comparison import Comparison
from monitor.drift.distances import contributions
from monitor.drift.intervals import share_change_interval
from monitor.drift.judgement import ClusterShift
from monitor.drift.monte_carlo import ENOUGH_REACHED, count_reached, p_values
from monitor.drift.significance import LEAST_P_VALUE, holm

CONFIDENCE = 0.95
"""Of the intervals of all clusters together."""


def cluster_shifts(comparison: Comparison) -> tuple[ClusterShift, ...]:
    """What each cluster did, and how often chance alone does as much."""
    reference, window = comparison.reference, comparison.window
    drawn = comparison.tables
    before, after = reference.histogram.counts, window.histogram.counts
    change = after / window.n - before / reference.n
    by_chance = drawn[1] / window.n - drawn[0] / reference.n
    deviation = by_chance.std(axis=0)
    residual = np.divide(change, deviation, out=np.zeros(len(before)), where=deviation > 0)
    adjusted = holm(_p_values(comparison, change, by_chance))
    low, high = share_change_interval(
        before,
        after,
        effective=comparison.cluster_null.effective_rows(),
        confidence=1 - (1 - CONFIDENCE) / len(before),
    )
    caused = contributions(before, after)
    moved = np.linalg.norm(window.cluster_means - reference.cluster_means, axis=1)
    movement = np.where((after > 0) & (before > 0), moved, np.nan)
    return tuple(
        ClusterShift(
            cluster=k,
            baseline_count=int(before[k]),
            window_count=int(after[k]),
            baseline_share=float(reference.histogram.shares[k]),
            window_share=float(window.histogram.shares[k]),
            change_low=float(low[k]),
            change_high=float(high[k]),
            contribution=float(caused[k]),
            residual=float(residual[k]),
            p_value=float(adjusted[k]),
            movement=float(movement[k]),
        )
        for k in range(len(before))
    )


def _p_values(
    comparison: Comparison, change: NDArray[np.float64], by_chance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(k,) of each cluster's change: exact for independent rows, else by the drawn changes.

    Beyond the draws, a gamma distribution with the moments of the squared changes tells how rare it is: that
    of a normal variable's square is one.
    """
    null = comparison.cluster_null
    by_rows = np.maximum(null.p_values_of_each(), LEAST_P_VALUE)
    if null.overdispersion is None:
        return by_rows
    n_as_far = count_reached(np.abs(by_chance), np.abs(change))
    drawn, squared = p_values(n_as_far, len(by_chance)), by_chance**2
    mean, variance = squared.mean(axis=0), squared.var(axis=0)
    is_far = (n_as_far < ENOUGH_REACHED) & (variance > 0)
    scale = np.divide(variance, mean, out=np.ones_like(mean), where=is_far)
    tail = special.gammaincc(np.where(is_far, mean / scale, 1.0), change**2 / scale)
    return np.where(is_far, np.maximum(np.minimum(tail, drawn), by_rows), drawn)


def split_movement(reference: WindowSketch, window: WindowSketch) -> tuple[float, float]:
    """Lengths of Σ (q − p) μ and Σ q (m′ − μ), which add up (as vectors) to the mean's movement."""
    before, after = reference.histogram, window.histogram
    # A cluster that the baseline left empty has no mean of its own: its rows count as new content.
    means = np.where(before.counts[:, None] > 0, reference.cluster_means, window.cluster_means)
    content = (after.shares - before.shares) @ means
    appearance = window.mean - reference.mean - content
    return float(np.linalg.norm(content)), float(np.linalg.norm(appearance))
