"""The options that commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from monitor.cli.terminal import Terminal

Command = TypeVar("Command", bound=Callable[..., Any])


def _set_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.ensure_object(Terminal).as_json = value


def _set_debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.ensure_object(Terminal).is_debug = value


def output_options(command: Command) -> Command:
    """`--json` and `--debug`, which every command has; their values go to the terminal."""
    command = click.option(
        "--debug",
        is_flag=True,
        envvar="MONITOR_DEBUG",
        expose_value=False,
        callback=_set_debug,
        help="Show the traceback of an error (or set MONITOR_DEBUG=1).",
    )(command)
    return click.option(
        "--json",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_set_json,
        help="Write the result as one JSON document on stdout.",
    )(command)


def _note_config(ctx: click.Context, _: click.Parameter, value: Path) -> Path:
    ctx.ensure_object(Terminal).config_path = value
    return value


config_option = click.option(
    "--config",
    "config_path",
    callback=_note_config,
    is_eager=True,
    type=click.Path(path_type=Path),
    default=Path("monitor.yaml"),
    show_default=True,
    help="The monitoring config.",
)

feature_option = click.option(
    "--feature",
    "feature_names",
    multiple=True,
    metavar="NAME",
    help="Only this feature; may be given several times. By default all.",
)
