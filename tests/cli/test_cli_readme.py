"""The README names each command and each key of monitor.yaml."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from monitor.cli import main
from monitor.config import MonitoringConfig, json_schema

README = Path(__file__).parents[2] / "README.md"
# A column inside of a space is written as its name.
INNER = {"Blob", "String", "DescribedBlob"}


def commands(group: click.Group, words: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{words} {name}")
        else:
            yield f"{words} {name}"


def keys() -> list[str]:
    schema = json_schema()
    named = {"": schema, **schema["$defs"]}
    return sorted({k for n, d in named.items() if n not in INNER for k in d.get("properties", {})})


@pytest.mark.skipif(not README.is_file(), reason="there is no README here")
@pytest.mark.parametrize("command", list(commands(main, "monitor")))
def test_commands(command):
    assert command in README.read_text(encoding="utf-8")


WHOLE = {
    "features": [{"type": "FROM_VECTOR", "name": "x", "column": "x"}],
    "data": {"baseline": {"path": "a.csv"}, "production": {"path": "b.csv"}},
}


@pytest.mark.skipif(not README.is_file(), reason="there is no README here")
def test_its_configs_hold():
    text = README.read_text(encoding="utf-8")
    found = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    assert found
    for block in found:
        # A block may show one section only.
        MonitoringConfig.from_dict(WHOLE | yaml.safe_load(block))


@pytest.mark.skipif(not README.is_file(), reason="there is no README here")
def test_keys():
    text = README.read_text(encoding="utf-8")
    assert [key for key in keys() if f"`{key}`" not in text and f"{key}:" not in text] == []
