"""The options that commands share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from monitor.cli.terminal import Terminal
from monitor.commands import config_named

DEFAULT_CONFIG: Final = Path("monitor.yaml")
Command = TypeVar("Command", bound=Callable[..., Any])


def _set_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    terminal = ctx.ensure_object(Terminal)
    terminal.as_json = terminal.as_json or value


def _set_debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    terminal = ctx.ensure_object(Terminal)
    terminal.is_debug = terminal.is_debug or value


class _ToTerminal(logging.Handler):
    """Writes what `monitor` logs as all other remarks: on stderr, without secrets."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self.terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        self.terminal.say(f"{record.name}: {record.getMessage()}")


def _set_verbose(ctx: click.Context, _: click.Parameter, value: int) -> None:
    if not value:
        return
    logger, handler = logging.getLogger("monitor"), _ToTerminal(ctx.ensure_object(Terminal))
    before = logger.level
    if not any(isinstance(other, _ToTerminal) for other in logger.handlers):
        logger.addHandler(handler)
    logger.setLevel(logging.INFO if value == 1 else logging.DEBUG)

    def restore() -> None:
        logger.removeHandler(handler)
        logger.setLevel(before)

    ctx.call_on_close(restore)


def output_options(command: Command) -> Command:
    """`--json`, `--debug` and `--verbose`, which every command has; their values go to the terminal.

    They may stand before the command's name, too.
    """
    command = click.option(
        "-v",
        "--verbose",
        count=True,
        expose_value=False,
        callback=_set_verbose,
        help="Say what is being done; -vv also which files are read and which images fail.",
    )(command)
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
    if value != DEFAULT_CONFIG:
        # What a report says to do next must find the same config.
        ctx.with_resource(config_named(str(value)))
    return value


config_option = click.option(
    "--config",
    "config_path",
    callback=_note_config,
    is_eager=True,
    type=click.Path(path_type=Path),
    default=DEFAULT_CONFIG,
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
