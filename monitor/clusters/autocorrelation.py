"""How alike windows are that follow each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.baseline_rows import BaselineRows
from monitor.clusters.replayed_windows import N_LAGS
from monitor.clusters.scatter import Scatter
from monitor.clusters.strata import stratum_means

LEAST_PAIRS: Final = 4
"""From fewer windows that follow each other nothing is learned."""
_MOMENT_ROWS: Final = 4_000
_MOST_CORRELATED: Final = 0.95


@dataclass(frozen=True, eq=False)
class Autocorrelation:
    """How alike windows are that lie near each other.

    Parameters
    ----------
    lags
        (N_LAGS,) the correlation of the true means of windows that lie so many windows apart.
    z
        By how many standard deviations of independent rows neighbours are more alike than these.
    """

    lags: NDArray[np.float64]
    z: float


UNRELATED: Final = Autocorrelation(np.zeros(N_LAGS), 0.0)
"""Of windows of which nothing is known."""


def autocorrelation(rows: BaselineRows, masks: Sequence[NDArray[np.bool_]]) -> Autocorrelation:
    """The correlations of windows that follow each other.

    Parameters
    ----------
    rows
        All rows of the baseline.
    masks
        Of rows that are compared with each other only; their means may differ.
    """
    members = np.flatnonzero(np.logical_or.reduce(masks) & (rows.windows >= 0))
    numbers, index, sizes = np.unique(
        rows.windows[members], return_inverse=True, return_counts=True
    )
    if len(numbers) <= LEAST_PAIRS:
        return UNRELATED
    moments = Scatter.of(rows.vectors[members[:_MOMENT_ROWS]]).two_moments()
    parts = np.split(members[np.argsort(index, kind="stable")], np.cumsum(sizes)[:-1])
    # Window by window: a copy of all rows would take longer than all sums.
    means = np.stack([rows.vectors[part].mean(axis=0, dtype=np.float64) for part in parts])
    if len(rows.strata):
        of_strata = stratum_means(rows, members)
        means -= np.stack([of_strata[rows.strata[part]].mean(axis=0) for part in parts])
    for of_mask in masks if len(masks) > 1 else ():
        in_season = np.isin(numbers, np.unique(rows.windows[of_mask]))
        means[in_season] -= means[in_season].mean(axis=0)
    return autocorrelation_of_means(means, sizes, numbers, moments)


def autocorrelation_of_means(
    means: NDArray[np.float64],
    sizes: NDArray[np.int64],
    numbers: NDArray[np.int64],
    moments: NDArray[np.float64],
) -> Autocorrelation:
    """The correlations of windows by the means of their vectors.

    Means of n rows vary by tr B + tr Σ / n, those of windows a lag apart together by r tr B. What B's own
    size is not known by is added to it, so that windows that hardly differ have hardly any r. As the mean of
    few windows follows them, each r is too small by the variance of that mean, which is added (Kendall 1954).
    Lags count while sums of two neighbours are positive and fall, as they do in truth; what comes later is
    noise (the initial monotone sequence; Geyer 1992).

    Parameters
    ----------
    means
        (n_windows, width)
    sizes, numbers
        (n_windows,) int64: rows of each, and its number, rising; neighbours have numbers one apart.
    moments
        tr Σ, tr Σ² and more of the rows.
    """
    n = len(numbers)
    if n <= LEAST_PAIRS or not moments[0] > 0:
        return UNRELATED
    means = means - means.mean(axis=0)
    noise = float((moments[0] / sizes).mean())
    between = max(float((means**2).sum(axis=1).mean()) - noise, 0.0)
    unknown = noise * float(np.sqrt(2 * moments[1] / moments[0] ** 2 / n))
    together, z = np.zeros(N_LAGS), 0.0
    for lag in range(1, min(N_LAGS, n // 2) + 1):
        at = np.searchsorted(numbers, numbers + lag)
        pairs = np.flatnonzero((at < n) & (numbers[np.minimum(at, n - 1)] == numbers + lag))
        if len(pairs) < LEAST_PAIRS:
            break
        together[lag - 1] = np.einsum("wd,wd->w", means[pairs], means[at[pairs]]).mean()
        if lag == 1:
            # Means of independent rows vary by tr Σ / n, and products of two by tr Σ² / n².
            spread = noise * float(np.sqrt(moments[1]) / moments[0]) / np.sqrt(len(pairs))
            z = float((together[0] + noise / n) / spread)
    r = together / (between + unknown)
    if r[0] <= 0:
        return Autocorrelation(np.zeros(N_LAGS), z)
    first = min(float(r[0]), _MOST_CORRELATED)
    of_mean = min((1 + first) / (1 - first) / n, 0.5) * between / (between + unknown)
    return Autocorrelation(_initial_sequence(np.where(together != 0, r + of_mean, 0.0)), z)


def _initial_sequence(r: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lags of `r` whose sums in pairs, (0, 1), (2, 3), …, are positive and fall; 0 for all others.

    Examples
    --------
    >>> lags = np.zeros(N_LAGS)
    >>> lags[:6] = 0.5, 0.25, 0.3, -0.1, 0.05, 0.4
    >>> _initial_sequence(lags)[:7].round(2).tolist()
    [0.5, 0.25, 0.3, 0.0, 0.0, 0.0, 0.0]
    """
    pairs = np.concatenate([[1.0], np.clip(r, None, _MOST_CORRELATED)])
    pairs = np.append(pairs, 0.0) if len(pairs) % 2 else pairs
    sums = pairs.reshape(-1, 2).sum(axis=1)
    is_over = np.logical_or.accumulate(sums <= 0)
    lowest = np.minimum.accumulate(np.where(is_over, 0.0, sums))
    scaled = np.divide(lowest, sums, out=np.zeros_like(sums), where=~is_over)
    kept = pairs.reshape(-1, 2) * scaled[:, None]
    return np.asarray(np.where(is_over[:, None], 0.0, kept).ravel()[1 : len(r) + 1])
