"""A shift of cluster shares, taken apart exactly: another mix of a column's values, and each value's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.drift.causes.log_linear import shift_direction


@dataclass(frozen=True, eq=False)
class ShiftParts:
    """The parts of a squared distance, free of what sampling adds to each.

    Parameters
    ----------
    mix
        The part of the mix of values.
    own
        (n_values,) float64, the part of each value's own movement. Negative: it moves against the rest.

    `mix` and `own` add up to 1. All are 0 when chance alone gives as large a distance.
    """

    mix: float
    own: NDArray[np.float64]


def split_shift(
    baseline: NDArray[np.int64], window: NDArray[np.int64], stand_in: NDArray[np.int64]
) -> ShiftParts:
    """Split ‖q − p‖² = Σ (q − p)² / m, m = (p + q) / 2, over the values of a column.

    With a(v), b(v) the values' shares of the rows and p(·|v), q(·|v) their cluster shares (Kitagawa 1955;
    Oaxaca 1973; Blinder 1973), q − p is exactly

        Σ (b(v) − a(v)) p(·|v)  +  Σ b(v) (q(·|v) − p(·|v)).

    Its product with d = (q − p) / m gives each term's part. The baseline re-weighted to the window's mix
    is p̃ = Σ b(v) p(·|v), so the second sum is what is left of the shift after it. As q(·|v) is itself a
    part of q, a sampling error counts with its own sign: b(v) Σ (b(v) s_q + a(v) s_p) / m is taken off
    the second term, s the unbiased estimate of the variance of the shares, and s of p and q off the
    whole.

    Parameters
    ----------
    baseline, window
        (n_values, n_clusters) int64.
    stand_in
        (n_values, n_clusters) int64, what each value of the window is held against: `baseline`, but for
        values that it does not have.

    Examples
    --------
    >>> reference = np.array([[40, 10], [10, 40]]) * 100
    >>> parts = split_shift(reference, np.array([[80, 20], [5, 20]]) * 100, reference)
    >>> round(parts.mix, 2), np.abs(parts.own).round(2).tolist()
    (1.0, [0.0, 0.0])
    >>> parts = split_shift(reference, np.array([[10, 40], [10, 40]]) * 100, reference)
    >>> round(abs(parts.mix), 2), np.abs(parts.own).round(2).tolist()
    (0.0, [1.0, 0.0])
    """
    p_all, q_all = baseline.sum(axis=0), window.sum(axis=0)
    p, q = _shares(p_all), _shares(q_all)
    along = shift_direction(p, q)
    weight = np.divide(2.0, p + q, out=np.zeros_like(p), where=p + q > 0)
    whole = (q - p) @ along - (_variance(p_all) + _variance(q_all)) @ weight
    if whole <= 0:
        return ShiftParts(0.0, np.zeros(len(window)))
    # A new value's stand-in is the whole baseline: all of p's sampling error is in it, and a is 1.
    a, b = stand_in.sum(axis=1) / baseline.sum(), window.sum(axis=1) / window.sum()
    moved = (_shares(window) - _shares(stand_in)) @ along
    noise = b * (_variance(window) @ weight) + a * (_variance(stand_in) @ weight)
    own = b * (moved - noise) / whole
    return ShiftParts(float(1 - own.sum()), own)


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1))


def _variance(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Unbiased estimate of the variance of each share; from a single row, the largest it can be."""
    n = counts.sum(axis=-1, keepdims=True)
    shares = _shares(counts)
    return np.asarray(np.where(n > 1, shares * (1 - shares) / np.maximum(n - 1, 1), shares))
