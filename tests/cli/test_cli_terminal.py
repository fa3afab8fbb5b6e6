"""What a terminal cannot print is written in what it can."""

import io
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from click.testing import CliRunner

from monitor.cli import main
from monitor.clusters import Baseline
from monitor.reports import DriftReport

SAY = """
from monitor.cli.terminal import Terminal
Terminal().result({}, ["p ≤ 0.01 – Köln…"])
Terminal().say("p ≥ 0.01")
"""


@pytest.mark.parametrize(
    ("encoding", "line", "remark"),
    [
        ("ascii", "p <= 0.01 - K?ln...", "p >= 0.01"),
        ("cp1252", "p <= 0.01 - Köln...", "p >= 0.01"),
        ("utf-8", "p ≤ 0.01 – Köln…", "p ≥ 0.01"),
    ],
)
def test_a_line_in_the_encoding_of_the_terminal(encoding, line, remark):
    done = subprocess.run(
        [sys.executable, "-c", SAY],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert done.stdout.decode(encoding).strip() == line
    assert done.stderr.decode(encoding).strip() == remark


def test_a_whole_command_where_nothing_but_ascii_is_printed(fitted):
    done = CliRunner(charset="ascii").invoke(main, ["drift"])
    assert done.exit_code == 0, done.exception
    assert b"windows drifted" in done.stdout_bytes
    assert done.stdout_bytes.isascii()


def test_what_python_prints_of_a_report_and_a_baseline(drifted, monkeypatch):
    report = DriftReport.from_json("report.json")
    windows = [replace(window, feature="schön") for window in report.windows]
    features = tuple(replace(feature, name="schön") for feature in report.features)
    report = replace(report, windows=tuple(windows), features=features)
    baseline = Baseline.load(".monitor/baselines/photo.safetensors")
    assert "schön" in repr(report)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert repr(report).isascii()
    assert repr(baseline).isascii()


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text")
def test_names_of_files_that_are_no_text(fitted, monitor_command):
    """As an old system in Latin-1 left them."""
    odd = os.fsencode(fitted / "production") + b"/caf\xe9.parquet"
    os.rename("production/day1.parquet", odd)
    assert monitor_command("check").exit_code == 0
    drift = monitor_command("drift")
    assert drift.exit_code == 0, drift.stderr
    assert "1 of 2 windows drifted" in drift.stdout
