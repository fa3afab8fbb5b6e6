"""One p-value of several: tests of a window combined, clusters and columns adjusted."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from monitor.drift.judgement import Outcome

LEAST_P_VALUE = 1e-9
"""Beyond this, an approximation of a tail is not believed."""


def combine(tests: Sequence[Outcome]) -> float:
    """One p-value of m tests, by the harmonic mean h of theirs (Wilson 2019, PNAS 116:1195, eq. 4).

    1/h of independent tests follows about Landau's distribution with location ln m + 0.874 and scale
    π/2; at 5 % that is 6 % too conservative for four tests, at 1 % less than 2 %. Where one test alone
    sees a change it is Bonferroni's m · min pᵢ, where several do it is smaller; far out in the tail the
    dependence between tests hardly matters. Cauchy's combination would let p-values near 1 cancel the
    one test that sees the change.

    Examples
    --------
    >>> def p(*values):
    ...     return round(combine(tuple(Outcome("mix", 0.0, value, 0.0, 0.0) for value in values)), 4)
    >>> p(0.001, 1, 1, 1), p(0.02, 0.02, 0.02, 0.02), p(1, 1, 1, 1)
    (0.0041, 0.0223, 1.0)
    """
    return combine_p_values([test.p_value for test in tests])


def combine_p_values(each: Sequence[float] | NDArray[np.float64]) -> float:
    """The same of bare p-values."""
    m = len(each)
    p_values = np.maximum(each, 1e-300)
    tail = stats.landau.sf((1 / p_values).mean(), loc=math.log(m) + 0.874, scale=math.pi / 2)
    return float(np.clip(tail, p_values.min(), 1.0)) if p_values.min() < 1 else 1.0


def telling(tests: tuple[Outcome, ...], alpha: float) -> tuple[Outcome, ...]:
    """The tests that decide: those whose p-value is at most their share of `alpha`.

    Where only several together are significant, the one with the smallest p-value; none where they are not.
    """
    clear = tuple(test for test in tests if test.p_value <= alpha / len(tests))
    if clear or not tests or combine(tests) > alpha:
        return clear
    return (min(tests, key=lambda test: test.p_value),)


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
