"""p-values from the baseline's own windows hold, and lose nothing where rows are independent."""

import numpy as np
import pytest
from scipy import special, stats

from monitor.clusters import RATIOS, FarRows, ReplayedWindows
from monitor.clusters.replayed_windows import N_LAGS
from monitor.drift.calibration import calibrate, replayed_p_values
from monitor.drift.comparison import long_run

FREEDOMS = np.array([19.0, 8.0, 40.0, 1.0, 30.0, 24.0])
N = 100


def windows(ratios, novel, n=N):
    n_windows = ratios.shape[1]
    return ReplayedWindows(
        sizes=np.full(n_windows, n),
        novel=novel,
        ratios=ratios,
        freedoms=np.repeat(FREEDOMS[:, None], n_windows, axis=1),
        scales=np.full(n_windows, float(n)),
        autocorrelations=np.zeros(N_LAGS),
        likeness=0.0,
    )


def independent(rng, n_windows):
    ratios = rng.chisquare(FREEDOMS[:, None], (len(RATIOS), n_windows)) / FREEDOMS[:, None]
    return windows(ratios, rng.binomial(N, 0.02, n_windows))


def varied(rng, n_windows, theta, directions, tail=np.inf):
    """Windows by the model itself: their own part in so many directions, some windows wilder."""
    size = theta * (1 if np.isinf(tail) else tail / rng.chisquare(tail, (len(RATIOS), n_windows)))
    noise = rng.chisquare(FREEDOMS[:, None], (len(RATIOS), n_windows)) / FREEDOMS[:, None]
    own = rng.chisquare(directions, (len(RATIOS), n_windows)) / directions

    ratios = np.maximum(noise + size * own, 0.01)
    shares = rng.beta(0.02 * 30, 0.98 * 30, n_windows)
    return windows(ratios, rng.binomial(N, shares))


def p_values(law, replayed, at):
    name = RATIOS[at]
    return np.array(
        [
            law.ratios[name].p_value(
                lambda ratio=ratio: float(special.chdtrc(FREEDOMS[at], ratio * FREEDOMS[at])),
                ratio,
                FREEDOMS[at],
                float(N),
            )
            for ratio in replayed.ratios[at]
        ]
    )


def test_independent_rows_keep_their_p_values():
    rng = np.random.default_rng(0)
    laws = [calibrate(independent(rng, 28)) for _ in range(10)]
    assert np.median([law.independent for law in laws]) > 0.95
    law = laws[0].ratios["mean"]
    by_rows = 1e-4
    ratio = float(stats.chi2.isf(by_rows, 8) / 8)
    assert law.p_value(lambda: by_rows, ratio, 8.0, float(N)) < 3 * by_rows


@pytest.mark.parametrize(
    ("n_windows", "theta", "directions", "tail"),
    [(12, 5, 4, np.inf), (28, 1, 2, np.inf), (28, 10, 8, 4), (60, 0.3, 4, np.inf)],
)
def test_the_level_holds_for_windows_that_vary(n_windows, theta, directions, tail):
    rng = np.random.default_rng(1)
    rates = []
    for _ in range(40):
        law = calibrate(varied(rng, n_windows, theta, directions, tail))
        fresh = varied(rng, 60, theta, directions, tail)
        p = np.array([p_values(law, fresh, at) for at in range(3)])
        rates.append([[(row <= a).mean() for a in (0.05, 0.01)] for row in p])
    by_level = np.mean(rates, axis=(0, 1))
    assert 0.02 < by_level[0] < 0.07
    assert by_level[1] < 0.016


def test_many_novel_rows_are_clear_against_few_in_every_window():
    """28 of 99 rows beyond what one in a hundred of the baseline's pass, after 12 calm windows."""
    rng = np.random.default_rng(4)
    baseline = np.array([39] * 9 + [20, 10, 6, 2, 1, 1])
    window = np.append(rng.multinomial(71, baseline[:12] / baseline[:12].sum()), [10, 10, 8])
    far = FarRows.of(baseline, window)
    law = calibrate(independent(rng, 12)).ratios["novelty"]
    assert law.p_value(lambda: far.p_value, far.z**2, 1.0, 99.0) < 1e-4


def test_few_windows_are_believed_less():
    rng = np.random.default_rng(5)
    replayed = varied(rng, 60, 5, 4)
    few = ReplayedWindows(
        replayed.sizes[:6],
        replayed.novel[:6],
        np.repeat(np.median(replayed.ratios, axis=1)[:, None], 6, axis=1),
        replayed.freedoms[:, :6],
        replayed.scales[:6],
        np.zeros(N_LAGS),
        0.0,
    )
    far = 12.0 * float(np.median(replayed.ratios[1]))
    by_few, by_many = (
        calibrate(one).ratios["mean"].p_value(lambda: 0.0, far, 8.0, float(N))
        for one in (few, replayed)
    )
    assert by_few > by_many


def test_windows_that_could_not_be_compared_count_for_nothing():
    rng = np.random.default_rng(6)
    replayed = independent(rng, 20)
    replayed.ratios[0] = np.nan
    law = calibrate(replayed)
    assert np.isfinite(law.independent)


def test_days_as_wild_as_some_of_the_baseline_are_no_rarer_than_those():
    """Three days in thirty stray far and the others not at all: no smooth law has such a shape."""
    rng = np.random.default_rng(8)
    p = []
    for _ in range(20):
        replayed, fresh = independent(rng, 30), independent(rng, 3)
        replayed.ratios[:, :3] += rng.uniform(10, 20, 3)
        fresh.ratios[:] += rng.uniform(10, 20, 3)
        law = calibrate(replayed)
        p += [p_values(law, fresh, at) for at in range(3)]
    # By the smooth law alone 96 % of them had p ≤ 0.01.
    assert np.mean(np.array(p) <= 0.01) < 0.25
    assert np.mean(np.array(p) <= 1 / 730) == 0
    clear = law.ratios["mean"].p_value(lambda: 0.0, 2_000.0, 8.0, float(N))
    assert clear < 1 / 730


def test_windows_judged_by_the_others_are_uniform_enough():
    rng = np.random.default_rng(7)
    p_values = replayed_p_values(varied(rng, 200, 5, 4))
    assert (p_values <= 0.1).mean() == pytest.approx(0.1, abs=0.05)


def test_the_mean_of_windows_in_a_row_varies_more():
    """Against a simulation of AR(1) windows."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=(20_000, 8))
    for t in range(1, 8):
        x[:, t] = 0.6 * x[:, t - 1] + 0.8 * x[:, t]
    assert x.mean(axis=1).var() * 8 == pytest.approx(
        long_run(1 / 8, 0.6 ** np.arange(1, 32)), rel=0.05
    )
