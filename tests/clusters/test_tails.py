"""Tails of distributions, held against scipy's public functions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from monitor.clusters.tails import hypergeometric_tails, landau_tail


@pytest.mark.parametrize("x", [-3.0, 0.0, 2.5, 1e3, 1e9])
def test_landau_is_scipys(x: float) -> None:
    assert landau_tail(x) == pytest.approx(stats.landau.sf(x), rel=1e-12)


def test_hypergeometric_is_scipys_inside_and_beyond_its_support() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        n_all = int(rng.integers(2, 400))
        n_drawn = int(rng.integers(0, n_all + 1))
        marked = rng.integers(0, n_all + 1, size=4)
        k = rng.integers(-1, n_all + 2, size=4)
        up_to, beyond = hypergeometric_tails(k, n_all, marked, n_drawn)
        assert up_to == pytest.approx(stats.hypergeom.cdf(k, n_all, marked, n_drawn), abs=1e-9)
        assert beyond == pytest.approx(stats.hypergeom.sf(k - 1, n_all, marked, n_drawn), abs=1e-9)
