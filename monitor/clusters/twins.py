"""Rows that have a twin: another photo of the same thing, or the same one again."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from monitor.clusters.content import portion_of

NEARER: Final = 0.5
"""A row's nearest row is its twin when it lies within so many times the distance of the fifth nearest."""
_RANK, _FAR = 5, 10
_STEPS: Final = sum(1 / rank for rank in range(_RANK, _FAR))
_PROBES, _MOST_ROWS = 500, 20_000
MANY_TWINS: Final = 0.1
"""From this share of rows with a twin on, windows of dependent rows are called drifted clearly too often."""
_MOST_BY_CHANCE: Final = 0.25
"""Of the rows with a twin; with more, groups would be of rows that chance brought together."""
_WRONG_LINKS: Final = 0.05
"""Of all rows, so many may be linked to a stranger."""
_WIDEST: Final = 0.7
"""In many dimensions all strangers lie about as far, and how many these are is known roughly only."""
_LONGEST: Final = 20
"""A group of more rows is a chain, such as a film's frames, each near the next: of no use to deal rows by."""


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
    share, dimension = _seen(vectors, random_state)
    by_chance = _by_chance(NEARER, dimension)
    return max(share - by_chance, 0.0) / (1 - by_chance) if by_chance < 1 else 0.0


def twin_groups(
    vectors: NDArray[np.float32], keys: NDArray[np.uint64], random_state: int = 0
) -> NDArray[np.int64] | None:
    """Rows linked by twins, as groups: up to five photos of one thing, which are no independent evidence.

    Parameters
    ----------
    vectors
        (n, width).
    keys
        (n,) from `content_keys`. Rows that are copied very often stay alone, as new rows hold copies as well.
    random_state
        Seed of the sample that tells whether there are twins.

    Returns
    -------
    (n,) numbers from 0 on. None where fewer than `MANY_TWINS` of the rows have a twin, where many of these
    may have it by chance, where rows form chains, and of more than 20,000 rows, which would take minutes.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = rng.normal(size=(60, 64)).astype(np.float32)
    >>> twice = np.concatenate([rows, rows + np.float32(0.01)])
    >>> groups = twin_groups(twice, np.arange(120, dtype=np.uint64))
    >>> bool((groups[:60] == groups[60:]).all()), len(set(groups.tolist()))
    (True, 60)
    """
    if len(vectors) > _MOST_ROWS:
        return None
    _, first, which, counts = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    # A picture that is sent again may be sent at any time: only others of the same thing tell of groups.
    different = vectors[first]
    if _seen(different, random_state)[0] < MANY_TWINS:
        return None
    linked = _linked(different, NEARER)
    # One row for each group tells how near strangers lie: twins come in twos and threes.
    _, dimension = _seen(different[np.unique(linked, return_index=True)[1]], random_state)
    share, by_chance = _linked_share(linked), _by_chance(NEARER, dimension)
    least = max(MANY_TWINS + by_chance, by_chance / _MOST_BY_CHANCE)
    if share < least or np.bincount(linked).max() > _LONGEST:
        return None
    # Where most rows have a twin, one that lies a little farther is hardly a stranger.
    allowed = min(_WRONG_LINKS / max(1 - share, _WRONG_LINKS), 0.5)
    wider = (1 - (1 - allowed) ** (1 / (_RANK - 1))) ** (1 / dimension)
    more = _linked(different, float(np.clip(wider, NEARER, _WIDEST)))
    if np.bincount(more).max() <= _LONGEST:
        linked = more
    alone = len(vectors) + np.arange(len(vectors))
    groups = np.where(counts[which] > portion_of(len(vectors)), alone, linked[which])
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def _linked_share(linked: NDArray[np.int64]) -> float:
    return float((np.bincount(linked)[linked] > 1).mean())


def _linked(vectors: NDArray[np.float32], nearer: float) -> NDArray[np.int64]:
    """(n,) the group of each row: linked are rows within `nearer` times the fifth neighbour's distance."""
    n = len(vectors)
    links = []
    for start in range(0, n, _PROBES):
        nearest, squares = _nearest(vectors, start)
        is_twin = squares[:, : _RANK - 1] <= nearer**2 * squares[:, _RANK - 1 : _RANK]
        probe, rank = np.nonzero(is_twin)
        links.append(np.stack([start + probe, nearest[probe, rank]]))
    first, second = np.concatenate(links, axis=1)
    graph = sparse.coo_array((np.ones(len(first)), (first, second)), shape=(n, n))
    return np.asarray(csgraph.connected_components(graph, directed=False)[1])


def _by_chance(nearer: float, dimension: float) -> float:
    """The share of rows without a twin whose nearest row lies so near."""
    return float(1 - (1 - nearer**dimension) ** (_RANK - 1))


def _seen(vectors: NDArray[np.float32], random_state: int) -> tuple[float, float]:
    """The share of rows that have a twin, and the dimension that all lie in; of a sample."""
    if len(vectors) < 2 * _FAR:
        return 0.0, np.inf
    order = np.random.default_rng([random_state, 0x7477]).permutation(len(vectors))[:_MOST_ROWS]
    _, near = _nearest(vectors[order], 0)
    share = float((near[:, 0] <= NEARER**2 * near[:, _RANK - 1]).mean())
    is_apart = near[:, _RANK - 1] > 0
    if not is_apart.any():
        return share, np.inf
    steps = np.log(near[is_apart, _FAR - 1] / near[is_apart, _RANK - 1]).mean() / 2
    return share, _STEPS / max(float(steps), 1e-9)


def _nearest(
    rows: NDArray[np.float32], start: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Of some rows from `start` on, the nearest others, (m, _FAR), and their squared distances, rising."""
    lengths = np.einsum("nd,nd->n", rows, rows)
    probes = np.arange(start, min(start + _PROBES, len(rows)))
    squares = (-2 * rows[probes]) @ rows.T
    squares += lengths
    squares += lengths[probes, None]
    squares[np.arange(len(probes)), probes] = np.inf
    few = np.argpartition(squares, _FAR - 1, axis=1)[:, :_FAR]
    near = np.clip(np.take_along_axis(squares, few, axis=1), 0, None)
    order = np.argsort(near, axis=1)
    return np.take_along_axis(few, order, axis=1), np.take_along_axis(near, order, axis=1)
