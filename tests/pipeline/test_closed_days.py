"""Days without rows: closed ones are normal, where the baseline shows it; days of the week keep their own."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import monitor
from monitor.alerts import AlertsConfig, evaluate
from monitor.pipeline.fit import closed_times

POINTS = monitor.VectorFeature(name="points", column="v", n_clusters=3)
CENTRES = np.random.default_rng(99).normal(size=(3, 8)) * 3
MIX = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.6, 0.2, 0.2], [0.2, 0.6, 0.2],
       [0.2, 0.2, 0.6], [0.34, 0.33, 0.33]]  # fmt: skip
MONDAY = pd.Timestamp("2026-01-05", tz="UTC")


def traffic(days, seed, *, n=60, ahead=0, hours=(0, 24)):
    """Rows on these days, counted from a Monday, each with the mix of its day of the week."""
    rng = np.random.default_rng(seed)
    kinds = np.concatenate([rng.choice(3, n, p=MIX[(day + ahead) % 7]) for day in days])
    at = np.tile(np.linspace(hours[0] * 60, hours[1] * 60 - 1, n), len(days))
    times = MONDAY + pd.to_timedelta(np.repeat(days, n), unit="D") + pd.to_timedelta(at, unit="min")
    vectors = CENTRES[kinds] + rng.normal(size=(len(kinds), 8))
    return pd.DataFrame({"ts": times, "v": list(vectors.astype(np.float32))})


def open_days(n_weeks, closed):
    return [day for day in range(7 * n_weeks) if day % 7 not in closed]


@pytest.mark.parametrize("closed", [(6,), (0, 5)])
def test_other_days_keep_their_own_reference(closed):
    baseline = monitor.fit_baseline(traffic(open_days(8, closed), 1), POINTS, timestamp_column="ts")
    assert len(baseline.seasons) == 7
    days = [56 + day for day in range(7) if day not in closed]
    calm = monitor.detect_drift(traffic(days, 2), baseline, timestamp_column="ts", every="1d")
    moved = monitor.detect_drift(
        traffic(days, 3, ahead=1), baseline, timestamp_column="ts", every="1d"
    )
    assert not calm.has_drift
    drifted = [w for w in moved.windows if w.n_rows and str(w.judgement.verdict) == "drift"]
    assert len(drifted) >= len(days) - 1


def test_a_closed_day_is_normal_and_an_outage_is_not():
    baseline = monitor.fit_baseline(traffic(open_days(6, (6,)), 1), POINTS, timestamp_column="ts")
    days = [42, 43, 44, 46, 47, 49, 50, 51]  # Thursday and Sunday have no rows
    report = monitor.detect_drift(traffic(days, 2), baseline, timestamp_column="ts", every="1d")
    empty = {w.start.strftime("%A"): w for w in report.windows if not w.n_rows}
    assert list(empty) == ["Thursday", "Sunday"]
    assert [w.is_closed for w in empty.values()] == [False, True]
    assert "as always at this time of the week" in empty["Sunday"].judgement.reason
    now = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    actions = evaluate(AlertsConfig().rules, report.windows, [], now)
    told = [
        (str(action.event), action.alert.rule, action.window.start.strftime("%A"))
        for action in actions
    ]
    # It ends by itself after two calm days; the closed Sunday is neither calm nor broken.
    assert told == [("opened", "broken feed", "Thursday"), ("resolved", "broken feed", "Saturday")]


def test_closed_nights_of_six_hour_windows():
    baseline = monitor.fit_baseline(
        traffic(range(35), 1, hours=(6, 24)), POINTS, timestamp_column="ts", every="6h"
    )
    report = monitor.detect_drift(
        traffic([35, 36], 2, hours=(6, 24)), baseline, timestamp_column="ts", every="6h"
    )
    nights = [w for w in report.windows if not w.n_rows]
    assert [(w.start.hour, w.is_closed) for w in nights] == [(0, True)]


def test_three_weeks_do_not_show_that_a_day_is_closed():
    numbers = np.array(open_days(3, (6,)))
    assert closed_times(numbers, 7) == ()
    assert closed_times(np.array(open_days(5, (6,))), 7) == (6,)
    assert closed_times(np.array([], dtype=np.int64), 7) == ()


def test_days_are_pooled_although_one_is_closed_and_others_differ():
    baseline = monitor.fit_baseline(traffic(open_days(8, (6,)), 1), POINTS, timestamp_column="ts")
    days = [56 + day for day in open_days(4, (6,))]
    report = monitor.detect_drift(traffic(days, 2), baseline, timestamp_column="ts", every="1d")
    tests = [w.judgement.pooled_test for w in report.windows]
    assert {test.n_windows for test in tests if test is not None} >= {2, 4, 8}
    assert not report.has_drift
