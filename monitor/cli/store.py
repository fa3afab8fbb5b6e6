"""`monitor store`: the database of results."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.options import config_option, output_options
from monitor.cli.root import SuggestingGroup
from monitor.cli.terminal import Terminal, counted


@click.group(cls=SuggestingGroup)
def store() -> None:
    """Where results are kept: status, migrate."""


@store.command()
@config_option
@output_options
@click.pass_obj
def status(terminal: Terminal, config_path: Path) -> None:
    """Show where the store is and what it holds."""
    from monitor.config import MonitoringConfig
    from monitor.store import Store

    with Store(MonitoringConfig.load(config_path).store_url) as opened:
        state = opened.status()
    lines = [state["url"], f"tables of version {state['version']}"]
    if state["version"] != state["newest_version"]:
        lines[1] += f", {state['newest_version']} is needed: run `monitor store migrate`"
    else:
        n = state["windows"]
        lines += [
            f"features: {', '.join(state['features']) or 'none yet'}",
            f"windows: {n['done']:,} done, {n['due']:,} due, {n['failed']:,} given up",
            f"alerts: {state['alerts']:,}, {counted(state['undelivered'], 'message')} not delivered",
        ]
    terminal.result(state, lines)


@store.command()
@config_option
@output_options
@click.pass_obj
def migrate(terminal: Terminal, config_path: Path) -> None:
    """Make the store's tables, or bring them up to date."""
    from monitor.config import MonitoringConfig
    from monitor.store import Store

    with Store(MonitoringConfig.load(config_path).store_url) as opened:
        before, after = opened.migrate()
        url = opened.url
    outcome = "is up to date" if before == after else f"went from version {before} to {after}"
    terminal.result({"url": url, "before": before, "after": after}, [f"{url} {outcome}"])
