"""`monitor run`, `monitor schedule` and `monitor store`, on real files and a real store."""

import datetime as dt
import os
import re
import signal
import subprocess
import sys
from urllib.request import urlopen

import pytest
import yaml

from monitor.config import MonitoringConfig
from monitor.schedule import Runner
from monitor.store import Store
from monitor.store.alerts import Alerts
from tests.cli.conftest import CONFIG, day

SCHEDULE = {"start": "2026-02-01", "catchup": "all", "catchup_limit": 2}
MORNING = dt.datetime(2026, 3, 3, 11, tzinfo=dt.UTC)
"""When the tests' passes run: what is due depends on the hour, for one half-day is over by the evening."""


def write_config(folder, **changes):
    values = yaml.safe_load(CONFIG) | changes
    (folder / "monitor.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")


def write_day(folder, date: dt.date, seed: int, shift: float) -> None:
    rows = day(100, seed, str(date), shift=shift)
    rows.to_parquet(folder / "production" / f"{date}.parquet")


@pytest.fixture
def scheduled(fitted, monkeypatch):
    """Rows of the last two whole days before a fixed time, calm and moved; both are due."""

    def runner(**arguments):
        return Runner(**arguments | {"clock": lambda: MORNING})

    monkeypatch.setattr("monitor.cli.scheduled.Runner", runner)
    for old in (fitted / "production").glob("*"):
        old.unlink()
    for n_days, shift in ((2, 0.0), (1, 0.6)):
        write_day(fitted, MORNING.date() - dt.timedelta(days=n_days), n_days, shift)
    write_config(fitted, schedule=SCHEDULE)
    return fitted


def test_due_windows_are_judged_once(scheduled, document):
    found = document("run", "--due")
    assert [row["verdict"] for row in found["judged"]] == ["no drift", "drift"]
    assert {row["n_rows"] for row in found["judged"]} == {100}
    assert found["windows"] == {"due": 0, "done": 2, "failed": 0}
    assert document("run", "--due")["judged"] == []
    status = document("store", "status")
    assert status["features"] == ["photo"]
    assert status["alerts"] == 1
    with Store(MonitoringConfig.load("monitor.yaml").store_url) as store:
        assert store.report().has_drift


def test_windows_before_a_rolling_baseline_has_rows_are_told_in_one_line(
    scheduled, monitor_command, document
):
    rolling = {"rolling_baseline": {"window": "1d", "offset": None}, "catchup_limit": 5}
    write_config(scheduled, schedule=SCHEDULE | rolling)
    result = monitor_command("run")
    assert result.exit_code == 0, result.stderr
    judged, skipped = result.stdout.splitlines()
    assert judged == "1 window judged, 1 drifted"
    assert skipped == (
        "4 windows not judged, too few rows come before: photo, 2026-02-26 to 2026-03-01: the rolling "
        "baseline of 1 day before it has 0 rows with vectors; a verdict needs 20; should such rows come, "
        "--retry-failed tries again"
    )
    assert result.stderr.splitlines() == ["photo, 2026-03-02: drift"]
    # Tried again where somebody asks for it.
    assert document("run")["skipped"] == []
    assert len(document("run", "--retry-failed")["skipped"]) == 4


def test_a_report_of_what_is_in_the_store(scheduled, monitor_command, document):
    error = document("report", "--from-store", exit_code=1)["error"]
    assert "has no tables yet" in error["message"]
    judged = document("run", "--due")["judged"]
    found = document("report", "--from-store", "--output", "stored.json")
    assert found["written"] == {"json": "stored.json"}
    verdicts = [(row["window_start"], row["verdict"]) for row in judged]
    assert [(row["window_start"], row["verdict"]) for row in found["windows"]] == verdicts
    last = document("report", "--from-store", "--last", "1d")
    assert [row["verdict"] for row in last["windows"]] == ["drift"]
    assert "html" in last["written"]
    both = monitor_command("report", "--from-store", "--input", "stored.json")
    assert both.exit_code == 2
    assert "two sources: give one of them" in both.stderr


def test_it_says_what_it_does(scheduled, monitor_command):
    done = monitor_command("run", "--due")
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "2 windows judged, 1 drifted\n"
    assert ": no drift\n" in done.stderr
    assert ": drift\n" in done.stderr


