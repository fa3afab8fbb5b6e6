"""How many rows of a window are new, and how likely each is, from their ranks among known rows."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_DEVIATIONS: Final = 3.0
"""Standard errors that a surplus must exceed. Dozens of thresholds are looked at and the best one taken, of
correlated counts: the largest of them lies about three standard errors off by chance alone."""
_THRESHOLDS: Final = np.concatenate([[0.002, 0.005, 0.01], np.linspace(0.02, 0.7, 35)])
"""Ranks above which only old rows are counted; above 0.7 too few are left to count."""
_PARTS: Final = np.linspace(0.05, 0.5, 19)
_Z: Final = 1.96


def independent_rows(rows: NDArray[np.float32]) -> float:
    """How many rows count as independent (Kish 1965): copies of a row are no further evidence."""
    counts = np.unique(rows, axis=0, return_counts=True)[1]
    return float(len(rows) ** 2 / (counts.astype(np.float64) ** 2).sum())


def mixture_share(ranks: NDArray[np.float64], n_known: int, n_distinct: float) -> float:
    """The share of new rows among rows with these ranks, in [0, 1].

    Old rows' ranks among the known rows' are uniform and new rows' tend to be small, so with π the share of
    new rows 1 − π ≤ P(rank > λ) / (1 − λ) for any λ (Storey 2002, of p-values). A small λ counts nearly all
    rows, and errs little; a large one leaves out new rows that look half familiar. Taken is the λ whose
    score bound (Wilson 1927) is lowest: new rows that are unlike anything known are counted to the row, and
    a surplus that chance may give is not counted.

    Parameters
    ----------
    ranks
        (n,) in (0, 1], the share of known rows that look at least as new.
    n_known
        How many known rows there are.
    n_distinct
        How many of the n rows count as independent (see `independent_rows`).

    Examples
    --------
    >>> ranks = np.concatenate([np.full(20, 0.001), np.linspace(0, 1, 82)[1:-1]])
    >>> round(mixture_share(ranks, 1_000, 100), 2)
    0.2
    """
    above = (ranks[:, None] > _THRESHOLDS).mean(axis=0)
    old = above / (1 - _THRESHOLDS)
    # Of old rows alone: which rows are new is what is asked, not what is drawn.
    variance = _THRESHOLDS / (1 - _THRESHOLDS) * (1 / max(n_distinct, 1.0) + 1 / n_known)
    best = int(np.argmin(_bound(old, variance, _DEVIATIONS)))
    return float(np.clip(1 - old[best], 0.0, 1.0))


def least_left(window: NDArray[np.float64], known: NDArray[np.float64], n_distinct: float) -> float:
    """Of a part of the known rows, how much of its share the window still has at most, where that is least.

    Parameters
    ----------
    window, known
        (n,) and (m,) scores that are smaller the less a row looks like the window's: a twentieth to a half
        of the known rows with the smallest are looked at.
    n_distinct
        As `mixture_share` takes it.

    Returns
    -------
    The lowest upper bound, ≥ 0: near 0 where something has vanished; where one kind of rows has only
    grown, all others keep the same part of their shares.
    """
    edges = np.quantile(known, _PARTS)
    parts = np.searchsorted(np.sort(known), edges, side="right") / len(known)
    left = np.searchsorted(np.sort(window), edges, side="right") / len(window) / parts
    variance = (1 - parts) / parts * (1 / max(n_distinct, 1.0) + 1 / len(known))
    return float(_bound(left, variance, _Z).min())


def _bound(
    share: NDArray[np.float64], variance: NDArray[np.float64], z: float
) -> NDArray[np.float64]:
    """The largest true share u with u − z √(u · variance) ≤ share."""
    half = z * z * variance / 2
    return np.asarray(share + half + np.sqrt(half**2 + z * z * variance * share))


def posteriors(
    ranks: NDArray[np.float64], share: float, n_known: int, n_distinct: float
) -> NDArray[np.float64]:
    """(n,) float64 in [0, 1], how likely each row is new: one less its local false discovery rate.

    Efron et al. (2001): P(new | rank) = 1 − (1 − π) / g(rank), g the density of the ranks. As new rows look
    newer, g falls: it is the slope of the least concave majorant of the ranks' distribution (Grenander
    1956). Where few rows are, chance makes that too steep; so from the counts is taken what chance may have
    added.

    Parameters
    ----------
    ranks, n_known, n_distinct
        As `mixture_share` takes them.
    share
        π.
    """
    n = len(ranks)
    at, counts = np.unique(ranks, return_counts=True)
    up_to = np.cumsum(counts).astype(np.float64)
    old = (1 - share) * n * at
    # Copies come and go together, and known ranks are counts, too.
    chance = np.sqrt(old * (n / max(n_distinct, 1.0) + n / n_known))
    x = np.concatenate([[0.0], at])
    y = np.concatenate([[0.0], up_to - _DEVIATIONS * chance])
    if x[-1] < 1.0:
        x, y = np.append(x, 1.0), np.append(y, float(n))
    slopes = _concave_slopes(x, y)[np.searchsorted(x, ranks) - 1]
    with np.errstate(divide="ignore"):
        is_old = np.where(slopes > 0, (1 - share) * n / np.maximum(slopes, 1e-12), 1.0)
    return np.asarray(np.clip(1 - is_old, 0.0, 1.0))


def _concave_slopes(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The slope, in each interval of rising x, of the least concave function above all points."""
    from sklearn.isotonic import IsotonicRegression

    widths = np.diff(x)
    model = IsotonicRegression(increasing=False)
    # Slopes pooled where they rise, weighted by width, are the majorant's (Robertson et al. 1988).
    return np.asarray(
        model.fit_transform(np.arange(len(widths)), np.diff(y) / widths, sample_weight=widths)
    )
