"""How many rows of a window may be new: all shares that are compatible with their ranks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SHARES: Final = np.array(
    [0, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
)
_N_BETWEEN: Final = 7
"""So many shares more are tried between two of these, where it matters."""
_LIKELY: Final = 1.92
"""Half the 95 % quantile of χ² with one degree of freedom: so much less likely, in logarithms, than the
likeliest share are those that are just compatible (Venzon & Moolgavkar 1988)."""
_N_REACHES: Final = 40
_N_BINS: Final = 120
_N_STEPS: Final = 150
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
    profile = _Profile(_triangles(at, n_known), counts)
    # What is known of ranks are counts of known rows, which have their own chance.
    weight = n_distinct / len(ranks) / (1 + n_distinct / n_known)
    least_likely = _LIKELY / weight
    likelihoods, mixtures = profile.of(_SHARES, np.full((len(_SHARES), _N_REACHES), 1 / _N_REACHES))
    # A likelihood that is concave in the share has one top, and crosses the bound once on each side of it.
    top = int(likelihoods.argmax())
    likely = np.flatnonzero(likelihoods >= likelihoods[top] - least_likely)
    gaps = [
        gap
        for gap in sorted({int(likely[0]) - 1, top - 1, top, int(likely[-1])})
        if 0 <= gap < len(_SHARES) - 1
    ]
    finer = np.concatenate(
        [np.linspace(_SHARES[gap], _SHARES[gap + 1], _N_BETWEEN + 2)[1:-1] for gap in gaps]
    )
    between, _ = profile.of(finer, np.repeat(mixtures[gaps], _N_BETWEEN, axis=0))
    shares, likelihoods = np.append(_SHARES, finer), np.append(likelihoods, between)
    order = np.argsort(shares)
    shares, below = shares[order], likelihoods[order] - likelihoods.max() + least_likely
    likely = np.flatnonzero(below >= 0)
    first, last = int(likely[0]), int(likely[-1])
    return _crossing(shares, below, first, first - 1), _crossing(shares, below, last, last + 1)


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


def _triangles(at: NDArray[np.float64], n_known: int) -> NDArray[np.float64]:
    """(ranks, reaches) the density of ranks of each triangle."""
    reaches = np.geomspace(2 / (n_known + 1), 1.0, _N_REACHES)
    # Ranks lie in the middle of their steps.
    gaps = np.maximum(reaches - (at - 0.5 / (n_known + 1))[:, None], 0.0)
    return np.asarray(2 * gaps / reaches**2)


@dataclass(frozen=True, eq=False)
class _Profile:
    """The likelihood of a share with the mixture of triangles that suits it best.

    Parameters
    ----------
    triangles
        (ranks, reaches) densities.
    counts
        (ranks,) rows.
    """

    triangles: NDArray[np.float64]
    counts: NDArray[np.float64]

    def of(
        self, shares: NDArray[np.float64], mixtures: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The logarithm of each share's likelihood and its mixture, by EM from `mixtures` on.

        `mixtures` are (shares, reaches), with a sum of 1.
        """
        triangles, share = self.triangles, shares[:, None]
        for _ in range(_N_STEPS):
            densities = np.maximum((1 - share) + share * (mixtures @ triangles.T), _LEAST)
            mixtures = mixtures * ((self.counts / densities) @ triangles)
            mixtures /= mixtures.sum(axis=1, keepdims=True)
        densities = np.maximum((1 - share) + share * (mixtures @ triangles.T), _LEAST)
        return np.log(densities) @ self.counts, mixtures


def _crossing(
    shares: NDArray[np.float64], below: NDArray[np.float64], inside: int, outside: int
) -> float:
    """Where between two neighbouring shares the bound is met."""
    if not 0 <= outside < len(shares):
        return float(shares[inside])
    part = below[inside] / (below[inside] - below[outside])
    return float(shares[inside] + part * (shares[outside] - shares[inside]))
