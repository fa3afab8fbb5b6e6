"""Contexts: hours and countries belong to the traffic, and a window is held against its own mix of them."""

import numpy as np
import pandas as pd
import pytest

import monitor
from monitor.errors import InvalidInputError
from monitor.pipeline.contexts import context_keys
from monitor.windows import zone_of

POINTS = monitor.VectorFeature(name="points", column="v", n_clusters=4, scaling="raw")
WIDTH = 8
AXES = np.eye(WIDTH)
START = pd.Timestamp("2026-01-05", tz="UTC")
COUNTRIES = np.array(["DE", "FR", "JP"])


def traffic(n_days, seed, *, start=0, n=80, mix=(0.6, 0.4, 0.0), moved=0.0):
    """Images of the night are dark, and those of France are others than those of Germany."""
    rng = np.random.default_rng(seed)
    hours = np.tile(np.arange(24), (n_days * n) // 24 + 1)[: n_days * n]
    days = start + np.arange(n_days * n) // n
    hours = np.sort(hours.reshape(n_days, n), axis=1).ravel()
    country = rng.choice(3, n_days * n, p=mix)
    is_night = (hours < 6) | (hours >= 22)
    vectors = rng.normal(size=(len(hours), WIDTH)) + 3 * AXES[0] * is_night[:, None]
    vectors += 3 * AXES[1 + country] + moved
    times = START + pd.to_timedelta(days, unit="D") + pd.to_timedelta(hours, unit="h")
    return pd.DataFrame({"ts": times, "v": list(vectors), "country": COUNTRIES[country]})


@pytest.fixture(scope="module")
def baseline():
    return monitor.fit_baseline(
        traffic(12, 1),
        POINTS,
        timestamp_column="ts",
        every="6h",
        context=["hour", "country"],
        learn_changes=False,
    )


def judged(frame, baseline, **options):
    return monitor.detect_drift(
        frame, baseline, timestamp_column="ts", every="6h", minimum_rows=10, **options
    )


def test_nights_are_as_calm_as_days(baseline):
    report = judged(traffic(4, 2, start=14), baseline)
    assert len(report.windows) == 16
    assert not report.has_drift
    assert baseline.statistics.variation.mix.correlation < 0.01
    assert len(baseline.context.keys) == 48


def test_another_mix_of_countries_is_told_and_no_drift(baseline):
    report = judged(traffic(2, 3, start=14, mix=(0.05, 0.95, 0)), baseline)
    assert not report.has_drift
    (note,) = report.windows[0].notes
    assert "the mix of country changed (" in note
    assert "FR 4" in note


def test_images_that_change_at_some_hour_are_drift(baseline):
    report = judged(traffic(2, 4, start=14, moved=0.8), baseline)
    assert [str(w.judgement.verdict) for w in report.windows] == ["drift"] * 8


def test_an_unknown_country_is_told(baseline):
    report = judged(traffic(1, 5, start=14, mix=(0.5, 0.4, 0.1)), baseline)
    assert "of a context (hour, country) that the baseline has no rows of" in " ".join(
        note for w in report.windows for note in w.notes
    )


def test_the_contexts_survive_a_file(baseline, tmp_path):
    again = monitor.Baseline.load(baseline.save(tmp_path / "baseline"))
    frame = traffic(1, 6, start=14)
    assert judged(frame, again).to_json() == judged(frame, baseline).to_json()


def test_hours_and_weekdays_are_those_of_the_zone():
    frame = pd.DataFrame({"ts": ["2026-03-28T23:30:00Z", "2026-03-29T01:10:00Z", None]})
    times = monitor.frames.read_times(frame, "ts")
    keys = context_keys(frame, ["hour", "weekday"], times, zone_of("Europe/Berlin"))
    assert keys == [("00 h", "Sun"), ("03 h", "Sun"), ("(empty)", "(empty)")]


def test_hours_need_times():
    with pytest.raises(InvalidInputError, match="give timestamp_column too"):
        monitor.fit_baseline(traffic(2, 1), POINTS, context=["hour"])
    with pytest.raises(InvalidInputError, match="name each one once"):
        context_keys(traffic(1, 1), ["country", "country"], None, zone_of("UTC"))


def test_contexts_that_are_too_many_are_told_and_are_no_country():
    """A camera for each row: 24 hours of 40 cameras are not told apart."""
    rng = np.random.default_rng(5)
    frame = traffic(12, 5)
    frame["camera"] = [f"camera {at}" for at in rng.integers(0, 40, len(frame))]
    many = monitor.fit_baseline(
        frame, POINTS, timestamp_column="ts", every="6h", context=["hour", "camera"]
    )
    (note,) = many.facts.notes
    assert "too many contexts (hour, camera): the 199 with most rows are told apart" in note
    quiet = traffic(2, 6, start=14)
    quiet["camera"] = [f"camera {at}" for at in rng.integers(0, 40, len(quiet))]
    report = judged(quiet, many)
    assert note in report.notes
    assert not any("(others)" in said for window in report.windows for said in window.notes)
    report = judged(quiet.assign(camera="new"), many)
    assert all("has few rows of or none" in window.notes[0] for window in report.windows)


def test_rows_of_a_baseline_without_a_time_are_told():
    frame = traffic(12, 7)
    frame["ts"] = frame["ts"].where(np.arange(len(frame)) % 2 == 0)
    half = monitor.fit_baseline(frame, POINTS, timestamp_column="ts", every="6h")
    (note,) = half.facts.notes
    assert note.startswith(
        "480 of 960 rows of the baseline of feature 'points' are in no window of it"
    )
    assert note in judged(traffic(1, 8), half).notes
