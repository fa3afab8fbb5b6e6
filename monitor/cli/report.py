"""`monitor report`: the page again, from a saved report."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.options import config_option, output_options
from monitor.cli.terminal import Terminal


@click.command()
@config_option
@click.option(
    "--input",
    "source",
    type=click.Path(path_type=Path),
    help="The saved report; by default report.json of the config.",
)
@click.option(
    "--output",
    "target",
    type=click.Path(path_type=Path),
    help="The page to write; by default report.html of the config.",
)
@click.option("--no-thumbnails", is_flag=True, help="Fetch no example images.")
@output_options
@click.pass_obj
def report(
    terminal: Terminal,
    config_path: Path,
    source: Path | None,
    target: Path | None,
    no_thumbnails: bool,
) -> None:
    """Make the HTML page of a saved report again.

    With --input and --output no config is needed; images then come from public addresses only.
    """
    from monitor.cli.drift import report_document
    from monitor.config import MonitoringConfig
    from monitor.errors import ConfigError
    from monitor.reports import DriftReport
    from monitor.reports.text import summary

    needs_config = source is None or target is None or config_path.exists()
    config = MonitoringConfig.load(config_path) if needs_config else None
    if source is None or target is None:
        assert config is not None
        wanted = config.report
        if (source is None and wanted.json_file is None) or (target is None and not wanted.html):
            raise ConfigError(
                f"report in {config_path} names no file for it: give --input and --output"
            )
        source = source or config.resolve(str(wanted.json_file))
        target = target or config.resolve(str(wanted.html))
    found = DriftReport.from_json(source)
    thumbnails = not no_thumbnails and (config is None or config.report.thumbnails)
    found.to_html(target, policy=None if config is None else config.policy, thumbnails=thumbnails)
    terminal.result(
        report_document(found, {"html": target}),
        [summary(found), f"wrote {target}"],
    )
