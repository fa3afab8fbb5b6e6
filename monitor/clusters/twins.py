"""Rows that have a twin: another photo of the same thing, or the same one again."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

NEARER: Final = 0.5
"""A row's nearest row is its twin when it lies within so many times the distance of the fifth nearest."""
_RANK, _FAR = 5, 10
_STEPS: Final = sum(1 / rank for rank in range(_RANK, _FAR))
_PROBES, _MOST_ROWS = 500, 20_000


def twin_share(vectors: NDArray[np.float32], random_state: int = 0) -> float:
    """The share of rows that have a twin beyond chance, in [0, 1], from a sample; 0 for fewer than 20 rows.

    In D dimensions the volumes up to the nearest rows of a lottery are sums of exponential variables: one in
    1 − (1 − 2^−D)⁴ has a twin by chance, and ln(d₁₀/d₅) has the mean (1/5 + … + 1/9) / D, which gives D
    (Levina & Bickel 2005).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = rng.normal(size=(300, 64)).astype(np.float32)
    >>> twice = np.concatenate([rows, rows[:100] + np.float32(0.1)])
    >>> twin_share(rows), round(twin_share(twice), 2)
    (0.0, 0.5)
    >>> twin_share(rows[:, :3]) < 0.1
    True
    """
    if len(vectors) < 2 * _FAR:
        return 0.0
    order = np.random.default_rng([random_state, 0x7477]).permutation(len(vectors))[:_MOST_ROWS]
    rows = vectors[order]
    lengths = np.einsum("nd,nd->n", rows, rows)
    probes = rows[:_PROBES]
    squares = lengths[: len(probes), None] + lengths - 2 * (probes @ rows.T)
    squares[np.arange(len(probes)), np.arange(len(probes))] = np.inf
    near = np.clip(np.sort(np.partition(squares, _FAR - 1, axis=1)[:, :_FAR], axis=1), 0, None)
    share = float((near[:, 0] <= NEARER**2 * near[:, _RANK - 1]).mean())
    is_apart = near[:, _RANK - 1] > 0
    if not is_apart.any():
        return share
    steps = np.log(near[is_apart, _FAR - 1] / near[is_apart, _RANK - 1]).mean() / 2
    by_chance = 1 - (1 - 0.5 ** (_STEPS / max(float(steps), 1e-9))) ** (_RANK - 1)
    return max(share - by_chance, 0.0) / (1 - by_chance) if by_chance < 1 else 0.0
