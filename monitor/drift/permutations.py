"""Two means compared by permutation: exact for any number of independent rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monitor.drift.mean_null import MeanNull

_FIRST = 199
_MOST = 20_000
_BATCH = 1_000
_ENOUGH_REACHED = 20


def permutation_p_value(
    window: NDArray[np.float32],
    others: NDArray[np.float32],
    *,
    inflation: float,
    level: float,
    rng: np.random.Generator,
) -> float:
    """How often as long a difference of means comes about when rows are dealt to the sides at random.

    (1 + reached) / (1 + drawn), drawn on until 20 reach or `level` can be told (Besag & Clifford 1991);
    beyond all that was drawn a χ² with the first three moments of the drawn statistics goes on.

    Parameters
    ----------
    window, others
        (n, width) and (m, width), the rows of both sides.
    inflation
        The statistic is divided by this first: natural variation, which permutations do not know.
    level
        The p-value that must be told apart from larger ones.
    rng
        Deals.
    """
    n, m = len(window), len(others)
    # In an order of their own, so that the pieces that a window came in change nothing.
    rows = np.concatenate([window[np.lexsort(window.T)], others])
    rows -= rows.mean(axis=0, dtype=np.float64).astype(np.float32)

    def statistics(chosen: NDArray[np.float32]) -> NDArray[np.float64]:
        # Rows are centred: the sums of both sides are one vector, with two signs.
        moved = (chosen @ rows).astype(np.float64) * (1 / n + 1 / m)
        return np.asarray(np.einsum("rd,rd->r", moved, moved))

    def deal(size: int) -> NDArray[np.float32]:
        order = rng.random((size, n + m), dtype=np.float32)
        chosen = np.zeros((size, n + m), dtype=np.float32)
        np.put_along_axis(chosen, np.argpartition(order, n, axis=1)[:, :n], np.float32(1), axis=1)
        return chosen

    own = np.zeros((1, n + m), dtype=np.float32)
    own[0, :n] = 1
    seen = float(statistics(own)[0]) * (1 - 1e-6) / inflation
    drawn = statistics(deal(_FIRST))
    most = min(4 / level, _MOST)
    while (reached := int((drawn >= seen).sum())) < _ENOUGH_REACHED and len(drawn) < most:
        drawn = np.concatenate([drawn, statistics(deal(min(len(drawn), _BATCH)))])
    p_value = (1 + reached) / (1 + len(drawn))
    return p_value if reached else min(p_value, _tail(drawn, seen))


def _tail(drawn: NDArray[np.float64], seen: float) -> float:
    mean, variance = float(drawn.mean()), float(drawn.var())
    third = float(((drawn - mean) ** 3).mean())
    if variance <= 0 or third <= 0:
        return 1.0
    return MeanNull(np.array([mean, variance / 2, third / 8])).p_value(seen)
