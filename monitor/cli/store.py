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
    """Tell where the store is and what it holds."""
    from monitor.config import MonitoringConfig
    from monitor.store import Store

    with Store(MonitoringConfig.load(config_path).store_url) as opened:
        found = opened.status()
    lines = [found["url"], f"tables of version {found['version']}"]
    if found["version"] != found["newest_version"]:
        lines[1] += f", {found['newest_version']} is needed: run `monitor store migrate`"
    else:
        n = found["windows"]
        lines += [
            f"features: {', '.join(found['features']) or 'none yet'}",
            f"windows: {n['done']:,} done, {n['due']:,} due, {n['failed']:,} given up",
            f"alerts: {found['alerts']:,}, {counted(found['undelivered'], 'message')} not delivered",
        ]
    terminal.result(found, lines)


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
    told = "is up to date" if before == after else f"went from version {before} to {after}"
    terminal.result({"url": url, "before": before, "after": after}, [f"{url} {told}"])
