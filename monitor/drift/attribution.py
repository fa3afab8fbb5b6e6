"""What makes up a shift: each cluster's part, and content against appearance."""

from __future__ import annotations

import numpy as np

from monitor.clusters import WindowSketch
from monitor.drift.comparison import Comparison
from monitor.drift.distances import contributions
from monitor.drift.intervals import share_change_interval
from monitor.drift.judgement import ClusterShift
from monitor.drift.monte_carlo import count_reached, p_values
from monitor.drift.significance import holm

CONFIDENCE = 0.95
"""Of the intervals of all clusters together."""


def cluster_shifts(comparison: Comparison) -> tuple[ClusterShift, ...]:
    """What each cluster did, with p-values from tables without drift."""
    reference, window = comparison.reference, comparison.window
    drawn = comparison.tables
    before, after = reference.histogram.counts, window.histogram.counts
    change = after / window.n - before / reference.n
    by_chance = drawn[1] / window.n - drawn[0] / reference.n
    deviation = by_chance.std(axis=0)
    residual = np.divide(change, deviation, out=np.zeros(len(before)), where=deviation > 0)
    n_as_far = count_reached(np.abs(by_chance), np.abs(change))
    adjusted = holm(p_values(n_as_far, len(by_chance)))
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


def split_movement(reference: WindowSketch, window: WindowSketch) -> tuple[float, float]:
    """Lengths of Σ (q − p) μ and Σ q (m′ − μ), which add up (as vectors) to the mean's movement."""
    before, after = reference.histogram, window.histogram
    # A cluster that the baseline left empty has no mean of its own: its rows count as new content.
    means = np.where(before.counts[:, None] > 0, reference.cluster_means, window.cluster_means)
    content = (after.shares - before.shares) @ means
    appearance = window.mean - reference.mean - content
    return float(np.linalg.norm(content)), float(np.linalg.norm(appearance))
