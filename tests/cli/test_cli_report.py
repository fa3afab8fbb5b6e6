"""`monitor report`: parts and other forms of a saved report."""

from __future__ import annotations

from pathlib import Path


def test_only_the_last_windows(fitted, monitor_command, document):
    assert monitor_command("drift").exit_code == 0
    every = document("report")["windows"]
    last = document("report", "--last", "1d")["windows"]
    assert len(every) > 1
    assert last == every[-1:]


def test_a_time_that_is_none(fitted, monitor_command):
    assert monitor_command("drift").exit_code == 0
    result = monitor_command("report", "--last", "soon")
    assert result.exit_code == 2
    assert "'soon' is no time; give a number and one of min, h, d, w, mo" in result.stderr


def test_a_summary_and_a_chart(fitted, monitor_command, document):
    assert monitor_command("drift").exit_code == 0
    assert document("report", "--output", "drift.md")["written"] == {"markdown": "drift.md"}
    assert document("report", "--output", "drift.svg")["written"] == {"svg": "drift.svg"}
    assert Path("drift.md").read_text().startswith("**")
    assert Path("drift.svg").read_text().startswith("<?xml")
