"""p-values by simulation: how often a statistic drawn without drift reaches the observed one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

TOLERANCE: Final = 1e-9
"""A drawn statistic reaches the observed one also when rounding alone sets it so much (relatively) lower."""
ENOUGH_REACHED: Final = 20
"""A p-value from so many draws that reach has a relative error of 22 %: precise enough to be shown."""

Draws = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Simulation:
    """Statistics drawn without drift, and how many of them reach the observed one.

    Parameters
    ----------
    draws
        (n_draws, ...) float64.
    n_reached
        How many reach; one number, or one for each of several observed statistics.
    """

    draws: Draws
    n_reached: NDArray[np.int64]

    @property
    def p_values(self) -> NDArray[np.float64]:
        """One p-value for each observed statistic."""
        return np.asarray(p_values(self.n_reached, len(self.draws)))

    @property
    def p_value(self) -> float:
        """The p-value of a single observed statistic."""
        return float(self.p_values)


def p_values(n_reached: NDArray[np.int64], n_draws: int) -> NDArray[np.float64]:
    """(1 + reached) / (1 + draws): valid for any number of draws (Davison & Hinkley 1997, eq. 4.11)."""
    return np.asarray((1 + n_reached) / (1 + n_draws))


def count_reached(
    draws: NDArray[np.float64], observed: NDArray[np.float64] | float, tolerance: float = TOLERANCE
) -> NDArray[np.int64]:
    """How many draws, along the first axis, are as large as `observed` ≥ 0.

    Examples
    --------
    >>> int(count_reached(np.array([1.0, 2.0, 3.0]), 2.0))
    2
    """
    return np.asarray((draws >= np.asarray(observed) * (1 - tolerance)).sum(axis=0))


def simulate(
    draw: Callable[[int], Draws],
    reached: Callable[[Draws], NDArray[np.int64]],
    *,
    first: Draws,
    most: int,
    batch: int,
    enough: int = ENOUGH_REACHED,
) -> Simulation:
    """Draw until enough draws reach, or `most` are made (Besag & Clifford 1991).

    A statistic that chance reaches easily costs few draws; many are only made to tell how small a small
    p-value is.

    Parameters
    ----------
    draw
        Number ─► so many draws of the statistic.
    reached
        All draws so far ─► how many of them reach each observed statistic.
    first
        Draws that are there already, at least one.
    most
        Stop at so many draws.
    batch
        At most so many at once; else as many as there are already.
    enough
        Stop when each observed statistic is reached so often.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> normal = lambda n: np.abs(rng.normal(size=n))
    >>> simulation = simulate(
    ...     normal, lambda draws: count_reached(draws, 2.5758),
    ...     first=normal(99), most=100_000, batch=10_000, enough=500,
    ... )
    >>> round(simulation.p_value, 2)
    0.01
    """
    draws = first
    n_reached = reached(draws)
    while n_reached.min() < enough and len(draws) < most:
        draws = np.concatenate([draws, draw(min(len(draws), batch))])
        n_reached = reached(draws)
    return Simulation(draws, n_reached)
