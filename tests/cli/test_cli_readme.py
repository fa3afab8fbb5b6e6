"""README and guide name each command and each key of monitor.yaml."""

from collections.abc import Iterator

import click
import pytest
import yaml

from monitor.cli import main
from monitor.config import MonitoringConfig, json_schema
from tests.documents import GUIDE, README, blocks, guide

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
    assert command in guide()


WHOLE = {
    "features": [{"type": "FROM_VECTOR", "name": "x", "column": "x"}],
    "data": {"baseline": {"path": "a.csv"}, "production": {"path": "b.csv"}},
}


@pytest.mark.skipif(not README.is_file(), reason="there is no README here")
def test_its_configs_hold():
    configs = [block for page in GUIDE for block in blocks(page, "yaml")]
    assert len(configs) >= 4
    for block in configs:
        # A block may show one section only.
        MonitoringConfig.from_dict(WHOLE | yaml.safe_load(block))


@pytest.mark.skipif(not README.is_file(), reason="there is no README here")
def test_keys():
    text = guide()
    assert [key for key in keys() if f"`{key}`" not in text and f"{key}:" not in text] == []
