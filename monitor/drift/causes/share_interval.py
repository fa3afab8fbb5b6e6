"""How many rows of a window may be new: all shares that are compatible with their ranks."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_SHARES: Final = np.concatenate(
    [[0.0, 0.002, 0.005], np.linspace(0.01, 0.1, 10), np.linspace(0.12, 1, 45)]
)
_LIKELY: Final = 1.92
"""Half the 95 % quantile of χ² with one degree of freedom: so much less likely, in logarithms, than the
likeliest share are those that are just compatible (Venzon & Moolgavkar 1988)."""
_N_REACHES: Final = 40
_N_BINS: Final = 120
_N_STEPS: Final = 60
_LEAST: Final = 1e-300


def share_interval(
    ranks: NDArray[np.float64], n_known: int, n_distinct: float
) -> tuple[float, float]:
    """The least and the largest share of new rows, of about 95 %, by profile likelihood.

    Old rows' ranks among known ones are uniform. The smaller a rank, the more rows of it are new, and less so
    the larger it is: their density falls and is convex, a mixture of triangles (Langaas, Lindqvist &
    Ferkingstad 2005). A share is as likely as the mixture that suits it best. Where new rows resemble known
    ones, many shares give the same ranks: then the interval is wide.

    Parameters
    ----------
    ranks
        (n,) in (0, 1], the share of known rows that look at least as new.
    n_known
        How many known rows there are.
    n_distinct
        How many of the n rows count as independent (see `independent_rows`).

    Returns
    -------
    Both in [0, 1].

    Examples
    --------
    >>> ranks = np.concatenate([np.full(20, 0.001), np.linspace(0, 1, 82)[1:-1]])
    >>> low, high = share_interval(ranks, 1_000, 100)
    >>> 0.1 < low < 0.2 < high < 0.6
    True
    """
    if not len(ranks):
        return 0.0, 1.0
    at, counts = _binned(ranks, n_known)
    # What is known of ranks are counts of known rows, which have their own chance.
    weight = n_distinct / len(ranks) / (1 + n_distinct / n_known)
    below = _LIKELY / weight - _losses(at, counts, n_known)
    likely = np.flatnonzero(below >= 0)
    first, last = int(likely[0]), int(likely[-1])
    return _crossing(below, first, first - 1), _crossing(below, last, last + 1)


def _binned(
    ranks: NDArray[np.float64], n_known: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean rank in each bin, and the rows in it; bins are the narrower the smaller the ranks."""
    edges = np.geomspace(1.5 / (n_known + 1), 1.0, _N_BINS)
    bins = np.searchsorted(edges, ranks)
    counts = np.bincount(bins, minlength=_N_BINS + 1).astype(np.float64)
    sums = np.bincount(bins, weights=ranks, minlength=_N_BINS + 1)
    is_filled = counts > 0
    return sums[is_filled] / counts[is_filled], counts[is_filled]


def _losses(
    at: NDArray[np.float64], counts: NDArray[np.float64], n_known: int
) -> NDArray[np.float64]:
    """(shares,) how much less likely each share is than the likeliest, in logarithms, by EM."""
    reaches = np.geomspace(2 / (n_known + 1), 1.0, _N_REACHES)
    # Ranks lie in the middle of their steps.
    gaps = np.maximum(reaches - (at - 0.5 / (n_known + 1))[:, None], 0.0)
    triangles = 2 * gaps / reaches**2
    weights = np.full(_N_REACHES, 1 / _N_REACHES)
    likelihoods = np.empty(len(_SHARES))
    for i, share in enumerate(_SHARES):
        # From where the last share's ended, but for those that had died out.
        weights = 0.99 * weights + 0.01 / _N_REACHES
        for _ in range(_N_STEPS if share else 0):
            density = (1 - share) + share * (triangles @ weights)
            weights = weights * ((share * counts / np.maximum(density, _LEAST)) @ triangles)
            weights /= weights.sum()
        density = (1 - share) + share * (triangles @ weights)
        likelihoods[i] = counts @ np.log(np.maximum(density, _LEAST))
    return np.asarray(likelihoods.max() - likelihoods)


def _crossing(below: NDArray[np.float64], inside: int, outside: int) -> float:
    """Where between two neighbouring shares the bound is met."""
    if not 0 <= outside < len(_SHARES):
        return float(_SHARES[inside])
    part = below[inside] / (below[inside] - below[outside])
    return float(_SHARES[inside] + part * (_SHARES[outside] - _SHARES[inside]))
