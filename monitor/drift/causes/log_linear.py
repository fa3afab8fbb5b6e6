"""Do some groups of rows carry more of a shift than others? A bootstrap test."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.drift.monte_carlo import TOLERANCE, simulate

_N_CYCLES: Final = 12
"""Of proportional fitting. Observed and drawn tables stop at the same number, to stay comparable."""
_N_DRAWS_AT_ONCE: Final = 100
_MOST_DRAWS: Final = 1_000
_ENOUGH: Final = 10


def common_shift(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """The expected counts if every group shifts alike, odds for odds.

    The log-linear model without three-way interaction (Bartlett 1935; Birch 1963): it keeps the
    margins sample × group, sample × cluster and group × cluster, and is found by iterative
    proportional fitting (Deming & Stephan 1940). In it, shares in group v move from p(k|v) to
    p(k|v) r(k) / Σ p(k|v) r(k), with one r for all groups.

    Parameters
    ----------
    tables
        (..., 2, n_groups, n_clusters) counts ≥ 0 of baseline and window.

    Returns
    -------
    (..., 2, n_groups, n_clusters) float64 ≥ 0, with the sums over clusters of `tables`.

    Examples
    --------
    >>> alike = np.array([[[30.0, 10.0], [10.0, 30.0]], [[15.0, 15.0], [5.0, 45.0]]])
    >>> common_shift(alike).round(6).tolist() == alike.tolist()
    True
    """
    fitted = np.ones_like(tables)
    for _ in range(_N_CYCLES):
        for axis in (-3, -2, -1):
            sums = fitted.sum(axis=axis, keepdims=True)
            wanted = tables.sum(axis=axis, keepdims=True)
            fitted *= np.divide(wanted, sums, out=np.zeros_like(sums), where=sums > 0)
    return fitted


def shift_direction(
    baseline: NDArray[np.float64], window: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(..., n_clusters) float64 in [−2, 2]: (q − p) / m of the shares p and q, with m = (p + q) / 2.

    Σ (q − p)² / m is the squared distance, so that the mean of this over some rows, less that over
    others, is their part in it.

    Examples
    --------
    >>> shift_direction(np.array([5, 5, 0]), np.array([3, 3, 6])).round(2).tolist()
    [-0.67, -0.67, 2.0]
    """
    p = baseline / baseline.sum(axis=-1, keepdims=True)
    q = window / window.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(2 * (q - p), p + q, out=np.zeros_like(p), where=p + q > 0))


def uneven_shift_p_values(
    tables: NDArray[np.int64], *, rng: np.random.Generator
) -> NDArray[np.float64]:
    """For each group, whether it carries more, or less, of the shift than a common one would give it.

    The statistic is Σ d(k) (n(k) − f(k)) over the clusters: the group's window rows n beyond those f of
    `common_shift`, along `shift_direction` d. It is standardised by the mean and the standard deviation
    that it has in tables drawn from the fitted model, each of which is fitted anew (the parametric
    bootstrap: few rows and empty cells do no harm). The farthest of a drawn table's values is what each
    group's is held against (Westfall & Young 1993, single step), so that the p-values are adjusted for
    the number of groups, and their least is the p-value of the column.

    Parameters
    ----------
    tables
        (2, n_groups, n_clusters) int64, counts of baseline and window; each group has rows in both.
    rng
        Draws the tables.

    Returns
    -------
    (n_groups,) float64 in (0, 1], not below 1 / 1001.
    """
    observed = tables.astype(np.float64)
    fitted = common_shift(observed)
    surplus = _surplus(observed, fitted)
    sizes = tables.sum(axis=-1)
    # Rounding must not leave a sum of shares above 1.
    shares = fitted / fitted.sum(axis=-1, keepdims=True)

    def draw(n: int) -> NDArray[np.float64]:
        again = rng.multinomial(sizes, shares, size=(n, *sizes.shape)).astype(np.float64)
        return _surplus(again, common_shift(again))

    def reached(drawn: NDArray[np.float64]) -> NDArray[np.int64]:
        everything = np.concatenate([surplus[None], drawn])
        spread = everything.std(axis=0)
        scores = np.abs(everything - everything.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        farthest = scores[1:].max(axis=1)
        return np.asarray((farthest[:, None] >= scores[0] - TOLERANCE).sum(axis=0))

    return simulate(
        draw,
        reached,
        first=draw(_N_DRAWS_AT_ONCE),
        most=_MOST_DRAWS,
        batch=_N_DRAWS_AT_ONCE,
        enough=_ENOUGH,
    ).p_values


def _surplus(tables: NDArray[np.float64], fitted: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., n_groups): the window's rows beyond the fitted ones, along the shift."""
    margins = tables.sum(axis=-2)
    along = shift_direction(margins[..., 0, :], margins[..., 1, :])
    beyond = tables[..., 1, :, :] - fitted[..., 1, :, :]
    return np.asarray((beyond @ along[..., None])[..., 0])
