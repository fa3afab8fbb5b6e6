"""The commands on a real store and real channels."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from monitor.cli import main
from monitor.store import Store
from monitor.store.alerts import Alerts
from tests.alerts.samples import alert, entry

CONFIG = """\
features:
  - {name: photos, type: FROM_VECTOR, column: embedding}
data:
  baseline: {path: train.parquet}
  production: {path: prod.parquet, timestamp_column: ts}
alerts:
  channels:
    - {name: hook, url: "${HOOK_URL}"}
"""


@pytest.fixture
def project(tmp_path, monkeypatch, hook) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOK_URL", hook.url)
    Path("monitor.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


@pytest.fixture
def kept(project):
    """The alerts of the project's store."""
    with Store("sqlite:///.monitor/monitor.db") as store:
        store.migrate()
        yield Alerts(store)


def run(*words, exit_code=0):
    result = CliRunner().invoke(main, words)
    assert result.exit_code == exit_code, result.output
    assert "sEcReT" not in result.output
    return result


def test_a_test_message_arrives(project, hook):
    result = run("alerts", "test")
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["channel", "state"],
        ["hook", "ok"],
    ]
    assert hook.received[0]["title"] == "Test of the channel hook"
    assert json.loads(run("alerts", "test", "--json").stdout) == {
        "ok": True,
        "channels": [{"name": "hook", "ok": True, "error": None}],
    }


def test_the_channel_that_failed_is_named(project, hook):
    with Path("monitor.yaml").open("a") as config:
        config.write("    - {name: away, url: '${OFF_URL}'}\n")
    hook.answers = [500, 500]
    result = run("alerts", "test", exit_code=1)
    assert "error: 2 of 2 channels failed" in result.stderr
    assert "needs the environment variable OFF_URL" in result.stdout
    assert "error=500" in result.stdout
    told = json.loads(run("alerts", "test", "--json", "--channel", "hook", exit_code=1).stdout)
    assert [one["ok"] for one in told["channels"]] == [False]
    run("alerts", "test", "--channel", "hook")
    wrong = run("alerts", "test", "--channel", "hok", exit_code=1)
    assert "has no channel 'hok'; did you mean 'hook'? it has: hook, away" in wrong.stderr


def test_without_a_channel_there_is_nothing_to_test(project):
    config = Path("monitor.yaml")
    config.write_text(config.read_text().partition("alerts:")[0])
    assert "names no channel, so alerts reach nobody" in run("alerts", "test", exit_code=1).stderr


def test_deliver_and_list(kept, hook):
    kept.save_alert(alert(), [entry("a", title="first")])
    listed = json.loads(run("alerts", "list", "--json").stdout)
    assert [one["severity"] for one in listed["alerts"]] == ["warning"]
    assert [(m["state"], m["message"]) for m in listed["messages"]] == [("pending", "first")]
    assert "1 message delivered, 0 to be tried again, 0 given up" in run("alerts", "deliver").stdout
    assert hook.received[0]["title"] == "first"
    assert "no message is waiting" in run("alerts", "list").stdout
    assert "delivered  hook" in run("alerts", "list", "--all").stdout


def test_a_dead_message_is_seen_and_tried_again(kept, hook):
    with Path("monitor.yaml").open("a") as config:
        config.write("  max_attempts: 1\n")
    hook.answers = [503]
    kept.save_alert(alert(), [entry("a")])
    result = run("alerts", "deliver", exit_code=1)
    assert "warning: the channel 'hook' did not take the message" in result.stderr
    assert "0 messages delivered, 0 to be tried again, 1 given up" in result.stdout
    shown = run("alerts", "list").stdout
    assert "dead" in shown
    assert "error=503" in shown
    assert json.loads(run("alerts", "deliver", "--json").stdout)["delivered"] == 0
    again = json.loads(run("alerts", "deliver", "--retry-dead", "--json").stdout)
    assert (again["revived"], again["delivered"]) == (1, 1)


def test_metrics_on_stdout_and_in_a_file(kept):
    kept.save_alert(alert(), [entry("a")])
    text = run("metrics").stdout
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["monitor_outbox_pending"].samples[0].value == 1
    assert run("metrics", "--textfile", "m/monitor.prom").stdout == (
        f"wrote {os.path.join('m', 'monitor.prom')}\n"
    )
    assert Path("m/monitor.prom").read_text(encoding="utf-8") == text
    assert "end in .prom" in run("metrics", "--textfile", "m.txt", exit_code=1).stderr
    assert json.loads(run("metrics", "--json").stdout)["gauges"]["monitor_alerts_open"]


def test_a_store_that_is_not_there(project):
    assert "migrate" in run("alerts", "list", exit_code=1).stderr
