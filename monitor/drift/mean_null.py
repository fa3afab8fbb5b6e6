"""What the squared length of a difference of two means looks like when rows are independent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from monitor.drift.comparison import UNKNOWN, Comparison, Ratio
from monitor.drift.monte_carlo import TOLERANCE
from monitor.drift.significance import LEAST_P_VALUE


@dataclass(frozen=True, eq=False)
class MeanNull:
    """The distribution of ‖x̄ − ȳ‖² of independent rows.

    It is that of f Σ λⱼ χ²₁, with f = 1/N + 1/n and λ the eigenvalues of the rows' covariance; a χ² with the
    same first three moments stands for it (Zhang 2005).

    Parameters
    ----------
    moments
        (3,) float64: c₁, c₂, c₃ with cᵢ = fⁱ Σ λⱼⁱ.
    """

    moments: NDArray[np.float64]

    @classmethod
    def independent(cls, moments: NDArray[np.float64], n_baseline: int, n_window: int) -> MeanNull:
        """From (3,) `moments` Σ λⱼ, Σ λⱼ², Σ λⱼ³ of the rows' covariance."""
        return cls(moments * (1 / n_baseline + 1 / n_window) ** np.arange(1, 4))

    @property
    def is_known(self) -> bool:
        """Whether there is anything to compare."""
        return bool(np.isfinite(self.moments).all() and self.moments[0] > 0)

    @property
    def mean(self) -> float:
        """The mean of the statistic."""
        return float(self.moments[0])

    @property
    def freedom(self) -> float:
        """The degrees of freedom of the χ² with the same first two moments."""
        first, second = self.moments[:2].tolist()
        return float(first**2 / second) if second > 0 else math.inf

    def ratio(self, statistic: float) -> Ratio:
        """The statistic over its mean; `UNKNOWN` where nothing is known."""
        return Ratio(statistic / self.mean, self.freedom) if self.is_known else UNKNOWN

    def p_value(self, statistic: float) -> float:
        """P(‖x̄ − ȳ‖² ≥ statistic), not below `LEAST_P_VALUE`."""
        c1, c2, c3 = (float(moment) for moment in self.moments)
        if c2 <= 0:
            return 1.0 if statistic <= c1 * (1 + TOLERANCE) else LEAST_P_VALUE
        # No weights λ have a smaller third moment (Cauchy & Schwarz), but one or two rows may, as where most
        # lie equally far out and few in the middle.
        c3 = max(c3, c2**2 / c1)
        df = c2**3 / c3**2
        scaled = df + (statistic - c1) * np.sqrt(df / c2)
        return float(np.clip(special.chdtrc(df, max(scaled, 0.0)), LEAST_P_VALUE, 1.0))

    def p_value_beside(self, comparison: Comparison, test: str, statistic: float) -> float:
        """By three moments, or by the law of the baseline's windows for `test`; 1 where nothing is known."""
        if not self.is_known:
            return 1.0
        return comparison.calibrated(test, lambda: self.p_value(statistic), self.ratio(statistic))

    def clarity(self, statistic: float) -> float:
        """The statistic less its mean, in standard deviations; −∞ where nothing is known."""
        c1, c2, _ = self.moments.tolist()
        if not self.is_known or c2 <= 0:
            return -math.inf
        return float((statistic - c1) / math.sqrt(2 * c2))
