"""Windows in a row: small lasting shifts, onsets, and budgets that hold."""

from dataclasses import replace

import numpy as np
import pytest

from monitor.clusters import Clustering, RowMetadata, RowWindows, fit
from monitor.drift import Rules, SequenceWindow, Shift, due_test, judge_sequence, onset
from monitor.drift.pooled import LENGTHS, stride

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
        SequenceWindow(sketch, baseline.statistics_of(number, "1d"), number, number in drifted)
        for number, sketch in enumerate(sketches, start=first)
    ]


def judged(baseline, sketches, *, alpha=ALPHA):
    return judge_sequence(
        row(baseline, sketches), baseline, rules=Rules(alpha, distances=()), pooled_alpha=alpha
    )


def days(baseline, shifted, *, n=300, seed=10, length=48):
    """Sketches of `length` days, those in `shifted` with another mix."""
    return [
        baseline.sketch(rows(n, seed + day, SHIFTED if day in shifted else SHARES), {})
        for day in range(length)
    ]


def flagged(judgements):
    return [day for day, j in enumerate(judgements) if j.judgement.verdict == "drift"]


def test_a_shift_that_no_window_shows_is_an_episode_with_both_ends(baseline):
    """From the first alarm to the end it goes on; the calm month after it is calm."""
    judgements = judged(baseline, days(baseline, range(8, 28), seed=100))
    together = flagged(judgements)
    assert 9 <= together[0] <= 20
    assert len(together) >= 0.7 * (together[-1] + 1 - together[0])
    assert 26 <= together[-1] <= 29
    by_itself = [day for day in together if not judgements[day].judgement.is_by_pooled_test]
    assert len(by_itself) <= 3
    assert abs(together[-1] - judgements[together[-1]].shift.since - 8) <= 3


def test_calm_windows_stay_calm(baseline):
    assert flagged(judged(baseline, days(baseline, (), seed=1000))) == []


def test_a_shift_that_is_over_is_dated_and_no_calm_window_is_called_drift(baseline):
    """Four days are seen only by a test that is due after they are over."""
    more = SHARES + np.array([-0.09, 0, 0, 0.09])
    sketches = days(baseline, (), seed=1000, length=16)
    for day in range(8, 12):
        sketches[day] = baseline.sketch(rows(150, 60 + day, more), {})
    windows = row(baseline, sketches)
    pooled, members = due_test(windows[:13], baseline, rules=Rules(0.05))
    assert pooled.is_drift
    assert members[-1] == 12
    found = judge_sequence(
        windows[12:13], baseline, rules=Rules(1e-6), pooled_alpha=0.05, past=windows[:12]
    )[0]
    assert found.judgement.verdict == "no drift"
    assert "which is calm" in found.judgement.reason
    assert found.shift in (Shift(4, 1), Shift(3, 1))


def test_the_levels_of_all_looks_sum_to_the_budget(baseline):
    windows = row(baseline, days(baseline, (), n=60, seed=2000, length=33))
    made = set()
    for end in (*range(1, 18), 33):
        found = due_test(windows[:end], baseline, rules=Rules(0.001))
        if found is not None:
            made.add((found[0].n_windows, found[0].alpha))
    assert made
    for length, alpha in made:
        assert alpha == pytest.approx(0.001 / len(LENGTHS) * stride(length))
    # Looks a window, times their level, over all lengths.
    assert sum(0.001 / len(LENGTHS) * stride(m) / stride(m) for m in LENGTHS) == pytest.approx(
        0.001
    )


def test_a_window_that_drifted_by_itself_alarms_alone(baseline):
    sketches = days(baseline, (), seed=3000, length=20)
    sketches[10] = baseline.sketch(rows(200, 5, SHARES[::-1]), {})
    assert flagged(judged(baseline, sketches)) == [10]


def test_verdicts_do_not_depend_on_where_the_sequence_was_cut(baseline):
    """Window by window with what was found before, as a schedule judges, or all at once."""
    windows = row(baseline, days(baseline, range(8, 28), seed=4000, length=36))
    rules = Rules(0.01, distances=())
    whole = judge_sequence(windows, baseline, rules=rules, pooled_alpha=0.01)
    past = []
    for window, expected in zip(windows, whole, strict=True):
        (found,) = judge_sequence([window], baseline, rules=rules, pooled_alpha=0.01, past=past)
        assert found.shift == expected.shift
        assert found.judgement.pooled_test == expected.judgement.pooled_test
        is_alone = found.judgement.verdict == "drift" and not found.judgement.is_by_pooled_test
        past.append(replace(window, is_drift=is_alone, shift=found.shift))
    assert any(found.shift for found in whole)


@pytest.mark.parametrize("begun", [0, 5, 11])
def test_the_onset_is_found(baseline, begun):
    more = SHARES + np.array([-0.15, 0, 0, 0.15])
    sketches = [
        baseline.sketch(rows(300, 5000 + i, more if i >= begun else SHARES), {}) for i in range(12)
    ]
    assert abs(onset(row(baseline, sketches), baseline) - begun) <= 1


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
    windows = row(weekly, sketches, first=84)
    assert onset(windows, weekly) == begun
    plain = [replace(window, statistics=weekly.statistics) for window in windows]
    assert onset(plain, weekly) == 10  # Sunday


def test_pooled_windows_are_held_against_the_mix_of_their_own_days(weekly):
    """Four days with a Sunday are fair to Sundays, and a day that drifted stops no look."""
    sketches = [
        weekly.sketch(rows(150, 900 + day, SHARES[::-1] if day % 7 == 3 else SHARES), {})
        for day in range(84, 100)
    ]
    windows = row(weekly, sketches, first=84, drifted=(91,))
    looks = [due_test(windows[:end], weekly, rules=Rules(0.05)) for end in range(2, 17)]
    made = [look[0] for look in looks if look is not None]
    assert {test.n_windows for test in made} >= {2, 4}
    assert len(made) >= 12
    assert min(test.p_value for test in made) > 0.001
