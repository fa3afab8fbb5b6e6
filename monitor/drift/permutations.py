"""Two means compared by permutation: exact for any number of independent rows."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from monitor.drift.mean_null import tail
from monitor.drift.monte_carlo import count_reached, most_draws, simulate

_FIRST = 199
_MOST = 20_000
_BATCH = 1_000
_TOLERANCE = 1e-6  # sums of float32


def permutation_p_value(
    window: NDArray[np.float32],
    others: NDArray[np.float32],
    *,
    alpha: float,
    rng: np.random.Generator,
) -> float:
    """How often as long a difference of means comes about when rows are dealt to the sides at random.

    (1 + reached) / (1 + drawn), drawn on as long as `simulate` does;
    beyond all that was drawn a χ² with the first three moments of the drawn statistics goes on.

    Parameters
    ----------
    window, others
        (n, width) and (m, width), the rows of both sides.
    alpha
        The p-value that must be told apart from larger ones.
    rng
        Deals.
    """
    n, m = len(window), len(others)
    # In an order of their own, so that the pieces that a window came in change nothing.
    rows = np.concatenate([window[np.lexsort(window.T)], others])
    rows -= rows.mean(axis=0, dtype=np.float64).astype(np.float32)

    def statistics(sides: NDArray[np.float32]) -> NDArray[np.float64]:
        # Rows are centred: the sums of both sides are one vector, with two signs.
        moved = (sides @ rows).astype(np.float64) * (1 / n + 1 / m)
        return np.asarray(np.einsum("rd,rd->r", moved, moved))

    def deal(size: int) -> NDArray[np.float32]:
        order = rng.random((size, n + m), dtype=np.float32)
        sides = np.zeros((size, n + m), dtype=np.float32)
        np.put_along_axis(sides, np.argpartition(order, n, axis=1)[:, :n], np.float32(1), axis=1)
        return sides

    own = np.zeros((1, n + m), dtype=np.float32)
    own[0, :n] = 1
    observed = float(statistics(own)[0]) * (1 - _TOLERANCE)
    simulation = simulate(
        lambda size: statistics(deal(size)),
        partial(count_reached, observed=observed, tolerance=0.0),
        first=statistics(deal(_FIRST)),
        most=most_draws(alpha, _MOST),
        batch=_BATCH,
    )
    if simulation.n_reached:
        return simulation.p_value
    return min(simulation.p_value, tail(simulation.draws, observed))
