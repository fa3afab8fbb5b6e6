"""The summary for a terminal."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from monitor.reports import DriftReport, WindowDrift
from monitor.reports.text import summary

from .samples import (
    FIRST_DAY,
    detected_report,
    explained_report,
    failed_report,
    joined,
    mixed_report,
    quiet_report,
    segmented_report,
)


def test_columns_are_aligned(report: DriftReport) -> None:
    header, line, *rest = summary(report).splitlines()

    assert " ".join(header.split()) == "feature window rows failed changed jsd (floor) p verdict"
    for title in ("feature", "window", "verdict"):
        at = header.index(title)
        assert all(row[at - 1] == " " and row[at] != " " for row in rest[:6] if at)
    assert len(line.split("  ")) == 8
    assert not any(row != row.rstrip() for row in rest)


def test_rows_tell_the_verdict(report: DriftReport) -> None:
    lines = summary(report).splitlines()[2:8]

    assert [": new" in line for line in lines] == [False] * 4 + [True] * 2
    assert lines[4].endswith("  drift: new mix")
    assert lines[1].split()[4:8] == ["304", "4", "(1.3", "%)"]
    assert lines[3].endswith("inconclusive (needs 20 rows)")
    assert " – " in lines[3]


def test_the_last_line_says_it_in_words(report: DriftReport) -> None:
    *_, blank, last = summary(report).splitlines()

    assert "note: 2 rows have no timestamp" in summary(report).splitlines()
    assert blank == ""
    assert last == "2 of 6 windows drifted."


def test_other_answers() -> None:
    def last(report: DriftReport) -> str:
        return summary(report).splitlines()[-1]

    empty = replace(quiet_report(), windows=())
    assert last(quiet_report(3)) == "No drift in 3 windows."
    assert last(quiet_report()) == "No drift found."
    assert last(failed_report()) == "No verdict: all 2 windows have too few rows with vectors."
    assert last(empty) == summary(empty) == "No windows to judge."
    both = joined(mixed_report(name="one"), quiet_report())
    assert last(both) == "Drift in 1 of 2 features."
    assert "\none: 6 Mar's images are unlike your baseline\n" in summary(both)


def test_the_main_shift_is_told(report: DriftReport) -> None:
    lines = summary(explained_report()).splitlines()

    told = lines[lines.index("A fifth of 6 Mar's rows have no image") + 1 : -2]
    questions = [line[:12].strip() for line in told if line.startswith("  ") and line[:12].strip()]
    assert questions == ["why", "how much", "since when", "how sure", "what now"]
    assert any("1. Tell the owner of photos's images: 80 rows of" in line for line in told)
    assert told[-1] == (
        "also: 5 Mar's images are what you know, in another mix (photos, 5 Mar 2026)"
    )


def test_only_notes_that_matter_are_told() -> None:
    report = detected_report()

    assert any("false alarm" in note for note in report.notes)
    assert any("rows are taken as independent" in note for note in report.notes)
    assert "false alarm" not in summary(report)
    assert "rows are taken as independent" in summary(report)
    assert "rows are taken as independent" in report.to_markdown()


def test_empty_windows_in_a_row_are_one_line() -> None:
    calm, empty = mixed_report().windows[0], mixed_report().windows[3]
    empty = replace(empty, failures={})
    days = [calm, *(moved(empty, day) for day in range(1, 31)), moved(calm, 31)]
    report = replace(mixed_report(), windows=tuple(days))

    lines = summary(report).splitlines()[2:5]
    assert "2–31 Mar 2026 (30 windows)" in lines[1]
    assert lines[2].split()[1:4] == ["1", "Apr", "2026"]


def moved(window: WindowDrift, day: int) -> WindowDrift:
    start = FIRST_DAY + dt.timedelta(days=day)
    return replace(window, start=start, end=start + dt.timedelta(days=1))


def test_a_prompt_shows_a_few_lines(pictured: DriftReport) -> None:
    text = repr(pictured)

    assert text.startswith("<DriftReport: 1 of 5 windows drifted>")
    assert "of 5 Mar's images are unlike your baseline" in text
    assert len(text) < 400
    assert all(len(repr(w)) < 200 for w in (*pictured.windows, *pictured.features))
    assert len(pictured._repr_html_()) < 60_000
    assert "data:" not in pictured._repr_html_()


def test_drift_of_windows_together_is_told() -> None:
    lines = summary(detected_report().last(3)).splitlines()

    assert "drift (the last 18 windows together): new" in lines[4]
    assert any("only in the last 18 windows together" in line for line in lines)


def test_segments_get_a_column() -> None:
    text = summary(segmented_report())

    assert "segment" in text.splitlines()[0]
    assert "København" in text
    assert "\nKøbenhavn's images of 2 Mar 2026 are unlike your baseline\n" in text
    assert text.splitlines()[-1] == "Drift in 1 segment only."


def test_a_terminal_is_not_steered(report: DriftReport) -> None:
    windows = tuple(replace(w, feature="\x1b[2J\r\nphotos\u202e") for w in report.windows)

    text = summary(replace(report, windows=windows))

    assert not {"\x1b", "\r", "\u202e"} & set(text)
    assert all(line.isprintable() for line in text.splitlines())
