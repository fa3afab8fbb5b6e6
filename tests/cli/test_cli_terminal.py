"""What a terminal cannot print is written in what it can."""

import os
import subprocess
import sys

import pytest

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
    done = subprocess.run(
        [sys.executable, "-m", "monitor", "drift"],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert b"windows drifted" in done.stdout
