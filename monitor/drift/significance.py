"""Four tests of a window against the baseline, and one p-value.

Each needs only counts and sums, so windows may come in pieces. All assume that rows are independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from monitor.clusters import WindowSketch

LEAST_P_VALUE = 1e-9
"""So far out a χ² approximation says no more than "smaller still"."""


_MOST_DRAWS = 200_000


@dataclass(frozen=True)
class SubTest:
    """One test's outcome.

    Parameters
    ----------
    name
        `mix`, `novelty`, `mean` or `whitened_mean`.
    statistic
        The number that was judged; higher is farther from the baseline.
    p_value
        In [0, 1]: how often a window without drift gives such a statistic or a higher one.
    """

    name: str
    statistic: float
    p_value: float


SEES = {
    "mix": "the shares of the clusters",
    "novelty": "rows unlike anything in the baseline",
    "mean": "a common movement of the vectors",
    "whitened_mean": "a small movement in directions where the baseline hardly varies",
}
"""What each test is there to see."""


def null_windows(
    baseline_counts: NDArray[np.int64],
    window_counts: NDArray[np.int64],
    *,
    n_draws: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Window counts as they fall when both samples come from one population.

    Drawn from the multivariate hypergeometric distribution that both margins leave, so no share has to
    be known.

    Returns
    -------
    (n_draws, n_clusters) int64; each row sums to the window's size.
    """
    return np.asarray(
        rng.multivariate_hypergeometric(
            baseline_counts + window_counts,
            int(window_counts.sum()),
            size=n_draws,
            method="marginals",
        )
    )


def mix_test(
    baseline_counts: NDArray[np.int64],
    window_counts: NDArray[np.int64],
    drawn: NDArray[np.int64],
    *,
    level: float,
    rng: np.random.Generator,
) -> SubTest:
    """Pearson's X² of the 2 × k table, with the p-value by simulation given both margins.

    p = (1 + #{X* ≥ X}) / (M + 1) over the M rows of `drawn` (see `null_windows`), which is valid at any
    counts (Davison & Hinkley 1997, eq. 4.11). Where so few of them reach X that `level` is in reach, M
    grows until 20 do or p is fine enough to tell (Besag & Clifford 1991). Beyond what simulation can
    tell, χ² with k − 1 degrees of freedom stands in, provided all expected counts are 5 or more.

    Parameters
    ----------
    baseline_counts, window_counts
        (n_clusters,) rows per cluster.
    drawn
        (M, n_clusters) windows without drift.
    level
        The p-value that must be told apart from larger ones.
    rng
        Draws more windows where they are needed.
    """
    total = baseline_counts + window_counts
    share = window_counts.sum() / total.sum()
    expected = total * share
    weight = np.divide(1.0, expected, out=np.zeros_like(expected), where=expected > 0)

    def chi_square(counts: NDArray[np.int64]) -> NDArray[np.float64]:
        # X² of the whole table is that of the window's row times a constant that both margins fix.
        return np.asarray((((counts - expected) ** 2) * weight).sum(axis=-1) / (1 - share))

    seen = float(chi_square(window_counts))
    n_drawn, n_reached = len(drawn), int((chi_square(drawn) >= seen * (1 - 1e-9)).sum())
    while n_reached < 20 and n_drawn < min(4 / level, _MOST_DRAWS):
        more = null_windows(baseline_counts, window_counts, n_draws=len(drawn), rng=rng)
        n_drawn += len(more)
        n_reached += int((chi_square(more) >= seen * (1 - 1e-9)).sum())
    p_value = (1 + n_reached) / (n_drawn + 1)
    if n_reached == 0 and p_value > level and _is_dense(expected, share):
        df = np.count_nonzero(total) - 1
        p_value = min(p_value, max(float(stats.chi2.sf(seen, df)), LEAST_P_VALUE))
    return SubTest("mix", seen, p_value)


def _is_dense(expected: NDArray[np.float64], window_share: float) -> bool:
    """Cochran's (1954) rule: every expected count of the 2 × k table is 5 or more."""
    of_window = expected[expected > 0]
    return bool(min(of_window.min(), (of_window / window_share * (1 - window_share)).min()) >= 5)


def novelty_test(reference: WindowSketch, window: WindowSketch) -> SubTest:
    """Are there more rows beyond the novelty radius than in the baseline? Fisher's exact test, one-sided.

    The radius comes from the part of the baseline that centroids were fitted on, so that neither of the
    two counts had a hand in it.
    """
    outside = reference.n_novel + window.n_novel
    p_value = stats.hypergeom.sf(window.n_novel - 1, reference.n + window.n, outside, window.n)
    return SubTest("novelty", window.n_novel / window.n, float(min(p_value, 1.0)))


def mean_test(
    name: str,
    difference: NDArray[np.float64],
    moments: NDArray[np.float64],
    n_baseline: int,
    n_window: int,
) -> SubTest:
    """Is the squared length of a difference of two means larger than chance makes it?

    Under no drift ‖x̄ − ȳ‖² is distributed as f Σ λⱼ χ²₁ with f = 1/N + 1/n and λ the eigenvalues of
    the covariance. A χ² with the same first three moments stands for it (Zhang 2005): c_i = fⁱ Σ λⱼⁱ,
    df = c₂³ / c₃². P-values below `LEAST_P_VALUE` are given as that.

    Parameters
    ----------
    name
        The test's name.
    difference
        (width,) float64, window mean − baseline mean.
    moments
        (3,) float64, Σ λⱼ, Σ λⱼ², Σ λⱼ³.
    """
    statistic = float(difference @ difference)
    if not np.isfinite(moments).all() or moments[0] <= 0:
        return SubTest(name, statistic, 1.0)
    c1, c2, c3 = moments * (1 / n_baseline + 1 / n_window) ** np.arange(1, 4)
    df = c2**3 / c3**2
    scaled = df + (statistic - c1) * np.sqrt(df / c2)
    p_value = float(stats.chi2.sf(max(scaled, 0.0), df))
    return SubTest(name, statistic, max(p_value, LEAST_P_VALUE))


def combine(tests: tuple[SubTest, ...]) -> float:
    """One p-value: min(1, m · min pᵢ) over the m tests (Bonferroni).

    Not a sum of transformed p-values such as Cauchy's: p-values near 1 would cancel the one test that
    sees the change.
    """
    return min(1.0, len(tests) * min(test.p_value for test in tests))


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's (1979) adjusted p-values, in the order given.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
