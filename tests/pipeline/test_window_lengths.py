"""Production in shorter windows than the baseline's: nights differ from days, which is no drift."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import monitor
from monitor.windows import Every

FEATURE = monitor.VectorFeature(name="camera", column="vector", n_clusters=4)
PART_ROWS = 40


def camera(first_day: int, n_days: int, seed: int) -> pd.DataFrame:
    """Quarters of days, each with a mix of its own that moves a little from day to day."""
    rng = np.random.default_rng(seed)
    quarters = np.array([[5, 1, 1, 1], [1, 5, 1, 1], [1, 1, 5, 1], [1, 1, 1, 5]]) / 8
    parts = []
    for day in range(first_day, first_day + n_days):
        for quarter, shares in enumerate(quarters):
            labels = rng.choice(4, PART_ROWS, p=rng.dirichlet(shares * 60))
            vectors = np.eye(12)[labels] * 3 + rng.normal(scale=0.5, size=(PART_ROWS, 12))
            start = pd.Timestamp("2026-03-01", tz="UTC") + pd.Timedelta(days=day, hours=6 * quarter)
            times = start + pd.to_timedelta(np.arange(PART_ROWS) * 8, unit="min")
            parts.append(pd.DataFrame({"vector": list(vectors), "ts": times}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def baseline() -> monitor.Baseline:
    return monitor.fit_baseline(camera(0, 12, 0), FEATURE, timestamp_column="ts")


def quiet(baseline: monitor.Baseline) -> monitor.DriftReport:
    return monitor.detect_drift(
        camera(12, 5, 1), baseline, timestamp_column="ts", every="6h", alpha=0.01
    )


def test_quarters_are_judged_by_the_quarters_of_a_baseline_of_days(baseline):
    report = quiet(baseline)
    assert (report.to_frame()["verdict"] == "no drift").all()
    assert not [note for note in report.notes if "learned its natural variation" in note]
    assert [note for note in report.notes if "natural variation of 48 windows of 6h" in note]


def test_a_baseline_that_knows_days_only_calls_them_drifted_and_says_why(baseline):
    with pytest.warns(UserWarning, match="learned its natural variation from windows of 1d"):
        report = quiet(replace(baseline, finer={}))
    assert (report.to_frame()["verdict"] == "drift").mean() > 0.5
    assert [note for note in report.notes if "fit it again with every='6h'" in note]


def test_a_broken_quarter_is_drift(baseline):
    shifted = camera(12, 1, 1)
    shifted["vector"] = [vector + 0.6 for vector in shifted["vector"]]
    report = monitor.detect_drift(shifted, baseline, timestamp_column="ts", every="6h", alpha=0.01)
    assert (report.to_frame()["verdict"] == "drift").all()


def test_shorter_windows_are_kept_with_the_baseline(baseline):
    kept = monitor.Baseline.from_bytes(baseline.to_bytes())
    assert set(kept.finer) == {"12h", "8h", "6h", "4h", "3h"}  # of 2 h have fewer than 20 rows
    assert kept.id == baseline.id != replace(baseline, finer={}).id


@pytest.mark.parametrize(
    ("every", "finer"),
    [
        ("5h", "1h"),
        ("30min", ""),
        ("1mo", "1d 12h 8h 6h 4h 3h 2h 1h"),
        ("1d", "12h 8h 6h 4h 3h 2h 1h"),
    ],
)
def test_lengths_that_fit_into_others(every, finer):
    assert [str(shorter) for shorter in Every.parse(every).finer] == finer.split()


def test_windows_of_far_more_rows_than_the_baselines_are_told(baseline):
    days = camera(12, 2, 1)
    many = pd.concat([days] * 5, ignore_index=True)
    told = [
        [note for note in report.notes if "that so few rows cannot show" in note]
        for report in (
            monitor.detect_drift(rows, baseline, timestamp_column="ts", every="1d")
            for rows in (days, many)
        )
    ]
    assert told[0] == []
    assert "hold about 800 rows, those of its baseline 160" in told[1][0]
