"""One p-value of several."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.tails import landau_tail


def combine_p_values(each: Sequence[float] | NDArray[np.float64]) -> float:
    """One p-value of m, by the harmonic mean h of theirs (Wilson 2019, PNAS 116:1195, eq. 4).

    1/h of independent tests follows about Landau's distribution with location ln m + 0.874 and scale
    π/2; at 5 % that is 6 % too conservative for four tests, at 1 % less than 2 %, and dependence hardly
    matters.

    Examples
    --------
    >>> round(combine_p_values([0.001, 1, 1, 1]), 4), combine_p_values([1, 1])
    (0.0041, 1.0)
    """
    m = len(each)
    p_values = np.maximum(each, 1e-300)
    least = float(p_values.min())
    if least >= 1:
        return 1.0
    tail = landau_tail((float((1 / p_values).mean()) - math.log(m) - 0.874) / (math.pi / 2))
    return min(max(tail, least), 1.0)
