"""Natural variation between windows: found where it was planted, and only there."""

import numpy as np
import pytest

from monitor.clusters.overdispersion import overdispersion
from monitor.clusters.replayed_windows import N_LAGS, RATIOS, ReplayedWindows
from monitor.clusters.variation import DatedRows

SHARES = np.array([0.4, 0.3, 0.2, 0.1])


def counts(n_windows, n, rho, seed):
    rng = np.random.default_rng(seed)
    shares = (
        rng.dirichlet(SHARES * (1 / rho - 1), size=n_windows)
        if rho
        else np.tile(SHARES, (n_windows, 1))
    )
    return np.array([rng.multinomial(n, row) for row in shares])


@pytest.mark.parametrize("rho", [0.003, 0.01, 0.05])
def test_the_planted_correlation_is_found(rho):
    correlations = [overdispersion(counts(30, 1000, rho, seed)).correlation for seed in range(40)]
    assert np.mean(correlations) == pytest.approx(rho, rel=0.1)


def test_independent_rows_have_none():
    estimates = [overdispersion(counts(30, 1000, 0, seed)) for seed in range(100)]
    assert np.mean([e.design_effect for e in estimates]) == pytest.approx(1, abs=0.03)
    assert np.mean([e.correlation for e in estimates]) < 2e-4


def test_drawn_correlations_cover_the_true_one_as_often_as_they_say():
    """The true ρ lies below the 10 % quantile of the draws in about 10 % of baselines, and so on."""
    rng = np.random.default_rng(0)
    ranks = [
        np.mean(overdispersion(counts(20, 500, 0.01, seed)).draw(2000, rng)[:, 0] <= 0.01)
        for seed in range(400)
    ]
    for quantile in (0.1, 0.5, 0.9):
        assert np.mean(np.array(ranks) <= quantile) == pytest.approx(quantile, abs=0.08)


def test_windows_of_very_different_sizes():
    rng = np.random.default_rng(1)
    table = np.array(
        [
            rng.multinomial(n, rng.dirichlet(SHARES * 99))
            for n in [2, 50, 3000, 700, 1, 900, 400] * 6
        ]
    )
    assert overdispersion(table).correlation == pytest.approx(0.01, rel=0.5)


REPLAYED = ReplayedWindows(
    sizes=np.full(5, 9),
    novel=np.zeros(5, np.int64),
    ratios=np.ones((len(RATIOS), 5)),
    freedoms=np.ones((len(RATIOS), 5)),
    scales=np.full(5, 9.0),
    autocorrelations=np.zeros(N_LAGS),
    likeness=0.0,
)


def test_windows_that_could_not_be_replayed_say_nothing():
    rows = dated(np.arange(100) % 5, np.zeros(100, dtype=np.int64))
    assert rows.variation(None) is None
    assert rows.variation(REPLAYED).replayed is REPLAYED


def dated(windows, labels):
    return DatedRows("1d", windows, labels, n_clusters=4)


def a_week(seed, *, weekend, rho=0.003):
    """70 days of 100 rows; on two days of seven some rows lie in another cluster."""
    rng = np.random.default_rng(seed)
    shares = SHARES + np.array([-weekend, 0, 0, weekend])
    days = np.arange(70)
    labels = np.concatenate(
        [rng.choice(4, 100, p=rng.dirichlet((shares if d % 7 < 2 else SHARES) / rho)) for d in days]
    )
    return dated(np.repeat(days, 100), labels)


def test_a_weekly_pattern_is_found_and_its_variation_is_that_within_days_of_the_week():
    rows = a_week(0, weekend=0.2)
    assert rows.has_seasons(7)
    within = rows.variation(REPLAYED, 7, 0)
    assert len(within.counts) == 10
    assert within.mix.correlation < 0.01
    assert rows.variation(REPLAYED).mix.correlation > 3 * within.mix.correlation


def test_no_weekly_pattern_is_seen_where_there_is_none():
    assert not any(a_week(seed, weekend=0).has_seasons(7) for seed in range(200))


def test_one_wild_category_among_calm_ones_is_seen_as_that():
    rng = np.random.default_rng(0)
    shares = rng.beta(1, 9, size=30)
    calm = np.full(19, 1 / 19)
    table = np.array([rng.multinomial(300, [w, *((1 - w) * calm)]) for w in shares])
    wild = overdispersion(table)
    assert wild.correlations[0] == pytest.approx(0.1, abs=0.06)
    assert wild.correlations[0] > 3 * np.median(wild.correlations[1:])
    assert wild.freedoms[0] < 60
