"""No password, token or query of a config is shown, whatever is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

SECRET = "hunter2hunter2"

HEAD = """version: 1
features: [{name: photo, type: FROM_VECTOR, column: embedding, n_clusters: 3}]
"""
DATA = """data:
  baseline: {path: train.parquet, timestamp_column: ts}
  production: {path: "production/*.parquet", timestamp_column: ts}
drift: {every: 1d}
"""
QUERY = "query: 'SELECT * FROM t WHERE ts >= :start AND ts < :end', timestamp_column: ts"


def production(url: str) -> str:
    return f"""data:
  baseline: {{path: train.parquet, timestamp_column: ts}}
  production: {{url: "{url}", {QUERY}}}
drift: {{every: 1d}}
"""


CONFIGS = {
    "a password in a query": DATA
    + f"store: {{url: 'postgresql+psycopg://db:1/shop?password={SECRET}'}}",
    "an unencoded @": DATA
    + f"store: {{url: 'postgresql+psycopg://me:a@{SECRET}@db.invalid:1/shop'}}",
    "an unencoded /": DATA
    + f"store: {{url: 'postgresql+psycopg://me:a/{SECRET}@db.invalid:1/shop'}}",
    "an unencoded ?": DATA
    + f"store: {{url: 'postgresql+psycopg://me:a?{SECRET}@db.invalid:1/shop'}}",
    "an unencoded #": DATA
    + f"store: {{url: 'postgresql+psycopg://me:a#{SECRET}@db.invalid:1/shop'}}",
    "a bad port": DATA + f"store: {{url: 'postgresql+psycopg://me:x@db.invalid:{SECRET}/shop'}}",
    "a password for a port": DATA + f"store: {{url: 'postgresql+psycopg://me:{SECRET}/shop'}}",
    "an unknown driver": DATA + f"store: {{url: 'postgersql://me:{SECRET}@db/shop'}}",
    "SQLite with a user": DATA + f"store: {{url: 'sqlite://u:{SECRET}@'}}",
    "nobody there": DATA + f"store: {{url: 'postgresql+psycopg://me:{SECRET}@127.0.0.1:1/shop'}}",
    "from the environment": DATA
    + "store: {url: 'postgresql+psycopg://me:${DB_PASSWORD}@127.0.0.1:1/s'}",
    "whole from the environment": DATA + "store: {url: '${STORE_URL}'}",
    "the store as text": DATA + f"store: postgresql+psycopg://me:{SECRET}@db/shop",
    "production as text": f"data:\n  baseline: {{path: train.parquet}}\n  production: "
    f"postgresql+psycopg://me:{SECRET}@db/shop\n",
    "production's database": production(f"postgresql+psycopg://me:{SECRET}@127.0.0.1:1/shop"),
    "production's bad port": production(f"postgresql+psycopg://me:x@db:{SECRET}/shop"),
    "production's SQLite": production(f"sqlite://u:{SECRET}@"),
    "a channel's URL as a key": DATA + f"alerts: {{channels: [{{'slack://{SECRET}/b/c': x}}]}}",
    "a channel's URL as a channel": DATA + f"alerts: {{channels: ['slack://{SECRET}/b/c']}}",
    "a channel's URL for channels": DATA + f"alerts: {{channels: 'json://me:{SECRET}@h/a'}}",
    "a webhook": DATA + f"alerts: {{channels: 'https://hooks.example.com/services/{SECRET}'}}",
    "an unknown channel": DATA + f"alerts: {{channels: [{{name: a, url: 'slck://{SECRET}/b/c'}}]}}",
    "a host with a user": DATA + f"sources: {{hosts: ['http://me:{SECRET}@h/x?token={SECRET}']}}",
    "a folder that is a URL": DATA + f"output: https://me:{SECRET}@h/x\nstoer: 1",
    "not YAML": DATA + f"store: {{url: 'postgresql://me:{SECRET}@db/shop'\n  bad: [",
    "a tab": DATA + f"store:\n\turl: postgresql://me:{SECRET}@db/shop\n",
    "a list for a key": DATA + f"? [postgresql://me:{SECRET}@db/shop]\n: 1\n",
    "a key twice": DATA
    + f"'postgresql://me:{SECRET}@db/shop': 1\n'postgresql://me:{SECRET}@db/shop': 1\n",
}
COMMANDS = [
    ["check"],
    ["run"],
    ["store", "status"],
    ["alerts", "test"],
    ["alerts", "deliver"],
    ["drift"],
]


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_no_message_holds_a_secret(config, project, monitor_command, monkeypatch):
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    monkeypatch.setenv("STORE_URL", f"postgresql+psycopg://me:{SECRET}@127.0.0.1:1/shop")
    Path("monitor.yaml").write_text(HEAD + config, encoding="utf-8")
    n_failed = 0
    for words in COMMANDS:
        for options in (["--debug"], ["--json"]):
            result = monitor_command(*words, *options)
            n_failed += result.exit_code != 0
            assert SECRET not in result.output, (words, options, result.output)
    assert n_failed


def test_a_word_of_the_command_line_is_a_message_as_well(project, monitor_command):
    result = monitor_command("check", f"postgresql://me:{SECRET}@db/shop")
    assert result.exit_code == 2
    assert SECRET not in result.output


def test_what_is_no_secret_stays(project, monitor_command):
    text = HEAD + DATA + "store: {url: 'postgresql+psycopg://me@127.0.0.1:1/shop'}"
    Path("monitor.yaml").write_text(text, encoding="utf-8")
    assert "postgresql+psycopg://me@127.0.0.1:1/shop" in monitor_command("store", "status").stderr
