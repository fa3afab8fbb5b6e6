"""The law of a statistic that is about a χ² when rows are independent, in windows that vary as a whole.

Let y be a statistic over its mean under independent rows, and ν₀ the degrees of freedom of the χ² that it is
about then. In a window that varies as a whole, beyond the sampling of its rows,

    y | u  is about a gamma variable with mean 1 + θu and variance 2/ν₀ (1 + 2θu) + 2 (θu)²/d,

where θ is the size of the variation, seen through as many rows as the window has; d says in how many
directions it goes; and u = ν / χ²_ν lets single windows, such as a day of snow, be far wilder than most.
θ = 0 are independent rows. What θ, d and ν are, the replayed windows of the baseline tell
(`ReplayedWindows`), but few windows do not tell it exactly; so a p-value is the mean over all that they may
be, each as likely as the windows make it (the posterior predictive distribution; Rubin 1984). Few windows
thus mean heavy tails.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from monitor.clusters import ReplayedWindows
from monitor.drift.significance import LEAST_P_VALUE
from monitor.drift.wild_windows import LEAST, TAILS, spread

SIZES: Final = np.geomspace(0.02, 1e7, 52)
"""θu, for a window of the replayed windows' mean size."""
N_THETA: Final = 36
"""θ is one of the first so many of these: up to 19,000."""
_DIRECTIONS: Final = np.array([1.0, 2.0, 4.0, 16.0, 64.0])
_SPREAD: Final = spread(SIZES, N_THETA)
_NEGLIGIBLE, _TINY = 0.01, 0.001


@dataclass(frozen=True, eq=False)
class RatioLaw:
    """The law of one statistic's ratio in windows without drift.

    Parameters
    ----------
    independent
        How likely rows are independent.
    weights
        (sizes, directions) float64: how likely each θu and d are, given that they are not; sum 1.
    mean_scale
        The replayed windows' mean scale.
    mean_excess
        By how much their mean ratio is above 1, ≥ 0.
    ratios, scales
        (m,) float64, of those that were compared.
    """

    independent: float
    weights: NDArray[np.float64]
    mean_scale: float
    mean_excess: float
    ratios: NDArray[np.float64]
    scales: NDArray[np.float64]

    def p_value(
        self, by_rows: Callable[[], float], ratio: float, freedom: float, scale: float
    ) -> float:
        """How often a window without drift has such a ratio or a higher one.

        Parameters
        ----------
        by_rows
            Computes the p-value if all rows are independent; called where it matters.
        ratio, freedom, scale
            As those of `ReplayedWindows`, of this window.
        """
        of_rows = None
        if self.independent > 0.5:
            of_rows = by_rows()
            if 1 - self.independent < _TINY * of_rows:
                return of_rows  # the rest would add less than so much of it
        varied = float((self.weights * _tails(ratio, freedom, scale / self.mean_scale)).sum())
        varied = max(varied, _share_beyond(ratio, scale, self.ratios, self.scales), LEAST_P_VALUE)
        varied = min(varied, 1.0)
        if self.independent < _NEGLIGIBLE * varied:
            return varied
        if of_rows is None:
            of_rows = by_rows()
        return self.independent * of_rows + (1 - self.independent) * max(varied, of_rows)

    def mean(self, scale: float) -> float:
        """The mean ratio of windows without drift, ≥ 1."""
        return 1 + (1 - self.independent) * self.mean_excess * scale / self.mean_scale


