"""How much wilder than most single windows may be."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

TAILS: Final = (math.inf, 8.0, 4.0, 2.0)
"""ν, all equally likely: a window varies u = ν / χ²_ν times as much as others."""
LEAST: Final = 1e-300
"""Stands for a likelihood that is too small for a number."""


def spread(positions: NDArray[np.float64], n_from: int) -> NDArray[np.float64]:
    """(tails, n_from, positions): how likely each θu is, given ν and θ, on a grid of equal ratios."""
    logs = np.log(positions)
    edges = np.concatenate([[-np.inf], (logs[1:] + logs[:-1]) / 2, [np.inf]])
    masses = np.empty((len(TAILS), n_from, len(positions)))
    for at, tail in enumerate(TAILS):
        if math.isinf(tail):
            masses[at] = np.eye(len(positions))[:n_from]
            continue
        # θ ν / χ² ≤ t where χ² ≥ ν θ / t.
        below = stats.chi2.sf(tail * np.exp(logs[:n_from, None] - edges[None]), tail)
        masses[at] = np.diff(below, axis=1)
    return masses
