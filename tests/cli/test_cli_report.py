"""`monitor report`: parts and other forms of a saved report."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest


def test_only_the_last_windows(drifted, monitor_command, document):
    every = document("report")["windows"]
    last = document("report", "--last", "1d")["windows"]
    assert len(every) > 1
    assert last == every[-1:]


def test_a_time_that_is_none(drifted, monitor_command):
    result = monitor_command("report", "--last", "soon")
    assert result.exit_code == 2
    assert (
        "'soon' is not a length of time: give a number and one of min, h, d, w, mo" in result.stderr
    )


def test_a_summary_and_a_chart(drifted, monitor_command, document):
    assert document("report", "--output", "drift.md")["written"] == {"markdown": "drift.md"}
    assert document("report", "--output", "drift.svg")["written"] == {"svg": "drift.svg"}
    assert Path("drift.md").read_text().startswith("**")
    assert Path("drift.svg").read_text().startswith("<?xml")


def test_data_as_a_table(drifted, monitor_command, document):
    result = monitor_command("report", "--output", "drift.csv")
    # What the table says is not said once more.
    assert result.stdout == "2 windows, 1 drifted\nwrote drift.csv\n"
    table = pd.read_csv("drift.csv")
    assert table["verdict"].tolist() == ["no drift", "drift"]


@pytest.mark.parametrize("name", ["drift.pdf", "drift.xlsx", "drift"])
def test_forms_that_there_are_not(drifted, monitor_command, document, name):
    result = monitor_command("report", "--output", name)
    assert result.exit_code == 2
    assert f"{name} names no form that a report is written in: give one of .html" in " ".join(
        result.stderr.split()
    )
    assert not Path(name).exists()


@pytest.mark.parametrize("name", ["changed.csv", "changed.parquet"])
def test_the_rows_that_changed(drifted, monitor_command, document, name):
    done = document("report", "--rows", name)
    assert done["written"]["rows"] == name
    rows = pd.read_csv(name) if name.endswith(".csv") else pd.read_parquet(name)
    assert len(rows) > 0
    assert rows["score"].between(0.5, 1).all()
    starts = [window["window_start"] for window in done["windows"] if window["verdict"] == "drift"]
    assert set(pd.to_datetime(rows["window_start"])) == set(pd.to_datetime(starts))


def test_rows_in_another_form_are_refused(drifted, monitor_command, document):
    result = monitor_command("report", "--rows", "changed.xlsx")
    assert result.exit_code == 2
    assert "changed.xlsx ends neither in .csv nor in .parquet" in result.stderr
