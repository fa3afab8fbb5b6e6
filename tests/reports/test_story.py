"""One window in plain words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.drift import QualityShift
from monitor.reports import WindowDrift
from monitor.reports.story import risen_failures, since, story, would_show

from .samples import (
    detected_report,
    explained_report,
    failed_report,
    mixed_report,
    threshold_report,
)


def told(window: WindowDrift) -> dict[str, str]:
    return {point.question: " ".join(point.answers) for point in story(window)}


def test_a_shift_is_told_with_its_reasons() -> None:
    found = told(explained_report().windows[-1])

    assert list(found) == ["What it looks like", "Why", "Since when", "How large", "How sure"]
    assert found["What it looks like"].startswith("A broken feed and new content")
    assert found["Since when"] == "Since 5 Mar 2026."
    assert "brightness fell from 0.497 to 0.29" in found["Why"]
    assert "bytes" not in found["Why"]  # it did not move
    assert "http_404 rose from 0 % to 21.1 % of all rows" in found["Why"]


def test_the_size_is_what_was_judged() -> None:
    window = mixed_report().windows[4]
    found, score = window.judgement, window.judgement.scores["jsd"]
    assert found.tests

    assert f"As if {found.changed_share:.1%}".replace("%", " %") in told(window)["How large"]
    assert (
        f"JSD {score.value:.3f}, without the noise of sampling {score.low:.3f} to {score.high:.3f}; "
        f"chance alone gives {score.noise_floor:.3f}." in told(window)["How large"]
    )


def test_windows_together() -> None:
    window = detected_report().windows[-1]
    pooled, found = window.judgement.pooled_test, told(window)
    assert pooled is not None

    assert found["What it looks like"].endswith(
        "It shows only in the last 18 windows together: a small movement in directions where the "
        "baseline hardly varies."
    )
    assert found["Since when"] == "Since 1 Apr 2026."
    assert "of the rows of these 18 windows" in found["How large"]
    assert f"for the last 18 windows together, {pooled.n_rows:,} rows." in found["How sure"]
    assert "This window alone: p = 0." in found["How sure"]


def test_a_shift_that_begins_with_its_window() -> None:
    assert since(detected_report().windows[7]) == ("It began in this window.",)
    assert since(replace(detected_report().windows[7], start=None, began=None)) == ()


def test_a_calm_window_says_what_would_show() -> None:
    window = detected_report().windows[0]
    found = told(window)
    novelty, mean = (window.judgement.outcome(name) for name in ("novelty", "mean"))
    assert novelty is not None
    assert mean is not None

    assert list(found) == ["Verdict", "How sure", "What would show"]
    assert found["Verdict"] == "No drift: no test sees more than chance gives."
    assert found["What would show"] == (
        "In 8 of 10 such windows a change would be found if "
        f"{novelty.detectable * 100:.1f} % of the rows were unlike anything in the baseline or "
        f"{mean.detectable * 100:.1f} % of the rows were swapped for unrelated images."
    )


def test_where_nothing_could_be_seen_that_is_said() -> None:
    window = detected_report().windows[0]
    blind = tuple(replace(test, detectable=float("nan")) for test in window.judgement.tests)

    told = would_show(replace(window, judgement=replace(window.judgement, tests=blind)))
    assert told == ("In so few rows even a complete change would often not be found.",)


@pytest.mark.parametrize(("day", "n"), [(9, 15), (10, 0)])
def test_too_few_rows(day: int, n: int) -> None:
    found = told(detected_report().windows[day])

    reason = f"The window has {n} rows with vectors; a verdict needs 20."
    if n == 0:
        reason = "No rows at all: nothing arrived for this window."
    assert found["Verdict"] == f"None. {reason}"
    assert found["What it needs"] == (
        f"At least 20 rows with vectors: the window has {n}, so {20 - n} more."
    )


def test_a_broken_feed_is_told_without_a_verdict() -> None:
    window = replace(
        failed_report().windows[0],
        kinds=explained_report().windows[-1].kinds[:1],
        failure_shifts=explained_report().windows[-1].failure_shifts,
    )

    assert "http_404 rose" in told(window)["What else"]
    assert risen_failures(window)


def test_thresholds_of_the_users_own() -> None:
    calm, _, drifted = threshold_report().windows

    assert told(drifted)["How sure"].startswith("Your own thresholds decide: jsd 0.27")
    assert told(calm)["How sure"].startswith("Your own thresholds decide: jsd 0.0")
    assert "is below its threshold 0.15" in told(calm)["How sure"]
    assert "What would show" not in told(calm)


@pytest.mark.parametrize(
    ("shift", "sentence"),
    [
        (
            QualityShift("sharpness", 0.5, -1.2, "down", -0.9, 0.0, 0.0, 1e-6),
            "The images' median sharpness fell from 0.5 to −1.2.",
        ),
        (
            QualityShift("width", 640.0, 1280.0, "up", 0.8, 0.0, 0.0, 1e-6),
            "The images' median width rose from 640 to 1,280.",
        ),
        (
            QualityShift("bytes_per_pixel", 0.2, 0.25, "other", 0.3, 0.0, 0.5, 1e-6),
            (
                "The spread of the images' bytes per pixel changed; the median went from 0.2 to 0.25; "
                "50.0 % of the images have none."
            ),
        ),
        (
            QualityShift("width", 400.0, 400.0, "other", 0.3, 0.0, 0.0, 1e-6),
            "The spread of the images' width changed; the median stayed at 400.",
        ),
    ],
)
def test_pixel_statistics(shift: QualityShift, sentence: str) -> None:
    drifted = mixed_report().windows[4]
    faint, unsure = replace(shift, effect=0.1), replace(shift, p_value=0.2)

    assert told(replace(drifted, quality=(faint, unsure, shift)))["Why"] == sentence


def test_secrets_in_a_columns_values_are_left_out() -> None:
    window = explained_report().windows[-1]
    (explanation,) = window.explanations
    values = tuple(
        replace(value, value="https://me:pw@example.com/a?token=s3cr3t")
        for value in explanation.values
    )
    odd = replace(window, explanations=(replace(explanation, values=values),))

    assert "page" not in told(odd)["Why"]
    assert "https://example.com/a?…" in told(odd)["Why"]
    assert not {"s3cr3t", "pw@"} & set(told(odd)["Why"].split())
