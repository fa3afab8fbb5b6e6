"""Bars for what takes a while: on demand, or where somebody looks."""

import numpy as np
import pandas as pd
import pytest

import monitor
import monitor.progress


@pytest.fixture(scope="module")
def rows():
    times = pd.date_range("2026-03-01", periods=400, freq="h", tz="UTC")
    vectors = np.random.default_rng(0).normal(size=(400, 8))
    return pd.DataFrame({"ts": times, "vector": list(vectors)})


def test_fit_and_drift_say_how_far_they_are(rows, monkeypatch, capsys):
    monkeypatch.setattr(monitor.progress, "_DELAY_SECONDS", 0)
    points = monitor.VectorFeature(name="points", column="vector", n_clusters=3)
    quiet = monitor.fit_baseline(rows, points, timestamp_column="ts")
    report = monitor.detect_drift(rows[:72], quiet, timestamp_column="ts", every="1d")
    assert capsys.readouterr().err == ""
    shown = monitor.fit_baseline(rows, points, timestamp_column="ts", progress=True)
    assert shown.id == quiet.id
    assert "judging the baseline by itself:" in capsys.readouterr().err
    same = monitor.detect_drift(rows[:72], quiet, timestamp_column="ts", every="1d", progress=True)
    pd.testing.assert_frame_equal(same.to_frame(), report.to_frame())
    told = capsys.readouterr().err
    assert "judging windows:" in told
    assert "looking for causes" in told
    monitor.detect_drift(rows[:72], quiet)
    assert capsys.readouterr().err == ""
