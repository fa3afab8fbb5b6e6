"""Tests of a window against the baseline, and one p-value of several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_P_VALUE = 1e-9
"""So far out an approximation says no more than "smaller still"."""


@dataclass(frozen=True)
class SubTest:
    """One test's outcome.

    Parameters
    ----------
    name
        `mix`, `novelty`, `mean` or `whitened_mean`.
    statistic
        The number that was judged; higher is farther from the baseline.
    p_value
        In [0, 1]: how often a window without drift gives such a statistic or a higher one.
    """

    name: str
    statistic: float
    p_value: float


SEES = {
    "mix": "the shares of the clusters",
    "novelty": "rows unlike anything in the baseline",
    "mean": "a common movement of the vectors",
    "whitened_mean": "a small movement in directions where the baseline hardly varies",
}
"""What each test is there to see."""


def combine(tests: tuple[SubTest, ...]) -> float:
    """One p-value: min(1, m · min pᵢ) over the m tests (Bonferroni).

    Not a sum of transformed p-values such as Cauchy's: p-values near 1 would cancel the one test that
    sees the change.
    """
    return min(1.0, len(tests) * min(test.p_value for test in tests))


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's (1979) adjusted p-values, in the order given.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
