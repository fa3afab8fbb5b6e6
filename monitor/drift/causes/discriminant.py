"""Two sides' rows told apart, each row by a classifier that has not seen it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

_N_FOLDS: Final = 10
_N_REPEATS: Final = 3
"""Ways to deal rows to folds that scores are averaged over: one way alone moves them by chance."""
_N_LANDMARKS: Final = 256
"""Rows that all others are compared with; with all rows scores are no better, at five times the cost."""
_SHARE: Final = 0.2
"""The share of new rows that the classifier's strength is made for. Where a share π of one side is new, and
nothing else tells the sides apart, R² = π / (2 − π) of ±1 can be told. The rest is noise, 2 (1 − π) / π times
as much: 8 times at a fifth, where rows are neither plain to see nor out of reach."""
_NOISE: Final = 2 * (1 - _SHARE) / _SHARE
_MAX_AXES: Final = 64
"""Directions of the baseline that the linear one sees: more would only be learned by heart from few rows."""
_SHRINKAGE: Final = 0.1
"""Of the covariance, in units of a whitened direction's variance, as both sides together weigh 2: much, since
a window has hardly more rows than directions."""
_LEVEL: Final = 10.0
"""The variance of the level, in the unit of the kernel: large, as nothing is known of it."""


def kernel_discriminant(
    window: NDArray[np.float32], known: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cross-fitted scores of both sides' rows, the larger the more a row is of the window.

    Ridge regression of the side, ±1, on a Gaussian kernel as wide as the median distance of rows (Gretton
    et al. 2012): Fisher's discriminant in the kernel's features (Mika et al. 1999), of which Nyström's
    approximation on some rows of both sides is taken (Williams & Seeger 2001). It sees new rows wherever
    they are; `linear_discriminant` sees where the mean went.

    Parameters
    ----------
    window
        (n, width) float32.
    known
        (m, width) float32.
    rng
        Draws the landmarks and deals the rows to folds.

    Returns
    -------
    (n,) and (m,) float64, about −1 to 1; all 0 where a side has no row.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> known = rng.normal(size=(200, 4)).astype(np.float32)
    >>> window = rng.normal(size=(100, 4)).astype(np.float32)
    >>> window[:50] += 3
    >>> of_window, of_known = kernel_discriminant(window, known, rng)
    >>> bool(np.median(of_window[:50]) > np.quantile(of_known, 0.99))
    True
    """
    if not len(window) or not len(known):
        return np.zeros(len(window)), np.zeros(len(known))
    features = _kernel_features(np.concatenate([window, known]), len(window), rng)
    noise = np.full(features.shape[1], 2 * _NOISE / len(features))
    return _cross_fitted(window, known, features, noise, np.ones(len(known)), rng)


def linear_discriminant(
    window: NDArray[np.float32],
    known: NDArray[np.float32],
    rng: np.random.Generator,
    weights: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same, but that it sees only along which of the known rows' directions the mean moved.

    Ridge regression of the side on the baseline's whitened directions: Fisher's discriminant with a
    shrunken covariance. `weights`, (m,) ≥ 0, say how much each known row counts; all count alike by
    default. Both sides weigh the same.
    """
    weights = np.ones(len(known)) if weights is None else weights
    if not len(window) or not weights.sum() > 0:
        return np.zeros(len(window)), np.zeros(len(known))
    centred = known.astype(np.float64) - known.mean(axis=0, dtype=np.float64)
    eigenvalues, vectors = np.linalg.eigh(centred.T @ centred / len(known))
    eigenvalues, vectors = eigenvalues[::-1][:_MAX_AXES], vectors[:, ::-1][:, :_MAX_AXES]
    ridge = max(float(np.square(centred).sum(axis=1).mean() / known.shape[1]), 1e-12)
    axes = vectors / np.sqrt(np.clip(eigenvalues, 0, None) + ridge)
    rows = (np.concatenate([window, known]) - known.mean(axis=0)) @ axes
    rows = np.column_stack([rows, np.ones(len(rows))])
    penalty = np.append(np.full(rows.shape[1] - 1, _SHRINKAGE), 0.0)
    return _cross_fitted(window, known, rows, penalty, weights, rng)


def _cross_fitted(
    window: NDArray[np.float32],
    known: NDArray[np.float32],
    features: NDArray[np.float64],
    penalty: NDArray[np.float64],
    weights: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ridge regression of the side on features; folds need no more than the sums of the others."""
    counts = np.concatenate([np.full(len(window), 1 / len(window)), weights / weights.sum()])
    sides = np.where(np.arange(len(counts)) < len(window), 1.0, -1.0)
    scores = np.zeros(len(counts))
    for folds in _dealt(window, known, rng):
        parts = [features[folds == fold] for fold in range(_N_FOLDS)]
        weighed = [counts[folds == fold, None] * part for fold, part in enumerate(parts)]
        grams = [part.T @ weighed[fold] for fold, part in enumerate(parts)]
        sums = [weighed[fold].T @ sides[folds == fold] for fold in range(_N_FOLDS)]
        whole = sum(grams) + np.diag(penalty)
        for fold in range(_N_FOLDS):
            model = np.linalg.solve(whole - grams[fold], sum(sums) - sums[fold])
            scores[folds == fold] += parts[fold] @ model / _N_REPEATS
    return scores[: len(window)], scores[len(window) :]


def _kernel_features(
    rows: NDArray[np.float32], n_window: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(rows, features) whose inner products are the kernel; the last one is the level."""
    of_window = rng.permutation(n_window)[: _N_LANDMARKS // 2]
    of_known = n_window + rng.permutation(len(rows) - n_window)[: _N_LANDMARKS - len(of_window)]
    at = np.concatenate([of_window, of_known])
    lengths = np.einsum("nd,nd->n", rows, rows, dtype=np.float64)
    squares = lengths[:, None] + lengths[at] - 2.0 * (rows @ rows[at].T)
    width = max(float(np.median(squares[n_window:])), 1e-12)
    kernel = np.exp(-np.maximum(squares, 0.0) / width)
    eigenvalues, vectors = np.linalg.eigh(kernel[at])
    # Of directions that landmarks nearly lack, rounding would be all there is.
    features = kernel @ (vectors / np.sqrt(np.maximum(eigenvalues, 1e-6)))
    return np.column_stack([features, np.full(len(rows), np.sqrt(_LEVEL))])


def _dealt(
    window: NDArray[np.float32], known: NDArray[np.float32], rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """`_N_REPEATS` times, the fold of each row of both sides; copies of one row share theirs.

    Each fold has its part of either side: where it had more of one, what is left would lean to the other,
    and rows would be told apart by their folds.
    """
    copies = np.unique(np.concatenate([window, known]), axis=0, return_inverse=True)[1].ravel()
    is_of_window = np.zeros(int(copies.max()) + 1, dtype=bool)
    is_of_window[copies[: len(window)]] = True
    for _ in range(_N_REPEATS):
        folds = np.empty(len(is_of_window), dtype=np.int64)
        for side in (is_of_window, ~is_of_window):
            folds[side] = rng.permutation(int(side.sum())) % _N_FOLDS
        yield folds[copies]
