"""Distances beside what chance gives them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from monitor.clusters import Baseline, BaselineStatistics, WindowSketch
from monitor.drift.distances import Distance
from monitor.drift.judgement import Score
from monitor.drift.null_tables import NullTables, Tables
from monitor.drift.rules import Rules


def distance_scores(
    window: WindowSketch,
    baseline: Baseline,
    reference: BaselineStatistics,
    mix_null: NullTables,
    drawn: Tables,
    rules: Rules,
    rng: np.random.Generator,
) -> dict[str, Score]:
    """A score per distance of `rules`."""
    resampled = _resample(mix_null, len(drawn[1]), rng)
    by_clusters = ((mix_null.baseline, mix_null.window), drawn, resampled, ())
    by_distances: Any = None
    scores = {}
    for distance in rules.distances:
        tables = by_clusters
        if distance.over == "distances":
            if by_distances is None:
                by_distances = _distance_tables(window, baseline, reference, len(drawn[1]), rng)
            tables = by_distances
        scores[distance.name] = _score(distance, *tables, alpha=rules.alpha)
    return scores


def _distance_tables(
    window: WindowSketch,
    baseline: Baseline,
    reference: BaselineStatistics,
    n_draws: int,
    rng: np.random.Generator,
) -> tuple[Tables, Tables, Tables, tuple[NDArray[np.float64]]]:
    # How distances vary from window to window is not known: rows are taken as independent here.
    null = NullTables(reference.sketch.distance_counts, window.distance_counts)
    return (
        (null.baseline, null.window),
        null.draw(n_draws, rng),
        _resample(null, n_draws, rng),
        (baseline.distance_positions,),
    )


def _resample(null: NullTables, n_draws: int, rng: np.random.Generator) -> Tables:
    """Tables as they fall round the two histograms that were seen, each round its own."""
    sides = [
        NullTables(side, side, null.overdispersion, null.unevenness)
        for side in (null.baseline, null.window)
    ]
    if null.overdispersion is None:
        drawn = [
            rng.multinomial(side.baseline.sum(), side.pooled_shares, n_draws) for side in sides
        ]
        return drawn[0], drawn[1]
    return sides[0].draw(n_draws, rng)[0], sides[1].draw(n_draws, rng)[1]


def _score(
    distance: Distance,
    seen: Tables,
    null: Tables,
    resampled: Tables,
    extra: tuple[NDArray[np.float64], ...],
    *,
    alpha: float,
) -> Score:
    value = float(distance.function(*seen, *extra))
    chance = distance.function(*null, *extra)
    # Basic bootstrap (Davison & Hinkley 1997, ch. 5.2): resampling adds the same noise again, so
    # what it adds is taken off.
    again = distance.function(*resampled, *extra) ** distance.power
    lower, upper = np.quantile(again, [0.025, 0.975])
    centre = value**distance.power
    low, high = (max(0.0, 2 * centre - edge) ** (1 / distance.power) for edge in (upper, lower))
    return Score(
        value=value,
        noise_floor=float(chance.mean()),
        noise_ceiling=_ceiling(chance**distance.power, alpha) ** (1 / distance.power),
        low=float(low),
        high=float(high),
    )


def _ceiling(chance: NDArray[np.float64], alpha: float) -> float:
    """The (1 − alpha) quantile of the gamma distribution with these draws' mean and variance.

    A weighted sum of χ² is close to it, and quantiles far beyond the draws can be told.
    """
    mean, variance = float(chance.mean()), float(chance.var())
    if mean <= 0 or variance <= 0:
        return max(mean, 0.0)
    return float(stats.gamma.isf(alpha, mean**2 / variance, scale=variance / mean))
