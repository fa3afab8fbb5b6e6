"""One p-value of several: tests of a window combined, clusters and columns adjusted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import combine_p_values
from monitor.drift.judgement import Outcome

LEAST_P_VALUE = 1e-9
"""Beyond this, an approximation of a tail is not believed."""


def combine(tests: Sequence[Outcome]) -> float:
    """One p-value of the tests, by the harmonic mean of theirs (see `combine_p_values`).

    Where one test alone sees a change it is Bonferroni's m · min pᵢ, where several do it is smaller.
    Cauchy's combination would let p-values near 1 cancel the one test that sees the change.

    Examples
    --------
    >>> def p(*values):
    ...     return round(combine(tuple(Outcome("mix", 0.0, value, 0.0, 0.0) for value in values)), 4)
    >>> p(0.001, 1, 1, 1), p(0.02, 0.02, 0.02, 0.02), p(1, 1, 1, 1)
    (0.0041, 0.0223, 1.0)
    """
    return combine_p_values([test.p_value for test in tests])


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
