"""Shifts of pixel statistics, against scipy on the raw values, against planted changes, and for level."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from monitor.clusters.quality_sketch import QualityReference, QualitySketch, fit_quality
from monitor.drift.causes.pixels import QualityShift, quality_shifts

FIELDS = ("sharpness", "width", "size", "gaps")


def rows(n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A continuous field, one with a few values, a constant one, and one with gaps."""
    return np.stack(
        [
            rng.normal(size=n),
            rng.choice([100, 200, 300, 640], p=[0.5, 0.3, 0.15, 0.05], size=n),
            np.full(n, 32.0),
            np.where(rng.random(n) < 0.1, np.nan, rng.gamma(1, size=n)),
        ],
        axis=1,
    ).astype(np.float32)


def column(values: object) -> NDArray[np.float32]:
    return np.asarray(values, dtype=np.float32)[:, None]


def only(reference: QualityReference, values: object) -> QualityShift:
    (shift,) = quality_shifts(reference, reference.count(column(values)))
    return shift


@pytest.fixture(scope="module")
def reference() -> QualityReference:
    return fit_quality(rows(5000, np.random.default_rng(0)), FIELDS)


def same(one: QualitySketch, other: QualitySketch) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("counts", "n_missing", "least", "greatest")
    )


def test_parts_add_up_to_the_whole_in_any_order(reference):
    rng = np.random.default_rng(1)
    window = rows(1000, rng)
    parts = [reference.count(part) for part in np.array_split(rng.permutation(window), 37)]
    forwards, backwards = reference.count(window[:0]), reference.count(window[:0])
    for part in parts:
        forwards = forwards + part
    for part in reversed(parts):
        backwards = part + backwards
    whole = reference.count(window)
    assert same(forwards, whole)
    assert same(backwards, whole)
    assert whole.n == 1000
    assert quality_shifts(reference, forwards) == quality_shifts(reference, whole)


def test_bins_hold_what_their_edges_say(reference):
    window = rows(1000, np.random.default_rng(2))
    sketch = reference.count(window)
    for k, values in enumerate(window.T):
        limits = np.concatenate([[-np.inf], reference.edges[k], [np.inf]])
        expected = [
            int(np.sum((values >= low) & (values < high)))
            for low, high in itertools.pairwise(limits)
        ]
        assert sketch.counts[k].tolist() == expected
    assert sketch.n_missing.tolist() == np.isnan(window).sum(axis=0).tolist()


def test_medians_are_those_of_the_values(reference):
    window = rows(2001, np.random.default_rng(3))
    window[:, 0] -= 0.7
    found = reference.count(window).medians
    exact = np.nanmedian(window, axis=0)
    assert found[0] == pytest.approx(exact[0], abs=0.03)
    assert found[1:3].tolist() == exact[1:3].tolist()
    assert found[3] == pytest.approx(exact[3], abs=0.03)


@pytest.mark.parametrize("moved", [-3.0, -0.5, 0.0, 0.2, 1.0])
def test_effect_is_cliffs_delta(moved):
    rng = np.random.default_rng(4)
    base, window = rng.normal(size=4000), rng.normal(moved, 1, size=700)
    u = stats.mannwhitneyu(window, base).statistic
    shift = only(fit_quality(column(base), ["x"]), window)
    assert shift.effect == pytest.approx(2 * u / (4000 * 700) - 1, abs=0.02)


def test_a_discrete_field_has_the_p_value_of_scipy_whichever_test_is_the_clearer():
    # Three values are three bins: nothing is lost by binning, and both tests are scipy's own.
    rng = np.random.default_rng(5)
    base = rng.choice([1.0, 2.0, 3.0], p=[0.4, 0.4, 0.2], size=900)
    window = rng.choice([1.0, 2.0, 3.0], p=[0.38, 0.38, 0.24], size=400)
    table = [[np.sum(sample == value) for value in (1, 2, 3)] for sample in (base, window)]
    level = stats.mannwhitneyu(window, base, use_continuity=False).pvalue
    shape = stats.chi2_contingency(table, correction=False).pvalue
    assert 0.001 < min(level, shape) < 0.1
    shift = only(fit_quality(column(base), ["x"]), window)
    assert shift.p_value == pytest.approx(2 * min(level, shape), rel=0.25)


@pytest.mark.parametrize(
    ("values", "direction", "median"),
    [([64.0] * 30, "up", 64.0), ([16.0] * 8 + [32.0] * 6, "down", 16.0)],
)
def test_a_new_size_is_seen_where_all_had_one(values, direction, median):
    shift = only(fit_quality(column([32.0] * 1000), ["width"]), values)
    assert shift.p_value < 0.001
    assert shift.direction == direction
    assert (shift.baseline_median, shift.window_median) == (32.0, median)