def open_alerts(document):
    return [(one["feature"], one["rule"]) for one in document("alerts", "list")["alerts"]]


def test_a_feature_that_was_renamed_leaves_neither_alert_nor_gauge(
    scheduled, monitor_command, document
):
    document("run")
    assert open_alerts(document) == [("photo", "drift")]
    values = yaml.safe_load(CONFIG)
    values["features"][0]["name"] = "renamed"
    write_config(scheduled, features=values["features"], schedule=SCHEDULE)
    document("baseline", "fit")
    document("run")
    assert open_alerts(document) == [("renamed", "drift")]
    samples = document("metrics")["gauges"]["monitor_window_verdict"]
    assert {sample["labels"]["feature"] for sample in samples} == {"renamed"}
    ended = next(
        one for one in document("alerts", "list", "--all")["alerts"] if one["feature"] == "photo"
    )
    assert ended["state"] == "resolved"


def test_windows_of_another_length_start_anew_and_end_old_alerts(scheduled, document):
    document("run")
    write_config(scheduled, drift={"every": "12h"}, schedule=SCHEDULE | {"catchup_limit": 4})
    document("baseline", "fit")
    found = document("run")
    assert len(found["judged"]) == 4
    stored = document("report", "--from-store", "--output", "stored.json")
    assert len(stored["windows"]) == 4
    with Store(MonitoringConfig.load("monitor.yaml").store_url) as store:
        messages = [alert.message.text for alert in Alerts(store).alerts() if not alert.is_open]
    assert messages == ["Windows are cut by 12h now, before by 1d in UTC, so the alert ends."]


def test_days_are_told_as_days_of_the_zone(scheduled, monitor_command, document):
    write_config(scheduled, schedule=SCHEDULE | {"timezone": "Asia/Tokyo"})
    document("baseline", "fit")
    told = monitor_command("run").stderr
    assert all(re.match(r"photo, \d{4}-\d\d-\d\d: ", line) for line in told.splitlines())
    drifts = document("drift")["windows"]
    judged = document("report", "--from-store", "--output", "stored.json")["windows"]
    starts = {row["window_start"] for row in drifts}
    assert {row["window_start"] for row in judged} <= starts
    assert all(start.endswith("T15:00:00+00:00") for start in starts)


def test_drift_may_fail_the_run(scheduled, monitor_command):
    assert monitor_command("run", "--due", "--fail-on-alert").exit_code == 3
    assert monitor_command("run", "--due", "--fail-on-alert").exit_code == 0


def test_a_window_that_cannot_be_judged_fails_the_run(scheduled, monitor_command, document):
    (scheduled / "production" / "broken.parquet").write_bytes(b"no")
    found = document("run", "--due", exit_code=1)
    assert "broken.parquet cannot be read" in found["failed"][0]["error"]
    assert found["windows"] == {"due": 2, "done": 0, "failed": 0}
    (scheduled / "production" / "broken.parquet").unlink()
    done = monitor_command("run", "--due")
    # It is tried again in a minute.
    assert "2 windows still due" in done.stdout


def test_what_was_given_up_is_tried_again_when_asked(scheduled, document):
    write_config(scheduled, schedule=SCHEDULE | {"max_attempts": 1, "retry_for": None})
    (scheduled / "production" / "broken.parquet").write_bytes(b"no")
    assert document("run", "--due", exit_code=1)["windows"]["failed"] == 2
    (scheduled / "production" / "broken.parquet").unlink()
    assert document("run", "--due")["judged"] == []
    assert len(document("run", "--due", "--retry-failed")["judged"]) == 2


def test_due_goes_without_saying(scheduled, document):
    assert len(document("run")["judged"]) == 2
    assert document("run", "--due")["judged"] == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"drift": {}}, "set drift.every"),
        ({"schedule": {"cron": "every day"}}, "is not a cron expression"),
    ],
)
def test_a_config_without_windows_is_told(scheduled, monitor_command, changes, message):
    write_config(scheduled, **changes)
    done = monitor_command(
        "schedule" if "schedule" in changes else "run", *["--due"] * ("drift" in changes)
    )
    assert done.exit_code == 1
    assert message in done.stderr


