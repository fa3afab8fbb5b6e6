"""Tails of distributions as scipy computes them, without the checks of arguments that take most of its time.

`_sf` and `_cdf` are what scipy asks those to override who add a distribution of their own; a test holds them
against the public functions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Whole = int | NDArray[np.int64]


def landau_tail(x: float) -> float:
    """P(X ≥ x) of Landau's distribution with location 0 and scale 1.

    Examples
    --------
    >>> round(landau_tail(10.0), 4)
    0.0709
    """
    return float(stats.landau._sf(np.float64(x)))


def hypergeometric_tails(
    k: Whole, n_all: int, n_marked: Whole, n_drawn: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """P(X ≤ k) and P(X ≥ k) of the marked among `n_drawn` rows of all; k and marked of any one shape.

    Examples
    --------
    >>> [round(float(tail), 3) for tail in hypergeometric_tails(3, 20, 7, 12)]
    [0.251, 0.948]
    """
    marked = np.asarray(n_marked)
    least, most = np.maximum(0, n_drawn + marked - n_all), np.minimum(marked, n_drawn)
    law: Any = stats.hypergeom
    within = np.clip(k, least, most)
    up_to = np.where(
        k < least, 0.0, np.where(k >= most, 1.0, law._cdf(within, n_all, marked, n_drawn))
    )
    # P(X > k − 1); below the support there is no argument for it.
    below = np.clip(np.asarray(k) - 1, least, most)
    beyond = np.where(
        k <= least, 1.0, np.where(k > most, 0.0, law._sf(below, n_all, marked, n_drawn))
    )
    return up_to, beyond
