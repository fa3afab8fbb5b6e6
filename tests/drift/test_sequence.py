"""Windows in a row: small lasting shifts, onsets, and budgets that hold."""

import numpy as np
import pytest

from monitor.clusters import Clustering, RowMetadata, RowWindows, fit
from monitor.drift import Rules, SequenceWindow, onset, pooled_tests
from monitor.drift.sequence import LENGTHS, stride

WIDTH = 8
ALPHA = 1 / 730
CENTRES = np.random.default_rng(3).normal(size=(4, WIDTH)) * 2
SHARES = np.array([0.4, 0.3, 0.2, 0.1])
SHIFTED = SHARES + np.array([-0.04, 0, 0, 0.04])


def rows(n, seed, shares=SHARES):
    rng = np.random.default_rng(seed)
    return CENTRES[rng.choice(4, n, p=shares)] + rng.normal(size=(n, WIDTH))


@pytest.fixture(scope="module")
def baseline():
    return fit(rows(8000, 0), {"name": "x"}, Clustering(4))


def row(baseline, sketches, *, first=0, drifted=()):
    return [
        SequenceWindow(sketch, baseline.statistics_of(number), number, number in drifted)
        for number, sketch in enumerate(sketches, start=first)
    ]


def judged_together(baseline, sketches, *, alpha=ALPHA, drifted=()):
    return pooled_tests(row(baseline, sketches, drifted=drifted), baseline, rules=Rules(alpha))


def test_a_shift_that_no_window_shows_is_seen_in_many(baseline):
    sketches = [baseline.sketch(rows(200, 10 + i, SHIFTED), {}) for i in range(32)]
    found = judged_together(baseline, sketches)
    assert found[0] is None
    assert found[-1].is_drift
    first = next(i for i, pooled in enumerate(found) if pooled is not None and pooled.is_drift)
    assert 1 <= first < 24


def test_calm_windows_stay_calm(baseline):
    sketches = [baseline.sketch(rows(200, 1000 + i), {}) for i in range(64)]
    assert not any(
        pooled is not None and pooled.is_drift for pooled in judged_together(baseline, sketches)
    )


def test_the_levels_of_all_looks_sum_to_the_budget(baseline):
    sketches = [baseline.sketch(rows(40, 2000 + i), {}) for i in range(64)]
    made = set()
    for pooled, number in zip(
        judged_together(baseline, sketches, alpha=0.001), range(64), strict=True
    ):
        if pooled is not None:
            made.add((pooled.n_windows, pooled.alpha, number))
    for length, alpha, _ in made:
        assert alpha == pytest.approx(0.001 / len(LENGTHS) * stride(length))
    # Looks a window, times their level, over all lengths.
    assert sum(0.001 / len(LENGTHS) * stride(m) / stride(m) for m in LENGTHS) == pytest.approx(
        0.001
    )


def test_a_window_that_drifted_by_itself_is_left_out(baseline):
    wild = baseline.sketch(rows(200, 5, SHARES[::-1]), {})
    sketches = [baseline.sketch(rows(200, 3000 + i), {}) for i in range(20)]
    sketches[10] = wild
    apart = judged_together(baseline, sketches, drifted=(10,))
    assert not any(pooled is not None and pooled.is_drift for pooled in apart)


def test_looks_do_not_depend_on_where_the_sequence_was_cut(baseline):
    sketches = [baseline.sketch(rows(100, 4000 + i, SHIFTED), {}) for i in range(48)]
    whole = judged_together(baseline, sketches)[-1]
    tail = pooled_tests(row(baseline, sketches[-40:], first=8), baseline, rules=Rules(ALPHA))[-1]
    assert whole == tail


@pytest.mark.parametrize("begun", [0, 5, 11])
def test_the_onset_is_found(baseline, begun):
    more = SHARES + np.array([-0.15, 0, 0, 0.15])
    sketches = [
        baseline.sketch(rows(300, 5000 + i, more if i >= begun else SHARES), {}) for i in range(12)
    ]
    assert abs(onset([(sketch, baseline.statistics) for sketch in sketches], baseline) - begun) <= 1


@pytest.fixture(scope="module")
def weekly():
    """Twelve weeks in which every Sunday is of another mix."""
    days = [rows(150, 100 + day, SHARES[::-1] if day % 7 == 3 else SHARES) for day in range(84)]
    return fit(
        np.concatenate(days),
        {"name": "x"},
        Clustering(4),
        RowMetadata(windows=RowWindows("1d", np.repeat(np.arange(84), 150), 7)),
    )


@pytest.mark.parametrize("begun", [11, 12, 13])
def test_the_onset_is_found_where_days_of_the_week_differ(weekly, begun):
    """Days are held against their own: the Sunday before a shift, as Sundays are, is not its start."""
    assert len(weekly.seasons) == 7
    sketches = []
    for day in range(84, 98):
        vectors = rows(150, day, SHARES[::-1] if day % 7 == 3 else SHARES)
        sketches.append(weekly.sketch(vectors + (0.3 if day - 84 >= begun else 0.0), {}))
    runs = [(window.sketch, window.statistics) for window in row(weekly, sketches, first=84)]
    assert onset(runs, weekly) == begun
    assert onset([(sketch, weekly.statistics) for sketch in sketches], weekly) == 10  # Sunday
