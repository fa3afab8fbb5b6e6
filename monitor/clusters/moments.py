"""The spectrum of a covariance matrix in three numbers, without the bias of a finite sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def spectral_moments(
    vectors: NDArray[np.float64], *, n_means: int | None = None
) -> NDArray[np.float64]:
    """tr Σ, tr Σ² and tr Σ³ of the covariance Σ that the rows of `vectors` were drawn from.

    The plain traces of the sample covariance S grow with width / n. The second is unbiased under
    normality (Bai & Saranadasa 1996, eq. 3.5); the third removes the leading terms of
    E tr S³ = tr Σ³ (1 + 3/m) + 3 tr Σ tr Σ² / m + (tr Σ)³ / m² with m = n − 1, and is kept above its
    Cauchy–Schwarz bound (tr Σ²)² / tr Σ.

    Parameters
    ----------
    vectors
        (n, width) float64.
    n_means
        How many means, of as many groups of rows, were already taken off; by default none, and that of
        all rows is.

    Returns
    -------
    (3,) float64; NaN when there are fewer than 3 rows more than means.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(scale=2, size=(400, 200))
    >>> (spectral_moments(rows) / [200 * 4, 200 * 16, 200 * 64]).round(1).tolist()
    [1.0, 1.0, 1.0]
    """
    m = len(vectors) - (n_means or 1)
    if m < 3:
        return np.full(3, np.nan)
    return moments_of(vectors if n_means else vectors - vectors.mean(axis=0), m)


def moments_of(
    matrix: NDArray[np.float64], m: int, *, is_scatter: bool = False
) -> NDArray[np.float64]:
    """The same of rows whose means were taken off, (n, width), or of the sum of their outer products.

    Parameters
    ----------
    matrix
        The rows, or that sum, (width, width), if `is_scatter`.
    m
        How many rows more than means there are.
    is_scatter
        Which of the two `matrix` is.
    """
    if m < 3:
        return np.full(3, np.nan)
    gram = _gram(matrix, m, is_scatter=is_scatter)
    first = float(np.trace(gram))
    squared = gram @ gram
    second = _second(first, float(np.trace(squared)), m)
    plain_third = float(np.einsum("ij,ji->", squared, gram))
    third = (plain_third - 3 * first * second / m - first**3 / m**2) / (1 + 3 / m)
    lower_bound = second**2 / first if first > 0 else 0.0
    return np.array([first, second, max(third, lower_bound)])


def two_moments_of(
    matrix: NDArray[np.floating], m: int, *, is_scatter: bool = False
) -> NDArray[np.float64]:
    """(2,) the first two, without the product of two matrices that the third takes."""
    if m < 3:
        return np.full(2, np.nan)
    gram = _gram(matrix, m, is_scatter=is_scatter)
    first = float(np.trace(gram, dtype=np.float64))
    # tr S² = Σ Sᵢⱼ², S being symmetric.
    return np.array([first, _second(first, float(np.vdot(gram, gram)), m)])


def _gram(matrix: NDArray[Any], m: int, *, is_scatter: bool) -> NDArray[Any]:
    if is_scatter:
        return np.asarray(matrix / m)
    # The smaller of the two Gram matrices has the same traces.
    is_wide = matrix.shape[0] < matrix.shape[1]
    return np.asarray((matrix @ matrix.T if is_wide else matrix.T @ matrix) / m)


def _second(first: float, plain_second: float, m: int) -> float:
    return max(m**2 / ((m - 1) * (m + 2)) * (plain_second - first**2 / m), 1e-12 * first**2)
