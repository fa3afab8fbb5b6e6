"""The compact model and the judge on real images; needs the larger image sets."""

import os
from pathlib import Path

import pytest
from contributors import ALPHA, CROWD
from datasets import FEATURE, photos, walkthrough
from month import CALM, PLACEHOLDER, expected, month_of_photos, play
from walkthrough import N_DAYS, flagged_days

import monitor

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path(os.environ.get("MONITOR_BENCH_DATA", "/nowhere")).is_dir(),
        reason="set MONITOR_BENCH_DATA to the folder of the image sets",
    ),
]

N_ROWS, N_SMALL = 50, 30
"""A day has, of photos and of small images; the benchmarks judge larger days, too, which is easier."""
OTHERS = [
    "clothing_kids", "clothing_sender181", "clothing_sender204", "clothing_sender260",
    "clothing_sender48", "grocery_store",
]  # fmt: skip


@pytest.fixture(scope="module")
def photographed():
    return photos(None, {CROWD: 600} | dict.fromkeys(OTHERS, N_ROWS) | {"grocery_store": 80})


def test_every_changed_day_is_flagged_and_no_other():
    names = ["as is", "blurred", "darkened"]
    sets = walkthrough(None, {"reference": 400} | dict.fromkeys(names, N_DAYS * N_SMALL))
    baseline = monitor.fit_baseline(sets["reference"], FEATURE)
    flagged = {name: flagged_days(baseline, sets[name], N_SMALL, seed=0) for name in names}
    assert flagged == {"as is": 0, "blurred": N_DAYS, "darkened": N_DAYS}


def test_every_other_contributor_is_flagged_at_50_rows_and_the_other_half_is_not(photographed):
    frame = photographed
    crowd = frame[frame["domain"] == CROWD].sample(frac=1, random_state=0)
    baseline = monitor.fit_baseline(crowd.iloc[: len(crowd) // 2], FEATURE)
    half = crowd.iloc[len(crowd) // 2 :]
    draws = {"the other half": half, "some of the other half": half.iloc[:N_ROWS]}
    draws |= {domain: frame[frame["domain"] == domain].iloc[:N_ROWS] for domain in OTHERS}
    flagged = {
        name
        for name, rows in draws.items()
        if monitor.detect_drift(rows, baseline, alpha=ALPHA).has_drift
    }
    assert flagged == set(draws) - {"the other half", "some of the other half"}


def test_alerts_begin_and_end_with_the_changed_days(photographed, tmp_path):
    labels = [*[CALM] * 3, *["grocery_store"] * 2, *[CALM] * 3, PLACEHOLDER, *[CALM] * 2]
    wanted = expected(labels)
    assert [(one.rule, one.first, one.last, one.resolved) for one in wanted] == [
        ("drift", 4, 5, 7), ("broken feed", 9, 9, 11), ("drift", 9, 9, 11),
    ]  # fmt: skip
    # One month of calm days in about fifty holds a false alarm, as promised: that of seed 0 does.
    month = month_of_photos(photographed, seed=1, labels=labels, n_calm=40 * labels.count(CALM))
    assert play(month, tmp_path) == wanted
