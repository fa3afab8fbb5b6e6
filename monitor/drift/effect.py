"""How large a shift is, in one unit for all tests, and how large it would have to be to be seen."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from monitor.drift.mean_null import MeanNull

POWER = 0.8


@dataclass(frozen=True)
class Effect:
    """The size of a shift as a share of rows: as if so many had been swapped for unrelated images.

    Each test's part is what its statistic shows beyond the mean that chance gives it:

    - `mix`: half the sum of the clusters' share changes (total variation distance)
    - `novelty`: the share of novel rows that the baseline does not have
    - `mean`, `whitened_mean`: ‖Δμ‖ / √(2 tr Σ), since two unrelated rows lie √(2 tr Σ) apart

    Parameters
    ----------
    mix, novelty, mean, whitened_mean
        In [0, 1] for the first two, ≥ 0 for the others.
    detectable
        The smallest share of rows that, swapped for unrelated images of the baseline's own spread, the
        mean test would have seen in 8 of 10 such windows; in [0, 1], NaN when not even all would do.
    detectable_novel
        The same for rows that are all novel, seen by the novelty test.
    """

    mix: float
    novelty: float
    mean: float
    whitened_mean: float
    detectable: float
    detectable_novel: float

    @property
    def changed_share(self) -> float:
        """The largest of the four parts."""
        return max(self.mix, self.novelty, self.mean, self.whitened_mean)


def beyond_chance(squared: float, mean_of_squares: float) -> float:
    """√(max(0, squared − mean_of_squares))."""
    return math.sqrt(max(0.0, squared - mean_of_squares))


def total_variation(baseline: NDArray[np.int64], window: NDArray[np.int64]) -> NDArray[np.float64]:
    """Half the summed share changes of (..., k) counts, in [0, 1]."""
    p = baseline / baseline.sum(axis=-1, keepdims=True)
    q = window / window.sum(axis=-1, keepdims=True)
    return np.asarray(np.abs(p - q).sum(axis=-1) / 2)


def detectable_share(null: MeanNull, spread: float, level: float) -> float:
    """The share s of rows for which the mean test reaches `level` with probability `POWER`.

    Swapping s of the rows for unrelated ones moves the mean by s √(2 tr Σ). The statistic then has about
    the mean c₁ + δ² and the variance 2 c₂ + 4 δ² c₂ / c₁ with δ² = 2 s² tr Σ.

    Parameters
    ----------
    null
        Of the mean test.
    spread
        tr Σ of the rows.
    level
        Of this test.
    """
    c1, c2 = null.mean, float(null.moments[1]) * null.inflation**2
    if not (np.isfinite(null.moments).all() and spread > 0 and c1 > 0):
        return math.nan
    z = float(stats.norm.ppf(POWER))

    def missing(share: float) -> float:
        moved = 2 * share**2 * spread
        low = max(c1 + moved - z * math.sqrt(2 * c2 + 4 * moved * c2 / c1), 0.0)
        return math.log(null.p_value(low)) - math.log(level)

    if missing(1.0) > 0:
        return math.nan
    return float(optimize.brentq(missing, 0.0, 1.0, xtol=1e-5))


def detectable_novelty(n_baseline: int, novel_baseline: int, n_window: int, level: float) -> float:
    """The share of novel rows for which Fisher's exact test reaches `level` with probability `POWER`."""

    def p_value(novel: int) -> float:
        total = n_baseline + n_window
        return float(stats.hypergeom.sf(novel - 1, total, novel_baseline + novel, n_window))

    if p_value(n_window) > level:
        return math.nan
    least = bisect.bisect_left(range(n_window), True, key=lambda novel: p_value(novel) <= level)
    # P(X ≥ x) = POWER for X binomial, in terms of its share (Clopper & Pearson 1934).
    total = float(stats.beta.ppf(POWER, least, n_window - least + 1))
    own = novel_baseline / n_baseline
    return max(0.0, (total - own) / (1 - own)) if own < 1 else math.nan


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
    z = float(stats.norm.ppf(0.5 + confidence / 2))
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
