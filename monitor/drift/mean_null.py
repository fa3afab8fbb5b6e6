"""The null distribution of the squared distance of two means."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from monitor.clusters.movement import Movement
from monitor.drift.significance import LEAST_P_VALUE


@dataclass(frozen=True, eq=False)
class MeanNull:
    """The distribution of ‖x̄ − ȳ‖² without drift.

    Of independent rows it is that of f Σ λⱼ χ²₁, with f = 1/N + 1/n and λ the eigenvalues of the rows'
    covariance; a χ² with the same first three moments stands for it (Zhang 2005).

    With natural variation it is that of ‖a + ε‖². The part a, between clusters, comes from the tables
    of counts that such windows have (`NullTables`); ε, inside clusters, has the moments of rows and of
    windows there, whose size is drawn from those that are compatible with the baseline's few windows.

    Parameters
    ----------
    moments
        (3,) float64: c₁, c₂, c₃, the sums of the powers 1, 2, 3 of the eigenvalues, of ε or of all.
    between
        (m,) float64, draws of ‖a‖²; empty for independent rows.
    factors
        (m,) float64, draws of the size of ε, over c₁.
    inflation
        The mean of the statistic over what independent rows give, ≥ 1.
    """

    moments: NDArray[np.float64]
    between: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    factors: NDArray[np.float64] = field(default_factory=lambda: np.ones(1))
    inflation: float = 1.0

    @classmethod
    def independent(cls, moments: NDArray[np.float64], n_baseline: int, n_window: int) -> MeanNull:
        """From (3,) `moments` Σ λⱼ, Σ λⱼ², Σ λⱼ³ of the rows' covariance."""
        return cls(moments * (1 / n_baseline + 1 / n_window) ** np.arange(1, 4))

    @classmethod
    def varied(
        cls,
        moments: NDArray[np.float64],
        n_rows: tuple[int, int],
        movement: Movement,
        unevenness: float,
        between: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> MeanNull:
        """With natural variation.

        Parameters
        ----------
        moments
            As in `independent`.
        n_rows
            Of the baseline and of the window.
        movement
            Of rows and windows inside clusters, in the coordinates of this test.
        unevenness
            g: Σ n_t² / (Σ n_t)² of the window plus that of the baseline.
        between
            (m,) draws of ‖a‖².
        rng
            Draws the size of ε.
        """
        f = 1 / n_rows[0] + 1 / n_rows[1]
        powers = np.arange(1, 4)
        rows, windows = movement.rows, movement.windows
        sampling = rows * f**powers
        g = unevenness / movement.mean_size
        # tr (Σ + n̄B)ⁱ − tr Σⁱ consists of powers of B and of its products with Σ. These two scale
        # differently with the number of rows; the larger of the two scales is taken for both.
        beyond = np.maximum(windows - rows, 0.0) * g * np.maximum(g, f) ** (powers - 1)
        total = sampling + beyond
        # Where all rows of a cluster are equal, nothing moves and V is 0.
        freedom = max(movement.freedom * windows[0] ** 2 / max(windows[1], 1e-300), 1.0)
        allowed = windows[0] * freedom / rng.chisquare(freedom, len(between))
        sizes = sampling[0] + g * np.maximum(allowed - rows[0], 0.0)
        mean = float(between.mean() + sizes.mean())
        return cls(total, between, sizes / max(total[0], 1e-300), max(mean / (moments[0] * f), 1.0))

    @property
    def mean(self) -> float:
        """The mean of the statistic."""
        return float(self.between.mean() + self.factors.mean() * self.moments[0])

    def p_value(self, statistic: float) -> float:
        """P(‖x̄ − ȳ‖² ≥ statistic), not below `LEAST_P_VALUE`."""
        c1, c2, c3 = self.moments[:, None] * self.factors ** np.arange(1, 4)[:, None]
        # Given a, ‖a + ε‖² has the mean ‖a‖² + c₁ and, a lying as ε does, 4 ‖a‖² c₂/c₁ more variance.
        mean, half_variance = c1 + self.between, c2 + 2 * self.between * c2 / c1
        sixth = c3 + 3 * self.between * c3 / c1
        df = half_variance**3 / sixth**2
        scaled = df + (statistic - mean) * np.sqrt(df / half_variance)
        tail = float(stats.chi2.sf(np.maximum(scaled, 0.0), df).mean())
        return max(min(tail, 1.0), LEAST_P_VALUE)