def test_rows_of_a_function(scheduled, document):
    (scheduled / "our_rows.py").write_text(
        "import pandas as pd\n"
        "from pathlib import Path\n"
        "def rows(start, end):\n"
        "    for path in sorted((Path(__file__).parent / 'production').glob('*')):\n"
        "        yield pd.read_parquet(path)\n"
    )
    data = {
        "baseline": {"path": "train.parquet", "timestamp_column": "ts"},
        "production": {"function": "our_rows:rows", "timestamp_column": "ts"},
    }
    write_config(scheduled, schedule=SCHEDULE, data=data)
    assert len(document("run", "--due")["judged"]) == 2
    error = document("drift", exit_code=1)["error"]
    assert "`monitor run`" in error["message"]
    assert document("check")["ok"]


def test_a_store_of_another_version(scheduled, monitor_command, document):
    assert document("store", "migrate")["before"] is None
    assert document("store", "migrate")["before"] == "0003"
    with (
        Store(MonitoringConfig.load("monitor.yaml").store_url) as store,
        store.writing() as connection,
    ):
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9'")
    done = monitor_command("run", "--due")
    assert done.exit_code == 1
    assert "upgrade monitor" in done.stderr


def test_a_stopped_run_says_how_it_goes_on(scheduled, monitor_command):
    (scheduled / "stopping.py").write_text("def rows(start, end):\n    raise KeyboardInterrupt\n")
    source = {"function": "stopping:rows", "timestamp_column": "ts"}
    data = yaml.safe_load(CONFIG)["data"] | {"production": source}
    write_config(scheduled, schedule=SCHEDULE, data=data)
    stopped = monitor_command("run")
    assert stopped.exit_code == 130
    assert (
        "stopped: windows judged and vectors made so far are kept, and the same" in stopped.stderr
    )
    write_config(scheduled, schedule=SCHEDULE)
    assert monitor_command("run").stdout.startswith("2 windows judged, 1 drifted")


def test_a_feature_that_is_gone_is_told(scheduled, monitor_command):
    assert monitor_command("run").exit_code == 0
    renamed = CONFIG.replace("name: photo", "name: picture")
    values = yaml.safe_load(renamed) | {"schedule": SCHEDULE}
    (scheduled / "monitor.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    assert monitor_command("baseline", "fit").exit_code == 0
    assert (
        "note: feature 'photo': the config has no such feature any more; its open alerts end"
        in monitor_command("run").stderr
    )


def test_a_window_without_rows_says_so(scheduled, monitor_command):
    (scheduled / "production" / f"{MORNING.date() - dt.timedelta(days=2)}.parquet").unlink()
    said = monitor_command("run").stderr
    assert re.search(r"^photo, 2026-03-01: inconclusive \(no rows arrived\)$", said, re.MULTILINE)


def test_a_store_by_url(scheduled, document, monkeypatch):
    monkeypatch.setenv("STORE_NAME", "elsewhere")
    write_config(scheduled, schedule=SCHEDULE, store={"url": "sqlite:///kept/${STORE_NAME}.db"})
    assert len(document("run", "--due")["judged"]) == 2
    assert (scheduled / "kept" / "elsewhere.db").is_file()
    monkeypatch.delenv("STORE_NAME")
    error = document("store", "status", exit_code=1)["error"]
    assert "store.url needs the environment variable STORE_NAME" in error["message"]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM")
def test_the_loop_works_at_once_and_ends_on_sigterm(scheduled):
    # Its clock is the machine's: calm and moved days alternate, so that a midnight between changes nothing.
    today = dt.datetime.now(dt.UTC).date()
    for n_days, shift in ((2, 0.0), (1, 0.6), (0, 0.0)):
        write_day(scheduled, today - dt.timedelta(days=n_days), n_days, shift)
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", "schedule", "--metrics-port", "0"],
        cwd=scheduled, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        address = process.stderr.readline().removeprefix("metrics are at ").strip()
        first = process.stdout.readline()
        assert first == "2 windows judged, 1 drifted\n"
        with urlopen(address, timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        assert [
            line
            for line in lines
            if line.startswith('monitor_window_rows{feature="photo"') and line.endswith(" 100.0")
        ]
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate()
        assert process.returncode == 128 + signal.SIGTERM, told
        assert "Traceback" not in told
    finally:
        process.kill()  # nothing is left running when an assertion fails
