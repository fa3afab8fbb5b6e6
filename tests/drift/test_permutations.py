"""Moments over all deals of rows, against dealing them."""

import numpy as np
import pytest

from monitor.drift.dealt_rows import DealtRows
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
    observed, null = dealt_null(rows[:20], DealtRows.of(rows[20:]))
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
    _, null = dealt_null(rows[:3], DealtRows.of(rows[3:]))
    assert null.moments[0] == pytest.approx(np.mean(statistics))
    assert 2 * null.moments[1] == pytest.approx(np.var(statistics))


@pytest.mark.parametrize("n", [7, 60])
def test_the_third_moment_is_that_of_independent_rows_term_by_term(n):
    rng = np.random.default_rng(2)
    rows = rng.gamma(1.0, size=(150 + n, 6)) * np.arange(1, 7)
    rows[:n] += 0.7
    m = len(rows) - n
    z = rows - rows.mean(axis=0)
    gram = z @ z.T
    squares, lengths = np.diagonal(gram), (gram**2).sum(axis=1) / len(z)
    excess = squares - squares.mean()
    # Of pairs all of the baseline's and of the window's rows are taken where these are so few.
    pairs = gram**3
    np.fill_diagonal(pairs, 0.0)
    covariance = z.T @ z / len(z)
    s = {k: 1 / n ** (k - 1) + (-1) ** k / m ** (k - 1) for k in (2, 3, 4, 6)}
    third = (
        s[6] * (excess**3).mean()
        + 12 * (s[4] * s[2] - s[6]) * (excess * lengths).mean()
        + 4 * (s[3] ** 2 - s[6]) * pairs.sum() / (len(z) * (len(z) - 1))
        + 8
        * (s[2] ** 3 - 3 * s[4] * s[2] + 2 * s[6])
        * np.trace(covariance @ covariance @ covariance)
    )
    _, null = dealt_null(rows[:n], DealtRows.of(rows[n:]))
    assert 8 * null.moments[2] == pytest.approx(third, rel=1e-5)


def test_some_rows_tell_the_third_moment_of_many():
    rng = np.random.default_rng(3)
    rows, others = rng.gamma(1.0, size=(40, 6)), rng.gamma(1.0, size=(1_500, 6))
    _, of_some = dealt_null(rows, DealtRows.of(others))
    _, of_fewer = dealt_null(rows, DealtRows.of(others[rng.permutation(1_500)]))
    assert of_some.moments[2] == pytest.approx(of_fewer.moments[2], rel=0.01)
    assert of_some.moments[:2] == pytest.approx(of_fewer.moments[:2])


def test_rows_that_do_not_differ_have_no_null():
    _, null = dealt_null(np.ones((5, 2)), DealtRows.of(np.ones((9, 2))))
    assert not null.is_known