@dataclass(frozen=True, eq=False)
class RatioLikelihood:
    """What the replayed windows say of one statistic.

    Parameters
    ----------
    replayed
        The windows.
    at
        The statistic's place in `RATIOS`.
    calm
        (n_windows,) float64: the log-likelihood of each window if rows are independent.
    varied
        (n_windows, tails, θ, d) the same if windows vary.
    """

    replayed: ReplayedWindows
    at: int
    calm: NDArray[np.float64]
    varied: NDArray[np.float64]

    @classmethod
    def of(cls, replayed: ReplayedWindows, at: int) -> RatioLikelihood:
        """Of the statistic at this place in `RATIOS`."""
        mean_scale = float(replayed.scales.mean())
        ratios, freedoms = replayed.ratios[at], replayed.freedoms[at]
        is_known = np.isfinite(ratios) & np.isfinite(freedoms) & (freedoms > 0)
        y, freedom = np.maximum(ratios[is_known], 1e-3), freedoms[is_known]
        calm = np.zeros(len(ratios))
        calm[is_known] = stats.gamma.logpdf(y, freedom / 2, scale=2 / freedom)
        varied = np.zeros((len(ratios), len(TAILS), N_THETA, len(_DIRECTIONS)))
        scales = replayed.scales[is_known] / mean_scale
        shape, unit = _gamma(freedom[:, None, None], scales[:, None, None])
        of_unit = y[:, None, None] / unit
        density = np.exp((shape - 1) * np.log(of_unit) - of_unit - special.gammaln(shape)) / unit
        varied[is_known] = np.log(_SPREAD @ density[:, None] + LEAST)
        return cls(replayed, at, calm, varied)

    @property
    def by_size(self) -> NDArray[np.float64]:
        """(θ,) the log-likelihood of all windows for each θ, ν and d being equally likely."""
        together = self.varied.sum(axis=0)
        of_size = special.logsumexp(together, axis=(0, 2))
        return np.asarray(of_size - math.log(together.shape[0] * together.shape[2]))

    def law(self, independent: float, sizes: NDArray[np.float64]) -> RatioLaw:
        """The law, `independent` being how likely rows are, `sizes` (θ,) how likely each θ is else."""
        ratios = self.replayed.ratios[self.at]
        is_known = np.isfinite(ratios)
        known = ratios[is_known]
        return RatioLaw(
            independent=independent,
            weights=_weights(self.varied.sum(axis=0) + np.log(sizes)[:, None]),
            mean_scale=float(self.replayed.scales.mean()),
            mean_excess=max(float(known.mean()) - 1, 0.0) if len(known) else 0.0,
            ratios=known,
            scales=self.replayed.scales[is_known],
        )

    def p_values(self, independent: float, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n_windows,) of each window by the law of the others; NaN where there was nothing to compare."""
        replayed, at, varied = self.replayed, self.at, self.varied
        together = varied.sum(axis=0) + np.log(sizes)[:, None]
        mean_scale = float(replayed.scales.mean())
        p_values = np.full(len(varied), np.nan)
        known = np.isfinite(replayed.ratios[at])
        for window, (ratio, freedom, scale) in enumerate(
            zip(replayed.ratios[at], replayed.freedoms[at], replayed.scales, strict=True)
        ):
            if not (np.isfinite(ratio) and freedom > 0):
                continue
            others = _weights(together - varied[window])
            tail = float((others * _tails(ratio, freedom, scale / mean_scale)).sum())
            rest = known & (np.arange(len(varied)) != window)
            beyond = _share_beyond(ratio, scale, replayed.ratios[at][rest], replayed.scales[rest])
            tail = max(tail, beyond)
            by_rows = float(special.gammaincc(freedom / 2, max(ratio, 0.0) / (2 / freedom)))
            p_values[window] = independent * by_rows + (1 - independent) * max(tail, by_rows)
        return p_values


def _share_beyond(
    ratio: float, scale: float, ratios: NDArray[np.float64], scales: NDArray[np.float64]
) -> float:
    """The share of known windows that strayed as far: none of another shape makes such a one rarer.

    Where one day in ten is wild and the others calm, no law that is smooth tells it. What a smaller window
    strayed is in part the chance of its few rows, which does not grow with them: it is not scaled up.
    """
    as_here = np.where(ratios > 1, 1 + (ratios - 1) * np.minimum(scale / scales, 1.0), ratios)
    return float(np.count_nonzero(as_here >= ratio)) / (len(ratios) + 1)


def _weights(log_likelihood: NDArray[np.float64]) -> NDArray[np.float64]:
    """(sizes, directions) from a log-likelihood of ν, θ and d."""
    weights = np.exp(log_likelihood - log_likelihood.max())
    weights /= weights.sum()
    return np.asarray(np.einsum("vtd,vts->sd", weights, _SPREAD))


def _gamma(
    freedom: float | NDArray[np.float64], scale: float | NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shape and scale, (…, sizes, directions) each, of y given θu and d; `scale` over its mean.

    `freedom` and `scale` are of one window, or (…, 1, 1) of several.
    """
    size = SIZES[:, None] * scale
    mean = 1 + size
    variance = 2 / freedom * (1 + 2 * size) + 2 * size**2 / np.minimum(_DIRECTIONS, freedom)
    return mean**2 / variance, variance / mean


def _tails(ratio: float, freedom: float, scale: float) -> NDArray[np.float64]:
    shape, unit = _gamma(freedom, scale)
    return np.asarray(special.gammaincc(shape, max(ratio, 0.0) / unit))
