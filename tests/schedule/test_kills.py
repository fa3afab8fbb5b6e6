"""A short run of `benchmarks/kills.py`: schedulers that get SIGKILL and SIGSTOP at random."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "kills.py"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no fork")
def test_nothing_is_lost_or_done_twice(database_url):
    done = subprocess.run(
        [sys.executable, SCRIPT, "--url", database_url, "--kills", "8", "--stalls", "2"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert (done.returncode, found["faults"], found["errors"]) == (0, [], []), found
    assert found["exactly_one_current_result"]
    assert found["claims"] >= found["windows"] > 0
    assert found.get("integrity_check", "ok") == "ok"
