"""Moments over all deals of rows, against dealing them."""

import numpy as np
import pytest

from monitor.drift.permutations import dealt_null


def dealt(rows, n, n_deals, rng):
    """‖x̄ − ȳ‖² of random deals."""
    statistics = []
    for _ in range(n_deals):
        order = rng.permutation(len(rows))
        moved = rows[order[:n]].mean(axis=0) - rows[order[n:]].mean(axis=0)
        statistics.append(moved @ moved)
    return np.array(statistics)


@pytest.mark.parametrize("tail", [4, 100])
def test_the_moments_are_those_of_deals(tail):
    rng = np.random.default_rng(0)
    rows = rng.standard_t(tail, size=(120, 5)) * np.array([3, 1, 1, 0.5, 0.5])
    statistics = dealt(rows, 20, 8_000, rng)
    observed, null = dealt_null(rows[:20], rows[20:])
    moved = rows[:20].mean(axis=0) - rows[20:].mean(axis=0)
    assert observed == pytest.approx(moved @ moved)
    c1, c2, _ = null.moments
    assert c1 == pytest.approx(statistics.mean(), rel=0.03)
    assert 2 * c2 == pytest.approx(statistics.var(), rel=0.1)
    for share in (0.05, 0.01):
        p_value = null.p_value(float(np.quantile(statistics, 1 - share)))
        assert p_value == pytest.approx(share, rel=0.35)


def test_all_deals_of_few_rows_have_exactly_the_mean_and_the_variance():
    from itertools import combinations

    rows = np.random.default_rng(1).normal(size=(8, 3)) ** 3
    statistics = []
    for side in combinations(range(8), 3):
        others = [at for at in range(8) if at not in side]
        moved = rows[list(side)].mean(axis=0) - rows[others].mean(axis=0)
        statistics.append(moved @ moved)
    _, null = dealt_null(rows[:3], rows[3:])
    assert null.moments[0] == pytest.approx(np.mean(statistics))
    assert 2 * null.moments[1] == pytest.approx(np.var(statistics))


def test_rows_that_do_not_differ_have_no_null():
    _, null = dealt_null(np.ones((5, 2)), np.ones((9, 2)))
    assert not null.is_known
