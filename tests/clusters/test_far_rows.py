"""Distances to known rows: the test of their counts, and that the baseline's are those of new rows."""

import numpy as np
import pytest
from scipy import stats

from monitor.clusters import Clustering, FarRows, fit
from monitor.clusters.far_rows import pearson_iii_tail, savage_scores
from monitor.clusters.known_rows import neighbours

BASELINE = np.array([100] * 9 + [50, 25, 15, 5, 3, 2])


def test_scores_are_minus_the_log_of_the_share_beyond():
    # One row a bin: −ln(1 − u) at ranks, as many small steps add up to.
    u = (np.arange(100_000) + 0.5) / 100_000
    expected = -np.log1p(-u).reshape(10, -1).mean(axis=1)
    assert savage_scores(np.ones(10)) == pytest.approx(expected, rel=1e-3)


def test_the_level_holds_for_dealt_rows():
    rng = np.random.default_rng(0)
    total = BASELINE + BASELINE // 5
    drawn = rng.multivariate_hypergeometric(total, 200, size=3_000)
    p_values = np.array([FarRows.of(total - window, window).p_value for window in drawn])
    for level in (0.05, 0.01):
        assert 0.2 * level < (p_values <= level).mean() < 1.2 * level


@pytest.mark.parametrize("skewness", [-2.0, -0.3, -1e-6, 0.0, 1e-6, 1e-4, 0.1, 1.5])
def test_the_tail_is_that_of_pearson_iii(skewness):
    z = np.array([-9.0, -1.0, 0.0, 0.7, 3.0, 8.0])
    ours = [pearson_iii_tail(value, skewness) for value in z]
    assert ours == pytest.approx(stats.pearson3.sf(z, skewness), rel=1e-10, abs=1e-300)


def test_new_rows_of_the_same_kind_are_as_far_as_the_baselines():
    """Also where the baseline's rows are its known rows, and hold copies."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(500, 12)).astype(np.float32)
    baseline = fit(np.concatenate([rows, rows[:100]]), {"name": "x"}, Clustering(4))
    assert baseline.statistics.sketch.n_novel == pytest.approx(6, abs=3)
    shares = [
        baseline.sketch(rng.normal(size=(500, 12)), {}).nearness_counts[5:].sum() / 500
        for _ in range(4)
    ]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.06)


def test_nearest_known_rows_are_the_same_in_any_pieces():
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(700, 40)).astype(np.float32)
    known = rng.normal(size=(300, 40)).astype(np.float32)
    whole, nearest = neighbours(rows, known)
    pieces = np.concatenate([neighbours(rows[at : at + 33], known)[0] for at in range(0, 700, 33)])
    assert (whole == pieces).all()
    exact = np.linalg.norm(rows[:, None] - known[None], axis=2)
    assert whole == pytest.approx(np.sort(exact, axis=1)[:, :5].mean(axis=1), rel=1e-5)
    assert (nearest == exact.argmin(axis=1)).all()
