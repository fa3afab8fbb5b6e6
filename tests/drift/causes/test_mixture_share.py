"""The share of new rows and how likely each is new, from ranks whose law is known."""

import numpy as np
import pytest
from scipy import stats

from monitor.drift.causes.mixture_share import (
    independent_rows,
    least_left,
    mixture_share,
    posteriors,
)
from monitor.drift.causes.share_interval import share_interval

N, N_KNOWN = 200, 1_000


def ranks(n_new, rng, new=None):
    """Old rows' ranks are uniform; new ones' are the smallest, or drawn by `new`."""
    old = rng.integers(1, N_KNOWN + 2, N - n_new) / (N_KNOWN + 1)
    of_new = np.full(n_new, 1 / (N_KNOWN + 1)) if new is None else new(n_new)
    return np.concatenate([of_new, old])


def beta(rng):
    return lambda n: np.ceil(rng.beta(0.3, 4, n) * (N_KNOWN + 1)) / (N_KNOWN + 1)


@pytest.mark.parametrize("n_new", [0, 10, 40, 100])
def test_rows_unlike_anything_are_counted_to_the_row(n_new):
    shares = [
        mixture_share(ranks(n_new, np.random.default_rng(seed)), N_KNOWN, N) for seed in range(40)
    ]
    assert np.mean(shares) == pytest.approx(n_new / N, abs=0.02)
    # Of forty windows hardly one is far off.
    assert np.mean(np.abs(np.array(shares) - n_new / N) <= max(0.05, n_new / N / 4)) >= 0.9


def test_half_familiar_rows_are_counted_in_part():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        assert 0.3 < mixture_share(ranks(100, rng, beta(rng)), N_KNOWN, N) < 0.6


@pytest.mark.parametrize("n_new", [10, 40, 100])
@pytest.mark.parametrize("is_half_familiar", [False, True])
def test_intervals_hold_the_truth_and_tell_something(n_new, is_half_familiar):
    intervals = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        of_rows = ranks(n_new, rng, beta(rng) if is_half_familiar else None)
        intervals.append(share_interval(of_rows, N_KNOWN, N))
    low, high = np.array(intervals).T
    share = n_new / N
    assert np.mean((low <= share) & (share <= high)) >= 0.85
    assert (high - low).mean() < 0.5
    assert low.mean() > share / 8


def test_copies_make_intervals_wider():
    rng = np.random.default_rng(0)
    of_rows = ranks(40, rng)
    (low, high), (lower, higher) = (share_interval(of_rows, N_KNOWN, n) for n in (N, N / 10))
    assert lower < low < high < higher


def test_posteriors_are_those_of_the_law():
    """P(new | rank) by Bayes' rule, where both laws are known."""
    gaps = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        of_rows = ranks(100, rng, beta(rng))
        scores = posteriors(of_rows, 0.5, N_KNOWN, N)
        assert (np.diff(scores[np.argsort(of_rows)]) <= 1e-12).all()
        density = stats.beta(0.3, 4).pdf(of_rows)
        true = density / (density + 1)
        gaps.append(np.mean(scores - true))
        assert np.mean(np.abs(scores - true)) < 0.25
    assert abs(np.mean(gaps)) < 0.1


def test_chance_lists_no_row():
    listed = [
        (posteriors(ranks(0, np.random.default_rng(seed)), 0.0, N_KNOWN, N) >= 0.5).sum()
        for seed in range(40)
    ]
    assert np.mean(listed) < 1


def test_what_is_gone_and_what_only_shrank():
    rng = np.random.default_rng(0)
    known = rng.normal(size=1_000)
    gone = np.sort(rng.normal(size=260))[60:]
    assert least_left(gone, known, len(gone)) < 0.3
    # One kind of rows four times as many: all others keep 4 parts in 7.
    grown = np.concatenate([rng.normal(size=114), rng.normal(4, 1, size=86)])
    assert least_left(grown, known, len(grown)) > 0.5


def test_copies_are_no_evidence():
    rows = np.eye(4, dtype=np.float32)
    assert independent_rows(rows) == 4
    assert independent_rows(np.repeat(rows, 5, axis=0)) == 4
    assert independent_rows(np.repeat(rows[:1], 9, axis=0)) == 1
