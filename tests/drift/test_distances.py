"""Distances against scipy, hand-computed values and their own laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from monitor.drift.distances import (
    Distance,
    chi_square,
    contributions,
    hellinger,
    jsd,
    psi,
    wasserstein,
)
from monitor.errors import InvalidInputError

OVER_CLUSTERS = (jsd, psi, hellinger, chi_square)

counts = st.lists(st.integers(0, 1000), min_size=4, max_size=4).filter(any).map(np.array)


@given(counts, counts)
def test_jsd_is_scipys(baseline, window):
    # scipy's own square root of a rounding error may be NaN or 1e-9 where the two are equal.
    expected = np.nan_to_num(jensenshannon(baseline, window, base=2))
    assert jsd(baseline, window) == pytest.approx(expected, abs=1e-7)


@given(counts, counts)
def test_every_distance_is_zero_for_equal_shares_and_never_negative(baseline, window):
    for distance in OVER_CLUSTERS:
        assert distance(baseline, window) >= 0
        assert distance(baseline, baseline) == pytest.approx(0, abs=1e-7)


@given(counts, counts)
def test_distances_are_symmetric_and_contributions_sum_to_one(baseline, window):
    assert jsd(baseline, window) == pytest.approx(jsd(window, baseline), abs=1e-12)
    assert hellinger(baseline, window) == pytest.approx(hellinger(window, baseline), abs=1e-12)
    if baseline.sum() == window.sum():
        assert psi(baseline, window) == pytest.approx(psi(window, baseline))
    total = contributions(baseline, window).sum()
    assert total == pytest.approx(1) or jsd(baseline, window) == 0


def test_psi_by_hand():
    # One is added to each count: shares 4/8, 3/8, 1/8 and 1/8, 3/8, 4/8.
    by_hand = 2 * (4 / 8 - 1 / 8) * np.log(4)
    assert psi(np.array([3, 2, 0]), np.array([0, 2, 3])) == pytest.approx(by_hand)


def test_many_windows_at_once():
    baseline = np.array([10, 20, 30])
    windows = np.array([[1, 2, 3], [3, 2, 1]])
    for distance in OVER_CLUSTERS:
        together = distance(baseline, windows)
        assert together.tolist() == [float(distance(baseline, w)) for w in windows]


@given(counts, counts)
def test_wasserstein_is_scipys(baseline, window):
    positions = np.array([0.0, 0.5, 2.0, 7.0])
    expected = stats.wasserstein_distance(positions, positions, baseline, window)
    assert wasserstein(baseline, window, positions) == pytest.approx(expected, abs=1e-9)


@given(counts, counts)
def test_chi_square_is_scipys(baseline, window):
    table = np.array([baseline, window])
    table = table[:, table.any(axis=0)]
    expected = stats.chi2_contingency(table, correction=False).statistic
    assert chi_square(baseline, window) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda b, w: 0.5,
            r"gives shape \(\) for counts of shape \(9, 3\), not \(9,\): a number for each",
        ),
        (lambda b, w: w / b, r"gives shape \(9, 3\)"),
        (lambda b, w: None, r"gives shape \(\)"),
        (lambda b, w: w.sum(axis=-1) * np.nan, "gives nan: distances are numbers from 0 on"),
        (lambda b, w: -w.sum(axis=-1), r"gives -6\.0"),
        (lambda b, w: w.sum(axis=-1) * np.inf, "gives inf"),
        (lambda b, w: b["no"], "fails on counts of shape .*IndexError"),
    ],
)
def test_what_is_no_distance_says_why(function, message):
    counts = np.full((9, 3), 2)
    with pytest.raises(InvalidInputError, match=f"the distance 'mine' {message}"):
        Distance("mine", function).measured(counts, counts)
    # No rows, no distance: that is no fault of it.
    assert np.isnan(
        Distance("tv", lambda b, w: w.sum(-1) * np.nan).measured(counts, 0 * counts)
    ).all()