def test_one_odd_row_among_many_is_no_shift():
    shift = only(fit_quality(column([32.0] * 200), ["width"]), [32.0] * 199 + [64.0])
    assert shift.p_value > 0.3


def test_a_change_to_both_sides_is_seen_and_has_no_direction():
    shift = only(fit_quality(column([32.0] * 500), ["width"]), [16.0] * 20 + [64.0] * 20)
    assert shift.p_value < 0.001
    assert shift.effect == pytest.approx(0, abs=1e-9)
    assert shift.direction == "other"


def test_a_wider_spread_is_seen(reference):
    window = rows(400, np.random.default_rng(6))
    window[:, 0] *= 1.6
    shift = quality_shifts(reference, reference.count(window))[0]
    assert shift.p_value < 0.001
    assert shift.direction == "other"


def test_gaps_are_seen_and_hide_nothing():
    rng = np.random.default_rng(7)
    reference = fit_quality(column(rng.normal(size=1000)), ["sharpness"])
    gaps = rng.normal(size=100)
    gaps[:30] = np.nan
    shift = only(reference, gaps)
    assert shift.p_value < 0.001
    assert shift.direction == "other"
    assert (shift.baseline_missing, shift.window_missing) == (0, 0.3)
    moved = only(reference, gaps - 2)
    assert moved.direction == "down"
    assert moved.effect == pytest.approx(-0.84, abs=0.08)  # 2 Φ(−2 / √2) − 1


def test_a_field_that_only_one_side_has():
    nothing = [np.nan] * 100
    known = np.arange(100.0)
    appeared = only(fit_quality(column(nothing), ["bytes_per_pixel"]), known)
    vanished = only(fit_quality(column(known), ["bytes_per_pixel"]), nothing)
    for shift in (appeared, vanished):
        assert shift.p_value < 0.001
        assert shift.direction == "other"
        assert np.isnan(shift.effect)
    assert np.isnan(vanished.window_median)
    assert only(fit_quality(column(nothing), ["x"]), nothing).p_value == 1


def test_without_rows_nothing_is_said(reference):
    empty = reference.count(np.empty((0, 4)))
    assert [shift.p_value for shift in quality_shifts(reference, empty)] == [1, 1, 1, 1]
    assert all(np.isnan(shift.window_median) for shift in quality_shifts(reference, empty))
    unfitted = fit_quality(np.empty((0, 4)), FIELDS)
    window = unfitted.count(rows(50, np.random.default_rng(8)))
    assert [shift.p_value for shift in quality_shifts(unfitted, window)] == [1, 1, 1, 1]


def test_p_values_are_adjusted_over_the_fields():
    rng = np.random.default_rng(9)
    base, window = rng.normal(size=(1000, 1)), rng.normal(0.3, 1, size=(150, 1))
    alone = fit_quality(base, ["x"])
    among = fit_quality(np.hstack([base, np.tile(base, 4)]), list("xabcd"))
    quiet = np.hstack([window, np.tile(rng.normal(size=(150, 1)), 4)])
    one = quality_shifts(alone, alone.count(window))[0].p_value
    five = quality_shifts(among, among.count(quiet))[0].p_value
    assert one < 0.05
    assert five == pytest.approx(5 * one, rel=0.5)


def test_beyond_what_draws_can_tell_large_windows_go_on():
    rng = np.random.default_rng(10)
    reference = fit_quality(column(rng.normal(size=5000)), ["x"])
    assert only(reference, rng.normal(0.5, 1, size=2000)).p_value < 1e-6


def test_quiet_windows_alarm_at_most_as_often_as_promised():
    rng = np.random.default_rng(11)
    least = []
    for repeat in range(120):
        if repeat % 2 == 0:
            reference = fit_quality(rows(600, rng), FIELDS)
        window = reference.count(rows(int(rng.choice([25, 200])), rng))
        shifts = quality_shifts(reference, window, random_state=repeat)
        least.append(min(shift.p_value for shift in shifts))
    for alpha in (0.05, 0.2):
        n_alarms = int(np.sum(np.array(least) <= alpha))
        assert stats.binomtest(n_alarms, 120, alpha, alternative="greater").pvalue > 0.001


def test_what_does_not_fit_is_refused(reference):
    with pytest.raises(ValueError, match=r"shape \(3,\); a column for each of 4 fields"):
        reference.count(np.zeros(3))
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        reference.count(np.zeros((2, 3)))
    other = fit_quality(np.zeros((5, 2)), ["a", "b"]).sketch
    with pytest.raises(ValueError, match="same QualityReference"):
        _ = reference.sketch + other
    with pytest.raises(ValueError, match="this baseline's QualityReference"):
        quality_shifts(reference, other)
