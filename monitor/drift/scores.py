"""Distances, each beside what chance alone gives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from monitor.drift.comparison import N_TABLES, Comparison
from monitor.drift.distances import Distance
from monitor.drift.judgement import Score
from monitor.drift.null_tables import NullTables, Tables
from monitor.drift.rules import Rules


def distance_scores(comparison: Comparison, rules: Rules) -> dict[str, Score]:
    """A score for each distance of `rules`."""
    if not rules.distances:
        return {}
    null, rng = comparison.cluster_null, comparison.rng
    by_clusters = _Tables(
        (null.baseline, null.window),
        comparison.tables,
        null.resample(N_TABLES, rng),
    )
    by_distances: _Tables | None = None
    scores = {}
    for distance in rules.distances:
        tables = by_clusters
        if distance.over == "distances":
            tables = by_distances = by_distances or _distance_tables(comparison)
        scores[distance.name] = _score(distance, tables, alpha=rules.alpha)
    return scores


@dataclass(frozen=True, eq=False)
class _Tables:
    """Counts of both sides: observed, without drift, and resampled each round its own.

    `extra` is what a distance takes beside the counts.
    """

    observed: Tables
    null: Tables
    resampled: Tables
    extra: tuple[NDArray[np.float64], ...] = ()

    @cached_property
    def drawn(self) -> Tables:
        """Those without drift, then the resampled ones."""
        first, second = (
            np.concatenate(sides) for sides in zip(self.null, self.resampled, strict=True)
        )
        return first, second


def _quantiles(values: NDArray[np.float64], levels: tuple[float, ...]) -> NDArray[np.float64]:
    """As `np.quantile`, whose own work takes many times as long as the sorting of a few values."""
    places = np.array(levels) * (len(values) - 1)
    return np.asarray(np.interp(places, np.arange(len(values)), np.sort(values)))


def _distance_tables(comparison: Comparison) -> _Tables:
    # How distances vary from window to window is not known: rows are taken as independent here.
    null = NullTables(comparison.reference.distance_counts, comparison.window.distance_counts)
    return _Tables(
        (null.baseline, null.window),
        null.draw(N_TABLES, comparison.rng),
        null.resample(N_TABLES, comparison.rng),
        (comparison.baseline.distance_positions,),
    )


def _score(
    distance: Distance,
    tables: _Tables,
    *,
    alpha: float,
) -> Score:
    value = float(distance.measured(*tables.observed, *tables.extra))
    # In one call, which costs as much as two.
    drawn = distance.measured(*tables.drawn, *tables.extra)
    chance, again = np.split(drawn, [len(tables.null[0])])
    # Basic bootstrap (Davison & Hinkley 1997, ch. 5.2): resampling adds the same noise again, so
    # what it adds is subtracted.
    lower, upper = _quantiles(again**distance.power, (0.025, 0.975))
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

    A weighted sum of χ² is close to it, and it reaches quantiles far beyond the draws.
    """
    mean, variance = float(chance.mean()), float(chance.var())
    if mean <= 0 or variance <= 0:
        return max(mean, 0.0)
    return float(special.gammainccinv(mean**2 / variance, alpha) * variance / mean)
