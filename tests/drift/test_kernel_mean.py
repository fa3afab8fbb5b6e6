"""The kernel test sees what means cannot, and is quiet when nothing changes."""

import numpy as np
import pytest

from monitor.clusters import Clustering, fit
from monitor.drift import Comparison
from monitor.drift.kernel_mean import KERNEL_MEAN
from monitor.drift.mean import MEAN

WIDTH = 4


def two_blobs(n, rng):
    return rng.normal(scale=0.3, size=(n, WIDTH)) + rng.choice([-1, 1], n)[:, None]


def one_blob(n, rng):
    """The same mean and the same covariance."""
    return rng.multivariate_normal(
        np.zeros(WIDTH), np.full((WIDTH, WIDTH), 1.0) + 0.09 * np.eye(WIDTH), n
    )


@pytest.fixture(scope="module")
def baseline():
    rows = two_blobs(1_000, np.random.default_rng(0))
    return fit(rows, {"name": "x"}, Clustering(2, scaling="raw"))


def p_value(test, window, baseline):
    comparison = Comparison(
        baseline.sketch(window, {}), baseline, baseline.statistics, np.random.default_rng(0)
    )
    return test.null(comparison).p_value(0.01)


def test_another_shape_of_the_same_mean_is_seen(baseline):
    window = one_blob(300, np.random.default_rng(1))
    window -= window.mean(axis=0) - baseline.statistics.sketch.mean
    assert p_value(KERNEL_MEAN, window, baseline) < 1e-6
    assert p_value(MEAN, window, baseline) > 0.5


def test_its_level_holds(baseline):
    rng = np.random.default_rng(2)
    quiet = np.array([p_value(KERNEL_MEAN, two_blobs(60, rng), baseline) for _ in range(300)])
    assert 0.01 <= (quiet <= 0.05).mean() <= 0.1
    assert (quiet <= 0.01).mean() <= 0.03
