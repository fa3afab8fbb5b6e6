"""Distances to known rows: the test of their counts, and that the baseline's are those of new rows."""

import numpy as np
import pytest

from monitor.clusters import Clustering, FarRows, fit
from monitor.clusters.far_rows import savage_scores
from monitor.clusters.known_rows import neighbours

BASELINE = np.array([100] * 9 + [50, 25, 15, 5, 3, 2])


def test_scores_are_minus_the_log_of_the_share_beyond():
    # One row a bin: −ln(1 − u) at ranks, as many small steps add up to.
    u = (np.arange(100_000) + 0.5) / 100_000
    expected = -np.log1p(-u).reshape(10, -1).mean(axis=1)
    assert savage_scores(np.ones(10)) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("level", [0.05, 0.01])
def test_the_level_holds_for_dealt_rows(level):
    rng = np.random.default_rng(0)
    total = BASELINE + BASELINE // 5
    drawn = rng.multivariate_hypergeometric(total, 200, size=3_000)
    p_values = np.array([FarRows.of(total - window, window).p_value for window in drawn])
    assert 0.2 * level < (p_values <= level).mean() < 1.2 * level


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
