"""What is told of the last windows, and what labels may hold."""

import math
import re
from dataclasses import replace

import pytest

from monitor.alerts import Severity
from monitor.alerts.alert import AlertCounts
from monitor.drift import Change, ChangedGroup, ShiftKind
from monitor.failures import REASONS
from monitor.metrics import gauges
from monitor.metrics.gauges import label
from tests.alerts.samples import DRIFTED, EMPTY, QUIET, UNKNOWN, day, window
from tests.reports.samples import quiet_report

COUNTS = AlertCounts({Severity.WARNING: 2, Severity.CRITICAL: 1}, n_pending=3, n_dead=4)


def values(windows, counts=None, **how):
    """Samples by name and labels."""
    return {
        (gauge.name, *(f"{key}={value}" for key, value in sorted(labels.items()) if value)): value
        for gauge in gauges(windows, counts, **how)
        for labels, value in gauge.samples
    }


def test_the_last_window_of_each_feature():
    windows = [
        window(DRIFTED, 1, n_failed=100),
        window(QUIET, 0),
        window(QUIET, 0, feature="other"),
    ]
    seen = values(windows)
    judgement = windows[0].judgement
    expected = {
        "monitor_window_rows": 400,
        "monitor_window_failure_ratio": 0.25,
        "monitor_window_end_timestamp_seconds": day(2).timestamp(),
        "monitor_window_p_value": judgement.p_value,
        "monitor_window_alpha": judgement.alpha,
        "monitor_window_novel_ratio": judgement.novel_share,
    }
    assert {name: seen[name, "feature=photos"] for name in expected} == expected
    for name, score in judgement.scores.items():
        labels = (f"distance={name}", "feature=photos")
        assert seen["monitor_window_distance", *labels] == score.value
        assert seen["monitor_window_distance_noise_floor", *labels] == score.noise_floor
        assert seen["monitor_window_distance_noise_ceiling", *labels] == score.noise_ceiling
    verdicts = {
        verdict: seen["monitor_window_verdict", "feature=photos", f"verdict={verdict}"]
        for verdict in ("drift", "no drift", "inconclusive")
    }
    assert verdicts == {"drift": 1, "no drift": 0, "inconclusive": 0}
    assert seen["monitor_window_verdict", "feature=other", "verdict=no drift"] == 1
    assert seen["monitor_window_rows", "feature=other"] == 300


def test_alerts_and_messages():
    seen = values([], COUNTS)
    assert seen == {
        ("monitor_alerts_open", "severity=critical"): 1,
        ("monitor_alerts_open", "severity=warning"): 2,
        ("monitor_outbox_pending",): 3,
        ("monitor_outbox_dead",): 4,
    }


def test_windows_that_were_given_up():
    seen = values([], backlog={"photos": {"due": 3, "failed": 2}})
    assert seen == {
        ("monitor_windows_due", "feature=photos"): 3,
        ("monitor_windows_given_up", "feature=photos"): 2,
    }


@pytest.mark.parametrize("kind", [UNKNOWN, EMPTY])
def test_what_is_not_known_has_no_sample(kind):
    seen = values([window(kind)])
    assert ("monitor_window_p_value", "feature=photos") not in seen
    assert not any(math.isnan(value) for value in seen.values())
    assert seen["monitor_window_verdict", "feature=photos", "verdict=inconclusive"] == 1


def test_failures_by_reason():
    failed = replace(
        window(QUIET), failures={"http_404": 2, "http_403": 1, "http_500": 4, "dns": 8, "odd": 16}
    )
    seen = values([failed])
    reasons = {key[2]: value for key, value in seen.items() if key[0] == "monitor_window_failures"}
    assert reasons == {
        "reason=dns": 8,
        "reason=http_4xx": 3,
        "reason=http_5xx": 4,
        "reason=other": 16,
    }
    allowed = {*REASONS, "other", *(f"http_{digit}xx" for digit in range(1, 10))}
    assert {reason.removeprefix("reason=") for reason in reasons} <= allowed


def test_segments_are_bounded():
    segments = [window(QUIET, segment=f"s{i:03}", n_failed=i) for i in range(100)]
    seen = values([window(QUIET), *segments], most_segments=10)
    rows = sorted(key[2] for key in seen if key[0] == "monitor_window_rows" and len(key) == 3)
    assert rows == [f"segment=s{i:03}" for i in range(90, 100)]
    assert seen["monitor_segments_left_out", "feature=photos"] == 90
    assert seen["monitor_window_rows", "feature=photos"] == 300


def test_what_changed_in_words():
    shown = replace(
        window(DRIFTED),
        kinds=(ShiftKind.NEW_CONTENT,),
        change=Change(ShiftKind.NEW_CONTENT, "", 0.3, 0.2, 0.4),
        groups=(ChangedGroup(0.2, (), "fruit"), ChangedGroup(0.1, (), URLS[0])),
    )
    seen = values([shown, replace(window(QUIET), feature="calm")])
    (told,) = [key for key in seen if key[0] == "monitor_window_change_info"]
    assert told[1:3] == ("feature=photos", "kind=new content")
    assert re.fullmatch("names=address~[0-9a-f]{8}", told[3])
    (told,) = [
        key
        for key in values([replace(shown, groups=shown.groups[:1])])
        if key[0] == "monitor_window_change_info"
    ]
    assert told == (
        "monitor_window_change_info",
        "feature=photos",
        "kind=new content",
        "names=fruit",
    )


def test_clusters_have_shares_and_names():
    report = quiet_report()
    summary = replace(report.features[0], cluster_names=("shirts", "", "hats"))
    last = replace(report.windows[-1], segment=None)
    seen = values([last, replace(last, segment="Berlin")], features=[summary])
    of_clusters = {key[1:]: value for key, value in seen.items() if "cluster" in key[0]}
    counts = last.judgement.window_histogram
    for cluster, n in enumerate(counts):
        labels = (f"cluster={cluster}", f"feature={last.feature}")
        assert seen["monitor_window_cluster_ratio", *labels] == n / counts.sum()
    names = {key[1:] for key in seen if key[0] == "monitor_cluster_info"}
    feature = f"feature={last.feature}"
    assert names == {("cluster=0", feature, "name=shirts"), ("cluster=2", feature, "name=hats")}
    assert not any("Berlin" in part for key in of_clusters for part in key)


URLS = [
    "https://me:SECRET@evil.example/a.jpg?token=SECRET",
    "HTTP://evil.example/SECRET",
    "  data:image/png;base64,SECRET",
    "//evil.example/SECRET",
    "www.evil.example/SECRET",
    "/a.jpg?token=SECRET",
    "s3://bucket/SECRET",
]


@pytest.mark.parametrize("text", URLS)
def test_no_address_is_a_label(text):
    assert re.fullmatch("address~[0-9a-f]{8}", label(text))
    shown = str(gauges([window(QUIET, segment=text), window(QUIET, segment=text, feature=text)]))
    assert "SECRET" not in shown


@pytest.mark.parametrize("text", ["Berlin", "København", "R&B", "a = b", "why?", "", "x" * 64])
def test_other_labels_stay(text):
    assert label(text) == text


def test_two_segments_never_share_a_label():
    texts = [*URLS, "x" * 65, "x" * 66, "a\nb", "a b", "a\tb", "\ud800", "\ud801"]
    labels = [label(text) for text in texts]
    assert len(set(labels)) == len(texts)
    assert all(len(one) <= 80 and one.isprintable() for one in labels)
