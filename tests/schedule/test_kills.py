"""Short runs of `benchmarks/kills.py` and `outages.py`: schedulers that are killed, and worse."""

import json
import os
from pathlib import Path

import pytest

from tests.preloaded import run_script

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no fork")
def test_nothing_is_lost_or_done_twice(database_url):
    words = ("--url", database_url, "--kills", "4", "--stalls", "1")
    done = run_script(BENCHMARKS / "kills.py", *words)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert (done.returncode, found["faults"], found["errors"]) == (0, [], []), found
    assert found["exactly_one_current_result"]
    assert found["claims"] >= found["windows"] > 0
    assert found.get("integrity_check", "ok") == "ok"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no fork")
def test_wrong_clocks_crashes_a_full_disk_and_a_backup_lose_and_double_nothing():
    done = run_script(BENCHMARKS / "outages.py", "--size", "3")
    assert done.stdout, done.stderr
    outcome = json.loads(done.stdout)
    assert [trial["faults"] for trial in outcome.values()] == [[]] * 4
    assert outcome["clocks"]["late_writes_refused"] > 0
    assert outcome["clocks"]["revisions"] > outcome["clocks"]["windows"]
    assert outcome["full disk"]["errors_told"] > 0
    assert done.returncode == 0
