"""What each metric reads, against counts made by hand."""

import datetime as dt
import math
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts import AlertRule, Severity
from monitor.alerts.reading import metric_value, read, same_time
from tests.alerts.samples import DRIFTED, EMPTY, QUIET, UNKNOWN, window


def test_samples_are_what_their_letters_say():
    assert [str(window(kind).judgement.verdict) for kind in (QUIET, DRIFTED, UNKNOWN, EMPTY)] == [
        "no drift",
        "drift",
        "inconclusive",
        "inconclusive",
    ]


@pytest.mark.parametrize(
    ("metric", "kind", "changes", "expected"),
    [
        ("n_rows", QUIET, {"n_failed": 100}, 400),
        ("n_failed", QUIET, {"n_failed": 100}, 100),
        ("failure_rate", QUIET, {"n_failed": 100}, 0.25),
        ("most_repeated", QUIET, {"repeated": 0.4}, 0.4),
        # 100 rows failed and 0.4 of 300 repeat one vector, of 400 rows
        ("broken_feed", QUIET, {"n_failed": 100, "repeated": 0.4}, 0.55),
        ("broken_feed", QUIET, {}, 0.0),
        ("broken_feed", EMPTY, {}, 1.0),
        ("broken_feed", EMPTY, {"n_failed": 5}, 1.0),
        ("n_rows", EMPTY, {}, 0),
        ("failure_rate", EMPTY, {}, math.nan),
        ("most_repeated", EMPTY, {"n_failed": 5}, math.nan),
        ("jsd", UNKNOWN, {}, math.nan),
        ("p_value", UNKNOWN, {}, math.nan),
        ("novel_share", EMPTY, {}, math.nan),
        ("verdict", UNKNOWN, {}, math.nan),
        ("n_rows", UNKNOWN, {}, 12),
    ],
)
def test_metric(metric, kind, changes, expected):
    assert metric_value(metric, window(kind, **changes)) == pytest.approx(expected, nan_ok=True)


def test_metrics_of_the_judgement_are_its_own():
    found = window(DRIFTED).judgement
    for name, score in found.scores.items():
        assert metric_value(name, window(DRIFTED)) == score.value
    assert metric_value("p_value", window(DRIFTED)) == found.p_value
    assert metric_value("novel_share", window(DRIFTED)) == found.novel_share


@pytest.mark.parametrize(
    ("n_failed", "severity"),
    [
        (0, None),
        (33, None),
        (34, "warning"),
        (299, "warning"),
        (300, "critical"),
        (900, "critical"),
    ],
)
def test_thresholds_are_reached_from_below(n_failed, severity):
    rule = AlertRule(name="f", metric="failure_rate", warning=34 / 334, critical=0.5)
    assert read(rule, window(QUIET, n_failed=n_failed)).severity == severity


@pytest.mark.parametrize(
    ("n_failed", "severity"), [(200, None), (101, None), (100, "warning"), (0, "critical")]
)
def test_fewer_rows_are_worse(n_failed, severity):
    rule = AlertRule(name="n", metric="n_rows", warning=400, critical=300)
    assert read(rule, window(QUIET, n_failed=n_failed)).severity == severity


@pytest.mark.parametrize("metric", ["verdict", "p_value", "jsd", "psi", "hellinger"])
def test_calibrated_default(metric):
    rule = AlertRule(name="r", metric=metric, severity="critical")
    assert read(rule, window(DRIFTED)).severity is Severity.CRITICAL
    assert read(rule, window(QUIET)).is_calm
    unknown = read(rule, window(UNKNOWN))
    assert (unknown.is_known, unknown.is_calm, unknown.severity) == (False, False, None)


def test_a_score_is_held_against_its_own_noise_ceiling():
    quiet = window(QUIET)
    scores = quiet.judgement.scores
    raised = replace(scores["jsd"], value=scores["jsd"].noise_ceiling * 1.001)
    judgement = replace(quiet.judgement, scores={**scores, "jsd": raised})
    rule = AlertRule(name="r", metric="jsd")
    assert read(rule, replace(quiet, judgement=judgement)).severity is Severity.WARNING


def test_change_since_an_earlier_window():
    rule = AlertRule(name="r", metric="failure_rate", warning=0.1, days_before=7)
    now, then = window(QUIET, 7, n_failed=100), window(QUIET, 0, n_failed=60)
    reading = read(rule, now, then)
    assert reading.value == pytest.approx(100 / 400 - 60 / 360)
    assert reading.severity is None
    assert read(rule, now, window(QUIET, 0)).severity is Severity.WARNING
    assert not read(rule, now).is_known
    fewer = AlertRule(name="n", metric="n_rows", warning=-30, days_before=7)
    assert read(fewer, window(QUIET, 7), then).severity is Severity.WARNING
    assert read(fewer, now, then).is_calm


def test_days_before_where_clocks_change():
    berlin = ZoneInfo("Europe/Berlin")

    def civil_day(month, day):
        start, end = (dt.datetime(2026, month, d, tzinfo=berlin) for d in (day, day + 1))
        return replace(window(QUIET), start=start.astimezone(dt.UTC), end=end.astimezone(dt.UTC))

    # Clocks went forward on 29 March: the start of these days is 23:00 and 22:00 in UTC.
    march = [civil_day(3, day) for day in range(22, 31)]
    for at in (7, 8):
        found = [w for w in march if same_time(march[at], w, 7)]
        assert found == [march[at - 7]]
    assert not same_time(replace(march[0], start=None), march[0], 7)
