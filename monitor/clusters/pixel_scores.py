"""Pixel statistics as scores whose means can be compared: ranks, how far out they are, missing ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

N_SCORES: Final = 3
"""Of each field: its rank less its mean, the square of that, and whether it is missing."""
_CAUTION: Final = 4.0
"""So many more of the most extreme rows are taken to exist than were met: else one row with a value that the
baseline happens to lack would be significant."""
_SHRINKAGE: Final = 0.05
"""Of correlations towards 0, so that fields which say the same do not outweigh the rest."""


@dataclass(frozen=True, eq=False)
class PixelDifference:
    """The squared distance of two sets of rows in pixel scores, in coordinates of equal weight.

    Parameters
    ----------
    statistic
        Δᵀ (D R D)⁻¹ Δ, with Δ the difference of mean scores, D their standard deviations over all rows, and R
        the baseline's correlations.
    moments
        (3,) such that the statistic of independent rows is distributed like f Σ λⱼ χ²₁ with these sums of
        powers of λ; NaN where nothing varies.
    ranks
        (n_fields,) by how much the mean rank, in (0, 1), rose.
    rank_variances
        (n_fields,) the variance of a row's rank.
    n_baseline, n_window
        Rows.
    """

    statistic: float
    moments: NDArray[np.float64]
    ranks: NDArray[np.float64]
    rank_variances: NDArray[np.float64]
    n_baseline: int
    n_window: int

    @classmethod
    def of(
        cls,
        baseline: NDArray[np.int64],
        window: NDArray[np.int64],
        correlations: NDArray[np.float64],
    ) -> PixelDifference:
        """Of (n_fields, bins + 1) counts, those of missing values last."""
        n_fields = len(baseline)
        n_baseline, n_window = int(baseline[:1].sum()), int(window[:1].sum())
        n_all = n_baseline + n_window
        scores = bin_scores(baseline + window)
        moved = np.einsum("fb,fbs->fs", window, scores) / max(n_window, 1) - np.einsum(
            "fb,fbs->fs", baseline, scores
        ) / max(n_baseline, 1)
        shares = (baseline + window) / max(n_all, 1)
        variances = np.einsum("fb,fbs->fs", shares, scores**2)
        variances += _CAUTION / max(n_all, 1) * (np.abs(scores).max(axis=1) ** 2)
        varies = (variances > 0).ravel()
        if not (varies.any() and n_baseline and n_window):
            nothing = np.zeros(n_fields)
            return cls(0.0, np.full(3, np.nan), nothing, nothing, n_baseline, n_window)
        z = (moved / np.sqrt(np.where(variances > 0, variances, 1.0))).ravel()[varies]
        matrix = correlations[np.ix_(varies, varies)]
        eigenvalues, axes = np.linalg.eigh(matrix)
        eigenvalues = np.clip(eigenvalues, 0.0, None)
        weights = 1 / ((1 - _SHRINKAGE) * eigenvalues + _SHRINKAGE)
        each = eigenvalues * weights
        return cls(
            statistic=float(((z @ axes) ** 2 * weights).sum()),
            moments=np.array([each.sum(), (each**2).sum(), (each**3).sum()]),
            ranks=moved[:, 0],
            rank_variances=variances[:, 0],
            n_baseline=n_baseline,
            n_window=n_window,
        )


def bin_scores(totals: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n_fields, bins + 1, N_SCORES): the scores of rows in each bin, their means over all rows taken off.

    Parameters
    ----------
    totals
        (n_fields, bins + 1) counts, those of missing values last. These have the mean rank.
    """
    known = totals[:, :-1].astype(np.float64)
    n_known = np.maximum(known.sum(axis=1, keepdims=True), 1.0)
    ranks = (np.cumsum(known, axis=1) - known / 2) / n_known
    scores = np.zeros((*totals.shape, N_SCORES))
    scores[:, :-1, 0] = ranks - 0.5  # whose mean over the known rows is 0
    squares = scores[:, :-1, 0] ** 2
    scores[:, :-1, 1] = squares - (squares * known).sum(axis=1, keepdims=True) / n_known
    is_missing = totals[:, -1:] / np.maximum(totals.sum(axis=1, keepdims=True), 1)
    scores[:, :, 2] = -is_missing
    scores[:, -1, 2] += 1
    # What no row has stands for nothing.
    return np.asarray(np.where(totals[:, :, None] > 0, scores, 0.0))


def correlations(bins: NDArray[np.int64], n_bins: int) -> NDArray[np.float64]:
    """(n_fields · N_SCORES)²: how the scores of rows, (n, n_fields) bins of `n_bins`, correlate."""
    n, n_fields = bins.shape
    counts = np.stack([np.bincount(column, minlength=n_bins) for column in bins.T])
    scores = bin_scores(counts)
    rows = np.concatenate([scores[field, bins[:, field]] for field in range(n_fields)], axis=1)
    spread = np.sqrt((rows**2).sum(axis=0) / max(n, 1))
    rows /= np.where(spread > 0, spread, 1.0)
    matrix = rows.T @ rows / max(n, 1)
    np.fill_diagonal(matrix, 1.0)
    return np.asarray(matrix)
