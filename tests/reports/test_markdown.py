"""The summary for chats and pull requests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from monitor.drift import ShiftKind
from monitor.reports import DriftReport
from monitor.reports.text import summary

from .samples import (
    detected_report,
    explained_report,
    failed_report,
    joined,
    long_report,
    quiet_report,
    segmented_report,
)


def test_the_answer_the_main_shift_and_the_drifted_windows() -> None:
    answer, headline, facts, now, steps, also, _, table, of_window, note = (
        explained_report().to_markdown().split("\n\n")
    )

    assert answer == "**2 of 6 windows drifted** – `photos`, 1–6 Mar 2026"
    assert headline == "**A fifth of 6 Mar's rows have no image** (6 Mar 2026)"
    assert [line.partition(":")[0] for line in facts.splitlines()] == [
        "- Why", "- How much", "- Since when", "- How sure",
    ]  # fmt: skip
    assert now == "What now:"
    assert "2. Once the images are there, fetch them again and judge anew: `monitor embed" in steps
    assert also.startswith("**5 Mar's images are what you know, in another mix**")
    header, rule, *lines = table.splitlines()
    assert header.count("|") == rule.count("|") == 5
    assert [line.split(" | ")[:2] for line in lines] == [
        ["| 5 Mar 2026", "new mix"],
        ["| 6 Mar 2026", "broken feed, new content"],
    ]
    assert of_window == "> 2 Mar 2026: a note on this day"
    assert note == "> 2 rows have no timestamp"


def test_it_is_short() -> None:
    year = long_report(365).to_markdown()

    assert len(year) < 2_500
    assert "and 32 more windows that drifted less" in year


def test_windows_that_drift_only_together() -> None:
    text = detected_report().last(4).to_markdown()

    assert "**Rows since 1 Apr 2026 differ a little from your baseline** (1–18 Apr 2026)" in text
    (line,) = (line for line in text.splitlines() if line.startswith("| 18 Apr 2026 | "))
    assert line.endswith("(last 18 windows) |")


def test_answers_without_drift() -> None:
    assert quiet_report(3).to_markdown() == (
        "**No drift in 3 windows** – `photos`, 1–3 Mar 2026\n\n> 2 Mar 2026: a note on this day"
    )
    assert failed_report().to_markdown().startswith("**No verdict: all 2 windows have too few rows")
    assert DriftReport((), ()).to_markdown() == "**No windows to judge**"


def test_segments_and_several_features() -> None:
    assert ", segment `København`" in segmented_report().to_markdown()
    quiet = replace(quiet_report(2), features=(replace(quiet_report(2).features[0], name="calm"),))
    quiet = replace(quiet, windows=tuple(replace(w, feature="calm") for w in quiet.windows))
    both = joined(explained_report(), quiet).to_markdown()
    assert both.startswith("**Drift in 1 of 2 features**")
    assert "`calm`, 1–2 Mar 2026: No drift in 2 windows" in both


def test_names_from_the_data_are_no_links_mentions_or_markup() -> None:
    evil = "<@everyone> [x](https://me:pw@evil.example/?t=s3cr3t) `a` | **b** <img src=x>"
    report = explained_report()
    window = report.windows[-1]
    (explanation,) = window.explanations
    values = tuple(replace(value, value=evil) for value in explanation.values)
    odd = replace(
        window, feature=evil, explanations=(replace(explanation, column=evil, values=values),)
    )
    summary = replace(report.features[0], name=evil)
    text = DriftReport((summary,), (odd,)).to_markdown()

    assert not {"<", ">", "@"} & set(text)
    assert "s3cr3t" not in text
    assert "://" not in text
    assert text.startswith("**Drift found** – `‹＠everyone› [x](")  # as code
    assert "\\[x\\](" in text.partition("Why")[2]
    assert "**b**" not in text.partition("Why")[2]


def test_it_is_written_to_a_file(tmp_path: Path) -> None:
    text = explained_report().to_markdown(tmp_path / "summary.md")

    assert (tmp_path / "summary.md").read_text(encoding="utf-8") == text + "\n"


def test_a_broken_feed_is_told_before_calm_windows() -> None:
    calm = quiet_report(2)
    first = replace(calm.windows[0], kinds=(ShiftKind.BROKEN_FEED,))
    report = replace(calm, windows=(first, calm.windows[1]))
    assert report.is_broken
    assert not report.has_drift
    text = report.to_markdown()
    assert text.startswith("**Broken feed in 1 of 2 windows**")
    assert "| 1 Mar 2026 | broken feed |" in text
    assert summary(report).splitlines()[-1].startswith("Broken feed in 1 of 2 windows.")
    assert "no drift: broken feed" in summary(report)
