"""What windows of production teach of how much windows without drift differ."""

import numpy as np
import pytest

from monitor.clusters import RATIOS, Clustering, RowMetadata, RowWindows, fit
from monitor.drift import Rules, SequenceWindow, Shift, calibrate, judge, judge_sequence
from monitor.drift.learning import MOST_LESSONS, STEP, learn
from monitor.drift.onset import LONGEST_RUN

DAYS, N, K = 12, 200, 4
CENTRES = np.eye(K, 6) * 4
SHARES = np.array([0.4, 0.3, 0.2, 0.1])
MINIMUM = 50


def day(rng, correlation=0.0):
    shares = rng.dirichlet(SHARES * (1 / correlation - 1)) if correlation else SHARES
    return CENTRES[rng.choice(K, N, p=shares)] + rng.normal(size=(N, 6)) * 0.5


@pytest.fixture(scope="module")
def baseline():
    """Twelve days of independent rows: they do not show that days differ."""
    rng = np.random.default_rng(1)
    rows = np.concatenate([day(rng) for _ in range(DAYS)])
    windows = RowMetadata(windows=RowWindows("1d", np.arange(len(rows)) // N))
    return fit(rows, {"name": "x"}, Clustering(K), windows)


def production(baseline, n, correlation=0.0, seed=2):
    rng = np.random.default_rng(seed)
    return [
        SequenceWindow(baseline.sketch(day(rng, correlation), {}), baseline.statistics, number)
        for number in range(n)
    ]


def independent(baseline, lessons):
    replayed = baseline.statistics.replayed
    return calibrate(replayed if lessons is None else replayed.plus(lessons)).independent


def test_windows_teach_when_all_tests_that_pool_them_are_made(baseline):
    windows = production(baseline, 100)
    assert learn(windows[: LONGEST_RUN + STEP - 1], baseline, MINIMUM) is None
    for n, teachers in ((LONGEST_RUN + STEP, STEP), (60, 24), (64, 32), (100, MOST_LESSONS)):
        lessons = learn(windows[:n], baseline, MINIMUM)
        assert lessons.ratios.shape == lessons.freedoms.shape == (len(RATIOS), teachers)
        assert lessons.scales.shape == (teachers,)


def test_lessons_are_what_the_tests_hold_against_chance(baseline):
    """The mean of a χ² over its degrees of freedom is 1; nothing was measured of pixels."""
    windows = production(baseline, LONGEST_RUN + STEP)
    lessons = learn(windows, baseline, MINIMUM)
    by_name = dict(zip(RATIOS, lessons.ratios, strict=True))
    assert np.isnan(by_name.pop("pixels")).all()
    judgement = judge(windows[0].sketch, baseline, rules=Rules(0.05))
    b, w = judgement.baseline_histogram, judgement.window_histogram
    total = b.sum() + w.sum()
    expected = (K - 1) * total / (total - 1)
    assert by_name["mix"][0] == pytest.approx(judgement.outcome("mix").statistic / expected)
    assert np.mean([ratios.mean() for ratios in by_name.values()]) == pytest.approx(1, abs=0.35)


def test_days_that_differ_teach_that_days_differ(baseline):
    alike = learn(production(baseline, 64), baseline, MINIMUM)
    varied = learn(production(baseline, 64, correlation=0.01), baseline, MINIMUM)
    before = independent(baseline, None)
    assert before > 0.5
    assert independent(baseline, varied) < 0.01 < before <= independent(baseline, alike)
    unusual = production(baseline, 1, correlation=0.05, seed=5)[0].sketch
    rules = Rules(0.01)
    untaught, taught, calm = (
        judge(unusual, baseline, rules=rules, lessons=lessons).p_value
        for lessons in (None, varied, alike)
    )
    assert calm < untaught * 2
    assert taught > 5 * untaught


@pytest.mark.parametrize("how", ["drifted", "of a shift", "small", "empty"])
def test_only_calm_windows_teach(baseline, how):
    windows = production(baseline, 96)
    unfit = range(5, 15)
    nothing = baseline.sketch(np.zeros((0, 6)), {})
    few = baseline.sketch(day(np.random.default_rng(0))[: MINIMUM - 1], {})
    for at in unfit:
        was = windows[at]
        windows[at] = SequenceWindow(
            nothing if how == "empty" else few if how == "small" else was.sketch,
            was.statistics,
            was.number,
            is_drift=how == "drifted",
            # Found after the last of them, or much later.
            shift=Shift(at - 5) if how == "of a shift" else None,
        )
    lessons = learn(windows[:64], baseline, MINIMUM)
    assert len(lessons) == MOST_LESSONS - len(unfit)
    assert np.isfinite(lessons.scales).all()
    # Later ones take their place.
    assert len(learn(windows, baseline, MINIMUM)) == MOST_LESSONS


def test_windows_that_resemble_the_last_one_teach_that_they_do(baseline):
    rng = np.random.default_rng(7)
    walk = np.cumsum(rng.normal(size=64)) * 0.02
    windows = [
        SequenceWindow(baseline.sketch(day(rng) + level, {}), baseline.statistics, number)
        for number, level in enumerate(walk)
    ]
    slow = learn(windows, baseline, MINIMUM)
    other = learn(production(baseline, 64), baseline, MINIMUM)
    assert slow.likeness > 4
    assert slow.autocorrelations[0] > 0.6
    assert abs(other.likeness) < 2.5
    moved = [day(rng) + 0.5 for _ in range(64)]
    steady = learn(
        [
            SequenceWindow(baseline.sketch(rows, {}), baseline.statistics, number)
            for number, rows in enumerate(moved)
        ],
        baseline,
        MINIMUM,
    )
    assert abs(steady.likeness) < 2.5


def test_nobody_calm_teaches_nothing(baseline):
    windows = [
        SequenceWindow(each.sketch, each.statistics, each.number, is_drift=True)
        for each in production(baseline, 64)
    ]
    assert learn(windows, baseline, MINIMUM) is None


def test_a_baseline_without_times_learns_when_windows_are_many():
    """A few could not tell that rows are independent, as they are taken to be until then."""
    rng = np.random.default_rng(3)
    undated = fit(np.concatenate([day(rng) for _ in range(DAYS)]), {"name": "x"}, Clustering(K))
    rules = Rules(0.01)
    (unusual,) = production(undated, 1, correlation=0.05, seed=5)
    untaught = judge(unusual.sketch, undated, rules=rules).p_value
    for correlation in (0.0, 0.01):
        windows = production(undated, 64, correlation=correlation)
        assert learn(windows[:48], undated, MINIMUM) is None
        lessons = learn(windows, undated, MINIMUM)
        assert len(lessons) == MOST_LESSONS
        assert lessons.scales == pytest.approx(1 / (1 / undated.statistics.sketch.n + 1 / N))
        taught = judge(unusual.sketch, undated, rules=rules, lessons=lessons).p_value
        assert taught > 5 * untaught if correlation else taught < 3 * untaught


def test_a_later_call_learns_what_one_call_learns(baseline):
    """A schedule judges window by window, with the first windows and the last ones."""
    rules = Rules(0.01, distances=())
    windows = production(baseline, 70, correlation=0.005)
    whole = judge_sequence(windows, baseline, rules=rules, pooled_alpha=0.01)
    before = [
        SequenceWindow(
            window.sketch,
            window.statistics,
            window.number,
            entry.judgement.verdict == "drift" and not entry.judgement.is_by_pooled_test,
            entry.shift,
        )
        for window, entry in zip(windows, whole, strict=True)
    ]
    for at in (LONGEST_RUN + STEP + 1, 69):
        past, first = before[max(at - 64, 0) : at], before[: min(at, 96)]
        (entry,) = judge_sequence(
            [windows[at]], baseline, rules=rules, pooled_alpha=0.01, past=past, first=first
        )
        assert entry.judgement.p_value == whole[at].judgement.p_value
        alone = judge(windows[at].sketch, baseline, rules=rules)
        assert entry.judgement.p_value != alone.p_value


def test_without_pooled_tests_nobody_teaches(baseline):
    rules = Rules(0.01, distances=())
    windows = production(baseline, 42, correlation=0.01)
    judged = judge_sequence(
        windows[-1:], baseline, rules=rules, pooled_alpha=None, past=windows[:-1]
    )
    assert judged[0].judgement.p_value == judge(windows[-1].sketch, baseline, rules=rules).p_value


def test_a_lesson_counts_as_a_window_of_the_baseline(baseline):
    """Windows that are as the baseline's own leave the law as it is."""
    replayed = baseline.statistics.replayed
    together = replayed.plus(replayed)
    np.testing.assert_allclose(together.autocorrelations, replayed.autocorrelations)
    assert together.likeness == pytest.approx(np.sqrt(2) * replayed.likeness)
    law, other = (calibrate(windows).ratios["mean"] for windows in (replayed, together))
    assert law.mean_scale == other.mean_scale
    assert law.mean_excess == pytest.approx(other.mean_excess)
