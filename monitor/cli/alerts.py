"""`monitor alerts`: whether messages arrive, which are waiting, which alerts are open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.options import config_option, output_options
from monitor.cli.root import FAILED, SuggestingGroup
from monitor.cli.terminal import Terminal, counted, table

if TYPE_CHECKING:
    from monitor.alerts import Alert, AlertChannel
    from monitor.alerts.alert import QueuedEntry
    from monitor.config import MonitoringConfig


@click.group(cls=SuggestingGroup)
def alerts() -> None:
    """Open alerts and their messages: test, deliver, list."""


@alerts.command()
@config_option
@click.option(
    "--channel",
    "names",
    multiple=True,
    metavar="NAME",
    help="Only this channel; may be given several times. By default all.",
)
@output_options
@click.pass_context
def test(ctx: click.Context, config_path: Path, names: tuple[str, ...]) -> None:
    """Send a test message to every channel.

    Says which did not take it, and why; the exit code is 1 then.
    """
    from monitor.alerts.channels import send
    from monitor.alerts.message import trial_message
    from monitor.config import MonitoringConfig
    from monitor.errors import DeliveryError

    terminal = ctx.ensure_object(Terminal)
    channels = _channels(MonitoringConfig.load(config_path), config_path, names)
    errors: dict[str, str | None] = {}
    for channel in channels:
        terminal.say(f"sending to {channel.name}")
        try:
            send(channel, trial_message(channel.name))
        except DeliveryError as error:
            errors[channel.name] = str(error)
        else:
            errors[channel.name] = None
    failed = [error for error in errors.values() if error is not None]
    terminal.result(
        {
            "ok": not failed,
            "channels": [
                {"name": name, "ok": error is None, "error": error}
                for name, error in errors.items()
            ],
        },
        table(
            ["channel", "state", ""],
            [[name, "failed" if error else "ok", error or ""] for name, error in errors.items()],
        ),
    )
    if failed:
        terminal.say(f"error: {len(failed)} of {counted(len(errors), 'channel')} failed")
        ctx.exit(FAILED)


@alerts.command()
@config_option
@click.option("--retry-dead", is_flag=True, help="Try messages again that were given up.")
@output_options
@click.pass_context
def deliver(ctx: click.Context, config_path: Path, retry_dead: bool) -> None:
    """Send the messages that are due.

    Scheduled runs do this by themselves. The exit code is 1 if a channel failed; what failed is tried
    again later.
    """
    import datetime as dt

    from monitor.alerts import deliver as send_due
    from monitor.config import MonitoringConfig
    from monitor.store import Store
    from monitor.store.alerts import Alerts

    terminal = ctx.ensure_object(Terminal)
    config = MonitoringConfig.load(config_path)
    with Store(config.store_url).check() as store:
        kept = Alerts(store)
        n_revived = kept.revive(dt.datetime.now(dt.UTC)) if retry_dead else 0
        done = send_due(kept, config.alerts, lambda: dt.datetime.now(dt.UTC))
    for error in done.errors:
        terminal.say(f"warning: {error}")
    left = f"{done.n_failed} to be tried again, {done.n_dead} given up"
    terminal.result(
        {
            "delivered": done.n_delivered,
            "failed": done.n_failed,
            "dead": done.n_dead,
            "revived": n_revived,
            "errors": list(done.errors),
        },
        [f"{counted(done.n_delivered, 'message')} delivered, {left}"],
    )
    if done.errors:
        ctx.exit(FAILED)


@alerts.command("list")
@config_option
@click.option("--all", "is_all", is_flag=True, help="Also what has ended and was delivered.")
@output_options
@click.pass_obj
def list_all(terminal: Terminal, config_path: Path, is_all: bool) -> None:
    """List open alerts, and messages that wait or were given up."""
    from monitor.config import MonitoringConfig
    from monitor.store import Store
    from monitor.store.alerts import Alerts

    with Store(MonitoringConfig.load(config_path).store_url).check() as store:
        kept = Alerts(store)
        alerts_shown = [_alert(alert) for alert in kept.alerts() if is_all or alert.is_open]
        queued = [_entry(entry) for entry in kept.entries() if is_all or entry.state != "delivered"]
    lines = [
        *_lines(alerts_shown, "no alert is open"),
        "",
        *_lines(queued, "no message is waiting"),
    ]
    terminal.result({"alerts": alerts_shown, "messages": queued}, lines)


def _channels(
    config: MonitoringConfig, path: Path, names: tuple[str, ...]
) -> tuple[AlertChannel, ...]:
    from monitor.errors import ConfigError, did_you_mean

    known = {channel.name: channel for channel in config.alerts.channels}
    if not known:
        raise ConfigError(
            f"{path} names no channel, so alerts reach nobody: add one under alerts.channels, with a "
            "name and a url"
        )
    for name in names:
        if name not in known:
            raise ConfigError(
                f"{path} has no channel {name!r}; {did_you_mean(name, known)}it has: {', '.join(known)}"
            )
    return tuple(known[name] for name in dict.fromkeys(names) or known)


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "severity": str(alert.severity),
        "state": str(alert.state),
        "feature": alert.feature,
        "segment": alert.segment,
        "rule": alert.rule,
        "window_start": alert.window_start.isoformat(),
        "window_end": alert.window_end.isoformat(),
    }


def _entry(queued: QueuedEntry) -> dict[str, Any]:
    due = queued.next_attempt_at
    return {
        "state": queued.state,
        "channel": queued.entry.channel,
        "message": queued.entry.message.title,
        "attempts": queued.attempts,
        "next_attempt_at": None if due is None else due.isoformat(timespec="seconds"),
        "last_error": queued.last_error,
    }


def _lines(rows: list[dict[str, Any]], empty: str) -> list[str]:
    if not rows:
        return [empty]
    cells = [["-" if cell is None else cell for cell in row.values()] for row in rows]
    return table(list(rows[0]), cells)
