"""The summary for a terminal."""

from __future__ import annotations

from dataclasses import replace

from monitor.reports import DriftReport
from monitor.reports.text import summary

from .samples import (
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

    assert " ".join(header.split()) == "feature window rows failed jsd (floor) p verdict"
    for title in ("feature", "window", "verdict"):
        at = header.index(title)
        assert all(row[at - 1] == " " and row[at] != " " for row in rest[:6] if at)
    assert {len(part) for part in line.split("  ")} >= {7, 11}
    assert not any(row != row.rstrip() for row in rest)


def test_rows_tell_the_verdict(report: DriftReport) -> None:
    lines = summary(report).splitlines()[2:8]

    assert [line.endswith("drift") and not line.endswith("no drift") for line in lines] == [
        *[False] * 4,
        *[True] * 2,
    ]
    assert lines[1].split()[4:8] == ["304", "4", "(1.3", "%)"]
    assert lines[3].endswith("inconclusive (needs 20 rows)")
    assert " – " in lines[3]


def test_the_last_line_says_it_in_words(report: DriftReport) -> None:
    *_, blank, last = summary(report).splitlines()

    assert "note: 2 rows have no timestamp" in summary(report).splitlines()
    assert blank == ""
    assert last.startswith("2 of 6 windows drifted. Strongest: ")
    assert "At most 1 in 365 windows without drift" in last


def test_other_answers() -> None:
    def last(report: DriftReport) -> str:
        return summary(report).splitlines()[-1]

    empty = replace(quiet_report(), windows=())
    assert last(quiet_report(3)) == "No drift in 3 windows."
    assert last(quiet_report()) == "No drift found."
    assert last(failed_report()) == "No verdict: all 2 windows have too few rows with vectors."
    assert last(empty) == summary(empty) == "No windows to judge."
    assert last(joined(mixed_report(name="one"), quiet_report())).startswith(
        "Drift in 1 of 2 features. Strongest: one, "
    )


def test_the_strongest_window_is_told(report: DriftReport) -> None:
    lines = summary(explained_report()).splitlines()

    told = lines[lines.index("6 Mar 2026:") + 1 : -2]
    questions = [line[:20].strip() for line in told if line[:20].strip()]
    assert questions == ["What it looks like", "Since when", "How large", "How sure", "Why"]
    assert told[0].endswith("A broken feed and new content.")


def test_drift_of_windows_together_is_told() -> None:
    lines = summary(detected_report().last(3)).splitlines()

    assert lines[4].endswith("drift (the last 18 windows together)")
    assert any("only in the last 18 windows together" in line for line in lines)


def test_segments_get_a_column() -> None:
    text = summary(segmented_report())

    assert "segment" in text.splitlines()[0]
    assert "København" in text
    assert text.splitlines()[-1].startswith(
        "Drift in 1 segment only. Strongest: 2 Mar 2026, segment København"
    )


def test_a_terminal_is_not_steered(report: DriftReport) -> None:
    windows = tuple(replace(w, feature="\x1b[2J\r\nphotos\u202e") for w in report.windows)

    text = summary(replace(report, windows=windows))

    assert not {"\x1b", "\r", "\u202e"} & set(text)
    assert all(line.isprintable() for line in text.splitlines())
