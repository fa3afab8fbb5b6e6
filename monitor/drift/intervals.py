"""An interval of each cluster's change of share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special


def share_change_interval(
    baseline: NDArray[np.int64],
    window: NDArray[np.int64],
    *,
    effective: tuple[float, float],
    confidence: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """An interval of each cluster's share change q − p, by Newcombe's (1998) hybrid score method.

    Parameters
    ----------
    baseline, window
        (k,) counts.
    effective
        Rows of each side that count as independent: the rows over the design effect.
    confidence
        In (0, 1), for each cluster.

    Returns
    -------
    Lower and upper ends, (k,) each, in [−1, 1].
    """
    z = float(special.ndtri(0.5 + confidence / 2))
    p, q = baseline / baseline.sum(), window / window.sum()
    (p_low, p_high), (q_low, q_high) = (
        _wilson(share, n, z) for share, n in zip((p, q), effective, strict=True)
    )
    change = q - p
    return (
        change - np.sqrt((q - q_low) ** 2 + (p_high - p) ** 2),
        change + np.sqrt((q_high - q) ** 2 + (p - p_low) ** 2),
    )


def _wilson(
    share: NDArray[np.float64], n: float, z: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson's (1927) score interval."""
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(middle - half, 0, share), np.clip(middle + half, share, 1)
