"""Two means compared as if rows were dealt to the sides at random, whatever their distribution."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.drift.mean_null import MeanNull

_MOST_PAIRED: Final = 500
"""So many rows tell the mean cube of two rows' inner product."""


def dealt_null(
    window: NDArray[np.floating], others: NDArray[np.floating]
) -> tuple[float, MeanNull]:
    """‖x̄ − ȳ‖² of the two sides, and its distribution when all rows are dealt to them at random.

    Nothing is drawn, so that the same rows always give the same p-value: a χ² with three moments stands for
    the distribution over all deals (Josse, Pagès & Husson 2008). The first two are exact; the third is that
    of independent rows, with the terms that heavy tails add.

    Parameters
    ----------
    window, others
        (n, width) and (m, width), the rows of both sides; n + m ≥ 4.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> calm, moved = rng.normal(size=(300, 8)), rng.normal(size=(40, 8)) + 0.4
    >>> statistic, null = dealt_null(moved, calm)
    >>> null.p_value(statistic) < 0.001
    True
    """
    n, m = len(window), len(others)
    total = n + m
    rows = np.concatenate([window, others]).astype(np.float64)
    rows -= rows.mean(axis=0)
    f = 1 / n + 1 / m
    moved = rows[:n].sum(axis=0) * f  # the sums of both sides are one vector, with two signs
    squares = np.einsum("nd,nd->n", rows, rows)
    products = rows.T @ rows
    trace, second = float(squares.sum()), float((products**2).sum())
    mean = n * m / (total * (total - 1)) * trace
    variance = max(_mean_square(trace, float(squares @ squares), second, n, total) - mean**2, 0.0)
    third = _third(rows, squares, products, n)
    return float(moved @ moved), MeanNull(
        np.array([f**2 * mean, f**4 * variance / 2, max(third, 0.0) / 8])
    )


def _mean_square(trace: float, fourth: float, second: float, n: int, total: int) -> float:
    """E (sᵀ G s)² over the sets s of n of all rows, G their Gram matrix, whose rows sum to 0.

    A sum over four indices, by how many of them differ: `trace` is Σ Gᵢᵢ, `fourth` Σ Gᵢᵢ², `second` Σ Gᵢⱼ².
    """
    share, result = 1.0, 0.0
    for distinct, terms in enumerate(
        (
            fourth,
            trace**2 + 2 * second - 7 * fourth,
            -2 * trace**2 - 4 * second + 12 * fourth,
            trace**2 + 2 * second - 6 * fourth,
        )
    ):
        share *= (n - distinct) / (total - distinct)
        result += share * terms
    return result


def _third(
    rows: NDArray[np.float64], squares: NDArray[np.float64], products: NDArray[np.float64], n: int
) -> float:
    """The third cumulant of ‖Σ wᵢ zᵢ‖² of independent zᵢ, with w = 1/n on one side and −1/m on the other.

    S₆ κ₃(‖z‖²) + 12 (S₄ S₂ − S₆) E (‖z‖² − t) zᵀΣz + 4 (S₃² − S₆) E (z·z′)³ + 8 (S₂³ − 3 S₄ S₂ + 2 S₆) tr Σ³
    with Sₖ = Σ wᵢᵏ: the sum over pairs of indices in three factors, by which of them are equal.
    """
    total = len(rows)
    m = total - n
    s2, s3 = 1 / n + 1 / m, 1 / n**2 - 1 / m**2
    s4, s6 = 1 / n**3 + 1 / m**3, 1 / n**5 + 1 / m**5
    covariance = products / total
    excess = squares - squares.mean()
    longer = float((excess * np.einsum("nd,nd->n", rows @ covariance, rows)).mean())
    # The window's rows, which come first, are as likely as others: every so many-th row is taken.
    few = rows[:: -(-total // _MOST_PAIRED)]
    pairs = few @ few.T
    np.fill_diagonal(pairs, 0.0)
    cubes = float((pairs * pairs * pairs).sum() / (len(few) * (len(few) - 1)))
    cubed = float(np.einsum("ij,ji->", covariance @ covariance, covariance))
    return (
        s6 * float((excess**3).mean())
        + 12 * (s4 * s2 - s6) * longer
        + 4 * (s3**2 - s6) * cubes
        + 8 * (s2**3 - 3 * s4 * s2 + 2 * s6) * cubed
    )
