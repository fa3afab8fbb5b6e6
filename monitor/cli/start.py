"""`monitor init` and `monitor schema`: the config file before there is one."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from monitor.cli.options import output_options
from monitor.cli.terminal import Terminal


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--force", is_flag=True, help="Replace a monitor.yaml that is there.")
@output_options
@click.pass_obj
def init(terminal: Terminal, directory: Path, force: bool) -> None:
    """Write a monitor.yaml to start from.

    It goes into DIRECTORY, by default this one, and says in comments what can be set.
    """
    from monitor.config.template import template
    from monitor.errors import ConfigError

    target = directory / "monitor.yaml"
    if target.exists() and not force:
        raise ConfigError(f"{target} is there already: --force replaces it")
    directory.mkdir(parents=True, exist_ok=True)
    target.write_text(template(), encoding="utf-8")
    named = "" if directory == Path() else f" --config {quote(str(target))}"
    terminal.result(
        {"config": target},
        [
            f"wrote {target}",
            "next: name your columns and files in it, then run",
            f"  monitor check{named}",
        ],
    )


@click.command()
@output_options
@click.pass_obj
def schema(terminal: Terminal) -> None:
    """Print the JSON Schema of monitor.yaml."""
    import json

    from monitor.config import json_schema

    document = json_schema()
    terminal.result(document, [json.dumps(document, indent=2)])
