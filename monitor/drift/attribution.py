"""What makes up a shift: each cluster's part, and content against appearance."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import WindowSketch
from monitor.drift.comparison import MOST_TABLES, Comparison
from monitor.drift.distances import contributions
from monitor.drift.intervals import share_change_interval
from monitor.drift.judgement import ClusterShift
from monitor.drift.monte_carlo import count_reached, simulate
from monitor.drift.significance import LEAST_P_VALUE, holm

CONFIDENCE: Final = 0.95
"""Of the intervals of all clusters together."""


def cluster_shifts(comparison: Comparison) -> tuple[ClusterShift, ...]:
    """What each cluster did, and how often chance alone does as much."""
    reference, window = comparison.reference, comparison.window
    before, after = reference.histogram.counts, window.histogram.counts
    change, by_chance = _change(before, after), _change(*comparison.tables)
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


def _change(before: NDArray[np.int64], after: NDArray[np.int64]) -> NDArray[np.float64]:
    """(..., k) by how much the share of each cluster rose, of counts."""
    now, was = (side / side.sum(axis=-1, keepdims=True) for side in (after, before))
    return np.asarray(now - was)


def _p_values(
    comparison: Comparison, change: NDArray[np.float64], by_chance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(k,) of each cluster's change: exact for independent rows, else by changes drawn, no less than that."""
    null = comparison.cluster_null
    by_rows = np.maximum(null.p_values_of_each(), LEAST_P_VALUE)
    if null.overdispersion is None:
        return by_rows

    simulation = simulate(
        lambda n: _change(*null.draw(n, comparison.rng)),
        lambda draws: count_reached(np.abs(draws), np.abs(change)),
        first=by_chance,
        most=MOST_TABLES,
        batch=null.batch,
    )
    return np.maximum(simulation.p_values, by_rows)


def split_movement(reference: WindowSketch, window: WindowSketch) -> tuple[float, float]:
    """Lengths of Σ (q − p) μ and Σ q (m′ − μ), which add up (as vectors) to the mean's movement."""
    before, after = reference.histogram, window.histogram
    # A cluster that the baseline left empty has no mean of its own: its rows count as new content.
    means = np.where(before.counts[:, None] > 0, reference.cluster_means, window.cluster_means)
    content = (after.shares - before.shares) @ means
    appearance = window.mean - reference.mean - content
    return float(np.linalg.norm(content)), float(np.linalg.norm(appearance))
