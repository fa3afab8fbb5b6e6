"""Pearson's X² of two rows of counts, and its moments when both come from one population."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def chi_square(baseline: NDArray[np.int64], window: NDArray[np.int64]) -> NDArray[np.float64]:
    """Pearson's X² of (..., k) tables: N n Σ (b/N − w/n)² / (b + w).

    Examples
    --------
    >>> round(float(chi_square(np.array([30, 10]), np.array([10, 30]))), 3)
    20.0
    """
    n_baseline = baseline.sum(axis=-1, keepdims=True)
    n_window = window.sum(axis=-1, keepdims=True)
    total = baseline + window
    gap = baseline / n_baseline - window / n_window
    terms = np.divide(gap**2, total, out=np.zeros_like(gap), where=total > 0)
    rows = n_baseline[..., 0].astype(np.float64) * n_window[..., 0]
    return np.asarray(terms.sum(axis=-1) * rows)


def chi_square_moments(
    baseline: NDArray[np.int64], window: NDArray[np.int64]
) -> tuple[float, float]:
    """Mean and variance of X² over all 2 × k tables with these margins (Dawson 1954).

    Both are 0 where fewer than two categories have rows.

    Examples
    --------
    >>> mean, variance = chi_square_moments(np.array([300, 300, 400]), np.array([30, 40, 30]))
    >>> round(mean, 3), round(variance, 2)
    (2.002, 3.97)
    """
    columns = (baseline + window).astype(np.float64)
    columns = columns[columns > 0]
    sides = np.array([baseline.sum(), window.sum()], dtype=np.float64)
    n = float(sides.sum())
    if len(columns) < 2 or n < 4:
        return 0.0, 0.0
    (v1, w1), (v2, w2) = (
        ((m - 1) * (n - m) / (n - 1), ((n / sizes).sum() - m**2) / (n - 2))
        for sizes, m in ((sides, 2), (columns, len(columns)))
    )
    mean = n / (n - 1) * (len(columns) - 1)
    variance = 2 * n / (n - 3) * (v1 - w1) * (v2 - w2) + n**2 / (n - 1) * w1 * w2
    return float(mean), float(max(variance, 0.0))
