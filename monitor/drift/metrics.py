"""The distances that users know by name, and the door for their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from monitor.drift.counts import chi_square
from monitor.drift.distances import hellinger, jsd, psi, wasserstein

Counts = NDArray[np.integer]
Distance = Callable[[Counts, Counts], NDArray[np.float64]]


@dataclass(frozen=True)
class Metric:
    """A distance between a baseline and a window.

    Every metric gets a noise floor, a ceiling and an interval by simulation, so it must take many
    windows at once.

    Parameters
    ----------
    name
        As it is called in reports, configs and thresholds.
    function
        Takes (..., bins) counts of the baseline and of windows and gives (...) float64 ≥ 0; higher is
        more drift.
    over
        `"clusters"`: rows per cluster. `"distances"`: rows per bin of the distance to the nearest
        centroid; the function then takes the bins' positions, (bins,) float64, as a third argument.
    power
        2 for a distance whose square is an average over rows, such as `jsd`; else 1. Intervals are
        made of value ** power, which is closer to normal.

    Examples
    --------
    >>> def total_variation(baseline, window):
    ...     p = baseline / baseline.sum(axis=-1, keepdims=True)
    ...     q = window / window.sum(axis=-1, keepdims=True)
    ...     return abs(p - q).sum(axis=-1) / 2
    >>> float(Metric("tv", total_variation).function(np.array([1, 1]), np.array([1, 3])))
    0.25
    """

    name: str
    function: Callable[..., NDArray[np.float64]]
    over: Literal["clusters", "distances"] = "clusters"
    power: Literal[1, 2] = 1


METRICS: Final[tuple[Metric, ...]] = (
    Metric("jsd", jsd, power=2),
    Metric("psi", psi),
    Metric("hellinger", hellinger, power=2),
    Metric("chi2", chi_square),
    Metric("wasserstein", wasserstein, over="distances"),
)
"""What every window gets."""
