"""The root command: finds the others when they are asked for, and turns errors into exit codes.

Exit codes: 0 done, 1 an error of ours, 2 wrong usage, 3 drift under `--fail-on-alert`.
"""

from __future__ import annotations

import errno
import signal
import traceback
import warnings
from importlib import import_module
from typing import Any, Final

import click

from monitor import __version__
from monitor.cli.options import output_options
from monitor.cli.terminal import Terminal
from monitor.errors import MonitorError, did_you_mean

FAILED: Final = 1

# In the order of the work, which is the order of the help text.
_COMMANDS: Final = {
    "demo": "demo:demo",
    "init": "start:init",
    "check": "check:check",
    "embed": "embed:embed",
    "baseline": "baseline:baseline",
    "drift": "drift:drift",
    "report": "report:report",
    "run": "run:run",
    "schedule": "run:schedule",
    "serve": "serve:serve",
    "store": "store:store",
    "alerts": "alerts:alerts",
    "metrics": "metrics:metrics",
    "cache": "cache:cache",
    "schema": "start:schema",
}


class SuggestingGroup(click.Group):
    """A group that answers a mistyped command with the close one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            known = self.list_commands(ctx)
            hint = did_you_mean(name, known).rstrip() or f"commands: {', '.join(known)}"
            ctx.fail(f"there is no command {name!r}; {hint}")
        return super().resolve_command(ctx, args)


class RootGroup(SuggestingGroup):
    """The root: imports a command's module on first use, and shows an error in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"monitor.cli.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        terminal = ctx.ensure_object(Terminal)
        try:
            with warnings.catch_warnings():
                # Python's own form shows a line of source.
                warnings.showwarning = lambda message, *_, **__: terminal.say(f"warning: {message}")
                return super().invoke(ctx)
        except click.ClickException as error:
            error.message = terminal.redacted(error.message)  # type: ignore[misc]
            raise
        except (click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            terminal.say(": ".join(filter(None, ["stopped", terminal.if_stopped])))
            ctx.exit(128 + signal.SIGINT)
        except MonitorError as error:
            _fail(ctx, terminal, error, str(error))
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # click ends quietly when the reader of a pipe has gone
            where = f"{error.filename}: " if error.filename else ""
            _fail(ctx, terminal, error, f"{where}{error.strerror or error}")
        except Exception as error:
            text = f"unexpected {type(error).__name__}: {error}".splitlines()[0]
            _fail(
                ctx,
                terminal,
                error,
                f"{text} (a fault of monitor's; --debug shows where, please report it)",
            )


def _fail(ctx: click.Context, terminal: Terminal, error: Exception, message: str) -> None:
    if terminal.is_debug:
        terminal.say("".join(traceback.format_exception(error)).rstrip())
    terminal.fail(message, type(error).__name__)
    ctx.exit(FAILED)


@click.group(
    cls=RootGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="monitor")
@output_options
def main() -> None:
    """Know whether the images your model sees have changed, how sure that is, and what changed.

    Start with `monitor demo`, or in a folder of your own with `monitor init`.
    """
