"""Scores ─► alarm rates at a level that was measured, not promised."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Threshold:
    """Alarm above `value`; at `value`, with chance `at_value`.

    The coin matters for scores with few values: without it a judge whose score is the same on every
    window could not be given any level at all.
    """

    value: float
    at_value: float

    def rate(self, scores: ArrayLike) -> float:
        """Expected share of `scores` that alarm, in [0, 1]; NaN without scores."""
        found = _ordered(scores)
        if len(found) == 0:
            return math.nan
        return float((found > self.value).mean() + self.at_value * (found == self.value).mean())


def threshold_at(quiet: ArrayLike, level: float) -> Threshold:
    """The threshold at which exactly `level` of the `quiet` scores alarm, in expectation.

    Parameters
    ----------
    quiet
        (n,) scores of windows without drift; higher means more drift. NaN counts as the lowest.
    level
        In (0, 1).

    Examples
    --------
    >>> threshold = threshold_at([1, 2, 3, 4], 0.25)
    >>> threshold.rate([1, 2, 3, 4]), threshold.rate([5, 5, 1, 1])
    (0.25, 0.5)
    """
    found = _ordered(quiet)
    if len(found) == 0:
        raise ValueError("no quiet scores: the level cannot be measured")
    value = float(np.sort(found)[::-1][min(int(level * len(found)), len(found) - 1)])
    above, equal = (found > value).mean(), (found == value).mean()
    return Threshold(value, float(np.clip((level - above) / equal, 0, 1)))


def _ordered(scores: ArrayLike) -> np.ndarray:
    return np.nan_to_num(
        np.asarray(scores, dtype=np.float64), nan=-np.inf, posinf=np.inf, neginf=-np.inf
    )


def binomial_error(rate: float, n: int) -> float:
    """Standard error of a rate seen in `n` windows."""
    return math.sqrt(max(rate * (1 - rate), 1 / n) / n) if n else math.nan
