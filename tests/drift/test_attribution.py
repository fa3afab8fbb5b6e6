"""p-values of single clusters, against tables drawn by other means."""

import numpy as np
import pytest
from scipy import stats

from monitor.clusters import Clustering, RowMetadata, RowWindows, fit
from monitor.drift.attribution import cluster_shifts
from monitor.drift.comparison import Comparison

CENTRES = np.eye(6) * 6
SHARES = np.array([0.4, 0.25, 0.15, 0.1, 0.07, 0.03])


def rows(n, shares, rng):
    return CENTRES[rng.choice(6, n, p=shares)] + rng.normal(size=(n, 6)) * 0.2


def shifts(baseline, window):
    comparison = Comparison(
        baseline.sketch(window, {}), baseline, baseline.statistics, np.random.default_rng(5)
    )
    return cluster_shifts(comparison)


def test_of_independent_rows_they_are_fishers():
    rng = np.random.default_rng(0)
    baseline = fit(rows(2_000, SHARES, rng), {"name": "photos"}, Clustering(6))
    found = shifts(baseline, rows(300, np.array([0.34, 0.25, 0.15, 0.1, 0.07, 0.09]), rng))
    tables = [
        [[s.baseline_count, 2_000 - s.baseline_count], [s.window_count, 300 - s.window_count]]
        for s in found
    ]
    exact = [
        min(2 * stats.fisher_exact(table, alternative=side).pvalue for side in ("less", "greater"))
        for table in tables
    ]
    # The least by Holm, which no number of drawn tables bounds.
    least = min(range(6), key=lambda at: exact[at])
    assert found[least].p_value == pytest.approx(6 * exact[least])
    assert found[least].p_value < 1e-4


def test_what_groups_or_production_show_of_rows_is_known_of_clusters_too():
    """Groups of ten alike rows: most clusters differ more than independent rows would."""
    rng = np.random.default_rng(2)

    def groups(n):
        which = rng.choice(6, n, p=SHARES).repeat(10)
        return CENTRES[which] + rng.normal(size=(10 * n, 6)) * 0.2

    known = RowMetadata(groups=np.arange(300).repeat(10))
    baseline = fit(groups(300), {"name": "photos"}, Clustering(6), known)
    found = [shifts(baseline, groups(20)) for _ in range(60)]
    least = np.array([min(shift.p_value for shift in of_window) for of_window in found])
    assert (least <= 0.05).mean() < 0.12


def test_where_days_vary_they_are_as_frequent_as_they_say():
    rng = np.random.default_rng(1)

    def day(n=150):
        return rows(n, rng.dirichlet(SHARES * 60), rng)

    dated = RowMetadata(windows=RowWindows("1d", np.repeat(np.arange(60), 150)))
    baseline = fit(
        np.concatenate([day() for _ in range(60)]), {"name": "photos"}, Clustering(6), dated
    )
    least = np.array([min(s.p_value for s in shifts(baseline, day())) for _ in range(200)])
    assert 0 < (least <= 0.1).mean() < 1.3 * 0.1
    assert (least <= 0.01).mean() < 0.025
    gone = SHARES * np.array([0, 1, 1, 1, 1, 1])
    found = shifts(baseline, rows(150, gone / gone.sum(), rng))
    # The least that so many tables give, by Holm.
    assert min(s.p_value for s in found) == pytest.approx(6 / 3_993)
