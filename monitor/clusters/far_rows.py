"""Do a window's rows lie farther out than the baseline's? A test by counts per bin alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from monitor.clusters.harmonic_mean import combine_p_values
from monitor.clusters.row_measures import FAR_FROM, NOVEL_FROM
from monitor.clusters.tails import hypergeometric_tails

_LEAST: Final = 1e-300
USUAL: Final = float(stats.chi2.median(1))
"""z² of a usual window of independent rows: one whose rows lie nearer tells no more of farther ones."""
_ALMOST_NORMAL: Final = 1.6e-5
"""scipy's own bound of a skewness below which Pearson III is taken for a normal distribution."""
Counts = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True)
class FarRows:
    """Three p-values in one: few rows that are very far, more that are far, all a little farther.

    The first two are Fisher's exact test of the rows beyond the 99 % and the 97.5 % quantile of the
    baseline's distances. The third is the sum of the rows' Savage scores, −ln of the share of rows that are
    as far or farther (Savage 1956), by a Pearson III distribution with the moments of rows dealt at random.

    Parameters
    ----------
    p_value
        Of all three, by their harmonic mean; one-sided.
    """

    p_value: float

    @classmethod
    def of(cls, baseline: Counts, window: Counts) -> FarRows:
        """Of counts per bin, (N_NEARNESS_BINS,) each, from near to far; a window's may be expected ones.

        Examples
        --------
        >>> baseline = np.array([100] * 9 + [50, 25, 15, 5, 3, 2])
        >>> calm, wild = baseline // 10, baseline // 10 + 9 * np.eye(15, dtype=int)[-1]
        >>> FarRows.of(baseline, calm).p_value > 0.5, FarRows.of(baseline, wild).p_value < 1e-3
        (True, True)
        """
        each = [
            _fisher(baseline, window, NOVEL_FROM),
            _fisher(baseline, window, FAR_FROM),
            _savage(baseline, window),
        ]
        return cls(combine_p_values(each))

    @property
    def z(self) -> float:
        """The p-value as a standard normal's: above 0 for rows that are farther."""
        return float(-special.ndtri(max(self.p_value, _LEAST))) if self.p_value < 1 else -8.0

    @property
    def ratio(self) -> float:
        """z², whose mean is 1 if rows are independent, of rows that are farther; else `USUAL` at most."""
        return self.z**2 if self.z > 0 else min(self.z**2, USUAL)


def _fisher(baseline: Counts, window: Counts, start: int) -> float:
    own, beyond, n_own, n = (
        round(float(counts.sum()))
        for counts in (baseline[start:], window[start:], baseline, window)
    )
    return max(_hypergeometric_tail(beyond, n_own + n, own + beyond, n), _LEAST)


@lru_cache(maxsize=2**16)
def _hypergeometric_tail(least: int, n_all: int, n_marked: int, n_drawn: int) -> float:
    """P(X ≥ `least`) of the marked among rows that are drawn; windows of one size ask the same again."""
    return min(float(hypergeometric_tails(least, n_all, n_marked, n_drawn)[1]), 1.0)


def _savage(baseline: Counts, window: Counts) -> float:
    totals = baseline + window
    n_all, n = float(totals.sum()), float(window.sum())
    if n == 0 or n_all - n < 1 or n_all < 3:
        return 1.0
    scores = savage_scores(totals)
    share = totals / n_all
    centred = scores - share @ scores
    second, third = share @ centred**2, share @ centred**3
    if second <= 0:
        return 1.0
    # Of sums over n rows drawn without replacement (Cochran 1977, ch. 2; Wishart 1952).
    left = n_all - n
    variance = n * second * left / (n_all - 1)
    of_sum = n * third * left * (left - n) / ((n_all - 1) * (n_all - 2))
    z, skewness = float(window @ centred / variance**0.5), float(of_sum / variance**1.5)
    return float(np.clip(pearson_iii_tail(z, skewness), _LEAST, 1.0))


def pearson_iii_tail(z: float, skewness: float) -> float:
    """P(Z ≥ z) for Z of mean 0 and variance 1.

    As `scipy.stats.pearson3.sf`, whose checks of its arguments cost a hundred times as much.

    Examples
    --------
    >>> round(pearson_iii_tail(2.0, 0.5), 4)
    0.0344
    """
    if abs(skewness) < _ALMOST_NORMAL:
        return float(special.ndtr(-z))
    shape = 4 / skewness**2
    x = max(shape + 2 * z / skewness, 0.0)
    return float(special.gammaincc(shape, x) if skewness > 0 else special.gammainc(shape, x))


def savage_scores(totals: Counts) -> NDArray[np.float64]:
    """(bins,) the mean of −ln(1 − u) over the ranks u in (0, 1) of each bin; 0 for empty ones.

    Examples
    --------
    >>> savage_scores(np.array([50, 50])).round(2).tolist()
    [0.31, 1.69]
    """
    above = 1 - np.concatenate([[0], np.cumsum(totals)]) / totals.sum()
    above[-1] = 0.0
    # ∫ −ln v dv = v − v ln v.
    integral = above - above * np.log(np.where(above > 0, above, 1.0))
    widths = above[:-1] - above[1:]
    return np.asarray(
        np.divide(integral[:-1] - integral[1:], widths, out=np.zeros(len(totals)), where=widths > 0)
    )
