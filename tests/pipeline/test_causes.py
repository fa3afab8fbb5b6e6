"""What a report says beyond the verdict: since when, what it looks like, which metadata carries it."""

import datetime as dt
import re

import numpy as np
import pandas as pd
import pytest

import monitor
from monitor.clusters import Clustering, fit
from monitor.drift import DISTANCES, Distance
from monitor.errors import InvalidInputError
from monitor.images.quality import QUALITY_FIELDS

START = pd.Timestamp("2026-03-01", tz="UTC")
CENTRES = np.random.default_rng(3).normal(size=(4, 12)) * 2 + 1
SHARES = np.array([0.4, 0.3, 0.2, 0.1])
POINTS = monitor.VectorFeature(name="points", column="vector", n_clusters=4)
PHOTOS = monitor.ImageEmbedding(
    name="photos", source_column="url", column="vector", model="compact", n_clusters=4
)


def table(n_days, per_day, seed, *, start=START, shares=SHARES, rho=0.0, sharpness=0.5):
    rng = np.random.default_rng(seed)
    parts = []
    for day in range(n_days):
        of_day = rng.dirichlet(shares * (1 / rho - 1)) if rho else shares
        vectors = CENTRES[rng.choice(4, per_day, p=of_day)] + rng.normal(size=(per_day, 12))
        quality = rng.normal(0.5, 0.1, size=(per_day, len(QUALITY_FIELDS))).astype(np.float32)
        quality[:, QUALITY_FIELDS.index("sharpness")] += np.float32(sharpness - 0.5)
        parts.append(
            pd.DataFrame(
                {
                    "vector": list(vectors),
                    "vector_quality": list(quality),
                    "ts": start + pd.to_timedelta(day * 24 + rng.uniform(0, 24, per_day), unit="h"),
                    "country": rng.choice(["FR", "DE", "IT"], per_day),
                    "camera": rng.choice(["a", "b"], per_day),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def dated():
    """A baseline of forty calm days."""
    return monitor.fit_baseline(table(40, 200, 1), POINTS, timestamp_column="ts")


@pytest.fixture(scope="module")
def lasting(dated):
    """Five calm days and sixteen of a small shift; when that begins; what is said of them."""
    little = SHARES + np.array([-0.05, 0, 0, 0.05])
    begun = START + pd.Timedelta("70D")
    production = pd.concat(
        [
            table(5, 200, 2, start=START + pd.Timedelta("65D")),
            table(16, 200, 3, start=begun, shares=little),
        ]
    )
    report = monitor.detect_drift(production, dated, timestamp_column="ts", every="1d")
    return production, begun, report


@pytest.fixture(scope="module")
def varying():
    """Forty days whose mixes differ, and the baseline that knows it."""
    train = table(40, 150, 1, rho=0.02)
    return train, monitor.fit_baseline(train, POINTS, timestamp_column="ts")


def test_natural_variation_is_learned_and_used(varying):
    train, aware = varying
    naive = monitor.fit_baseline(train, POINTS)
    quiet = table(48, 300, 2, rho=0.02, start=START + pd.Timedelta("60D"))
    report = monitor.detect_drift(quiet, aware, timestamp_column="ts", every="1d")
    without = monitor.detect_drift(quiet[:3_000], naive, timestamp_column="ts", every="1d")
    assert (without.to_frame().p_value <= 0.01).mean() > 1 / 3
    assert (report.to_frame().p_value <= 0.01).sum() <= 4
    assert "natural variation of 40 windows of 1d" in report.notes[1]
    assert re.search("judged against the rest, [0-3] of these 40 windows would", report.notes[1])
    assert "once in 41; the rate asked for, once in 730, rests on" in report.notes[1]
    assert "690 windows more would show it" in report.notes[1]
    assert report.to_frame().design_effect.iloc[0] == pytest.approx(1 + 299 * 0.02, rel=0.4)
    assert "rows are taken as independent" in without.notes[1]
    taught = [window.judgement.n_lessons for window in report.windows]
    assert max(taught[:40]) == 0 < min(taught[40:])
    assert f"{taught[-1]} calm ones of production taught" in " ".join(report.notes)
    assert "of production taught" not in " ".join(without.notes)


def test_a_large_shift_is_seen_through_natural_variation(varying):
    _, aware = varying
    shares = np.array([0.02, 0.03, 0.05, 0.9])
    other = table(3, 300, 3, rho=0.02, shares=shares, start=START + pd.Timedelta("60D"))
    report = monitor.detect_drift(other, aware, timestamp_column="ts", every="1d")
    assert report.to_frame().verdict.tolist() == ["drift"] * 3


def test_a_lasting_small_shift_is_told_with_its_onset(lasting):
    _, begun, report = lasting
    drifted = [w for w in report.windows if w.judgement.verdict == "drift"]
    assert drifted
    assert all(w.start >= begun for w in drifted)
    together = [
        w
        for w in drifted
        if w.judgement.pooled_test is not None and w.judgement.pooled_test.is_drift
    ]
    assert together
    assert abs(together[-1].began - begun) <= dt.timedelta(days=5)
    assert "windows together" in next(
        w.judgement.reason for w in together if w.judgement.p_value > w.judgement.alpha
    )


def test_history_lets_looks_reach_back_beyond_the_frame(dated, lasting):
    baseline, (production, _, whole) = dated, lasting
    day = production.ts.dt.floor("D")
    past = [
        monitor.drift.PastWindow(
            window.start,
            baseline.sketch(np.stack(production.vector[day == window.start]), {}),
            window.judgement.p_value <= window.judgement.alpha,
            window.began,
            window.ended,
        )
        for window in whole.windows[:-1]
    ]
    last = monitor.detect_drift(
        production[day == whole.windows[-1].start],
        baseline,
        timestamp_column="ts",
        every="1d",
        history={"points": past},
    )
    assert last.windows[0].judgement.pooled_test == whole.windows[-1].judgement.pooled_test
    assert last.windows[0].began == whole.windows[-1].began


def test_the_column_that_carries_the_shift_is_named():
    baseline = monitor.fit_baseline(
        table(1, 3000, 1), POINTS, explain_columns=["country", "camera"]
    )
    moved = table(1, 1500, 2)
    french = (moved.country == "FR") & (np.random.default_rng(0).random(len(moved)) < 0.6)
    moved["vector"] = [
        CENTRES[3] + 0.1 * v if hit else v for v, hit in zip(moved.vector, french, strict=True)
    ]
    (window,) = monitor.detect_drift(moved, baseline).windows
    first, second = window.explanations
    assert first.column == "country"
    assert first.sentence.startswith("1") or first.sentence.startswith("9")
    assert "country = FR" in first.sentence
    assert second.strength == 0


def test_a_column_that_production_lacks_is_noted():
    baseline = monitor.fit_baseline(table(1, 500, 1), POINTS, explain_columns=["country"])
    report = monitor.detect_drift(table(1, 300, 2).drop(columns="country"), baseline)
    assert "no column country" in report.notes[-1]


def test_blurred_images_are_a_technical_change():
    baseline = monitor.fit_baseline(table(1, 2000, 1), PHOTOS)
    worse = table(1, 500, 2, sharpness=0.2)
    worse["vector"] = [v + 0.5 for v in worse.vector]
    (window,) = monitor.detect_drift(worse, baseline).windows
    assert window.kinds == ("technical change",)
    assert window.change.cause == "sharpness fell"
    assert window.change.share > 0.8
    (moved,) = [shift for shift in window.quality if shift.p_value < 0.01]
    assert (moved.field, moved.direction) == ("sharpness", "down")
    (calm,) = monitor.detect_drift(table(1, 500, 3), baseline).windows
    assert calm.kinds == ()


# Of the fewer ones, what is seen beside images of the same content is not significant by itself.
@pytest.mark.parametrize("n", [30, 36])
def test_pixels_that_moved_in_too_few_images_for_their_vectors_to_tell_are_named(n):
    baseline = monitor.fit_baseline(table(1, 2000, 1), PHOTOS)
    worse = pd.concat([table(1, 200 - n, 2), table(1, n, 3, sharpness=0.0)], ignore_index=True)
    (window,) = monitor.detect_drift(worse, baseline).windows
    assert [test.name for test in window.judgement.tests if test.p_value < 0.01] == ["pixels"]
    assert window.kinds == ("technical change",)
    assert window.change.cause == "sharpness fell"
    assert window.change.share == pytest.approx(n / 200, abs=0.05)
    assert window.change.low <= n / 200 <= window.change.high


def test_rows_that_fail_are_a_signal_of_their_own():
    baseline = monitor.fit_baseline(table(1, 1000, 1), PHOTOS)
    broken = table(1, 400, 2)
    broken["vector_failure"] = None
    broken["vector"] = broken["vector"].astype(object)
    broken.loc[:79, "vector"] = None
    broken.loc[:79, "vector_failure"] = "http_404"
    (window,) = monitor.detect_drift(broken, baseline).windows
    (shift,) = window.failure_shifts
    assert (shift.reason, shift.baseline_share, shift.window_share) == ("http_404", 0, 0.2)
    assert shift.p_value < 1e-6
    assert window.kinds == ("broken feed",)


def test_thresholds_of_ones_own():
    baseline = monitor.fit_baseline(table(20, 100, 1), POINTS, timestamp_column="ts")
    quiet = table(1, 300, 2)
    low = monitor.detect_drift(quiet, baseline, thresholds={"jsd": 0.0001}).windows[0].judgement
    assert low.verdict == "drift"
    assert low.reason.startswith("jsd 0.0")
    high = monitor.detect_drift(quiet, baseline, thresholds={"jsd": 0.5}).windows[0].judgement
    assert high.verdict == "no drift"
    by_deviation = monitor.detect_drift(quiet, baseline, thresholds={"psi": "3 sd"}).windows[0]
    counts = baseline.statistics.window_counts
    psi = DISTANCES[1].function
    values = [float(psi(counts.sum(axis=0) - one, one)) for one in counts]
    expected = np.mean(values) + 3 * np.std(values, ddof=1)
    assert by_deviation.judgement.thresholds["psi"] == pytest.approx(expected)


def test_the_report_says_which_thresholds_decide():
    baseline = monitor.fit_baseline(table(20, 100, 1), POINTS, timestamp_column="ts")
    quiet = table(1, 300, 2)
    own = monitor.detect_drift(quiet, baseline, thresholds={"jsd": 0.1, "psi": "3 sd"}).notes[0]
    assert own == (
        "your thresholds decide, not the p-value: a window is called drifted at jsd ≥ 0.1 or psi ≥ 3 "
        "standard deviations above its mean over the baseline's own windows"
    )
    for thresholds in (None, {}):
        by_level = monitor.detect_drift(quiet, baseline, thresholds=thresholds).notes[0]
        assert by_level == "a window is called drifted at p ≤ 0.01"


@pytest.mark.parametrize(
    ("thresholds", "said"),
    [
        ({"jds": 0.1}, "the distance 'jds'; known are jsd"),
        ({"jsd": "three"}, "neither a number"),
        ({"jsd": -1}, "neither a number"),
        ({"wasserstein": "3 sd"}, "needs a distance over clusters"),
        ({"jsd": "3 sd"}, "fit it with timestamp_column"),
    ],
)
def test_a_threshold_that_cannot_be_is_refused(thresholds, said):
    baseline = fit(np.random.default_rng(0).normal(size=(200, 12)), POINTS.to_dict(), Clustering(4))
    with pytest.raises(InvalidInputError, match=said):
        monitor.detect_drift(table(1, 50, 2), baseline, thresholds=thresholds)


def test_a_distance_of_ones_own():
    def total_variation(baseline, window):
        p = baseline / baseline.sum(axis=-1, keepdims=True)
        q = window / window.sum(axis=-1, keepdims=True)
        return abs(p - q).sum(axis=-1) / 2

    baseline = monitor.fit_baseline(table(1, 1000, 1), POINTS)
    own = Distance("tv", total_variation)
    report = monitor.detect_drift(table(1, 300, 2), baseline, distances=[own])
    found = report.to_frame().iloc[0]
    judged = report.windows[0].judgement
    p = judged.baseline_histogram / judged.baseline_histogram.sum()
    q = judged.window_histogram / judged.window_histogram.sum()
    assert found.tv == pytest.approx(abs(p - q).sum() / 2)
    assert found.tv_noise_floor < found.tv_noise_ceiling
    with pytest.raises(InvalidInputError, match="two distances are called 'jsd'"):
        monitor.detect_drift(
            table(1, 50, 2), baseline, distances=[Distance("jsd", total_variation)]
        )


def test_days_of_the_week_are_held_against_their_own():
    """Sundays differ as a rule: none alarms, and a Sunday's traffic on a Tuesday does."""
    sunday = SHARES[::-1]

    def weeks(n_days, seed, start, odd=()):
        parts = []
        for day in range(n_days):
            at = start + pd.Timedelta(day, unit="D")
            is_sunday = (at.day_of_week == 6) != (day in odd)
            parts.append(
                table(1, 200, seed + day, start=at, shares=sunday if is_sunday else SHARES)
            )
        return pd.concat(parts, ignore_index=True)

    baseline = monitor.fit_baseline(weeks(56, 100, START), POINTS, timestamp_column="ts")
    assert len(baseline.seasons) == 7
    quiet = weeks(14, 900, START + pd.Timedelta(70, unit="D"))
    report = monitor.detect_drift(quiet, baseline, timestamp_column="ts", every="1d")
    assert report.to_frame().verdict.tolist() == ["no drift"] * 14
    assert "each day of the week is compared with its own" in report.notes[1]
    odd = weeks(7, 900, START + pd.Timedelta(70, unit="D"), odd=(2,))
    report = monitor.detect_drift(odd, baseline, timestamp_column="ts", every="1d")
    assert (report.to_frame().verdict == "drift").tolist() == [day == 2 for day in range(7)]


def test_thresholds_in_deviations_hold_for_segments_of_their_own_size():
    baseline = monitor.fit_baseline(
        table(25, 150, 1), POINTS, timestamp_column="ts", segment_column="country"
    )
    quiet = table(5, 300, 2, start=START + pd.Timedelta(60, unit="D"))
    found = monitor.detect_drift(
        quiet, baseline, timestamp_column="ts", every="1d", segment_column="country",
        thresholds={"jsd": "3 sd"},
    ).to_frame()  # fmt: skip
    assert (found.verdict == "drift").mean() < 0.1


def test_a_window_without_rows_is_inconclusive_even_in_a_lasting_shift(dated):
    moved = table(5, 200, 2, start=START + pd.Timedelta(60, unit="D"), shares=SHARES[::-1])
    day = moved.ts.dt.floor("D")
    gap = moved[day != day.unique()[3]]
    report = monitor.detect_drift(gap, dated, timestamp_column="ts", every="1d")
    expected = ["drift", "drift", "drift", "inconclusive", "drift"]
    assert report.to_frame().verdict.tolist() == expected


def test_other_windows_than_the_baselines_are_noted():
    baseline = monitor.fit_baseline(table(10, 100, 1), POINTS, timestamp_column="ts")
    with pytest.warns(UserWarning, match="fit it again with every='2d'"):
        report = monitor.detect_drift(table(1, 100, 2), baseline, timestamp_column="ts", every="2d")
    assert "variation from windows of 1d in UTC, and these are 2d" in " ".join(report.notes)
    with pytest.warns(UserWarning, match="timezone='Asia/Tokyo'"):
        monitor.detect_drift(
            table(1, 100, 2), baseline, timestamp_column="ts", every="1d", timezone="Asia/Tokyo"
        )


def test_whole_numbers_that_became_floats_are_the_same_segments():
    train, quiet = table(2, 400, 1), table(1, 300, 2)
    train["store"] = np.arange(len(train)) % 2 + 1
    quiet["store"] = np.arange(len(quiet)) % 2 + 1.0
    quiet.loc[0, "store"] = np.nan
    baseline = monitor.fit_baseline(train, POINTS, segment_column="store")
    found = monitor.detect_drift(quiet, baseline, segment_column="store").to_frame()
    judged = found.dropna(subset="segment").set_index("segment").verdict
    assert judged[["1", "2"]].tolist() == ["no drift", "no drift"]


@pytest.mark.parametrize("share", [-1.0, 1.0, float("nan")])
def test_a_minimum_change_that_is_no_share_is_refused(share):
    baseline = monitor.fit_baseline(table(1, 200, 1), POINTS)
    with pytest.raises(InvalidInputError, match="is a share of rows"):
        monitor.detect_drift(table(1, 50, 2), baseline, minimum_change=share)
