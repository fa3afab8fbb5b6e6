"""`monitor report`: the page again, from a saved report."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from monitor.cli.options import config_option, output_options
from monitor.cli.terminal import Terminal

_KINDS: Final = {".md": "markdown", ".svg": "svg"}
_DAYS_OF_A_YEAR: Final = 365.25


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
    help="The file to write: a page, or by its ending .md or .svg the summary or the chart; by default "
    "report.html of the config.",
)
@click.option(
    "--last",
    metavar="TIME",
    help="Only the windows of the last 30d, 12h, 4w or 3mo, counted back from the newest.",
)
@click.option("--no-thumbnails", is_flag=True, help="Fetch no example images.")
@output_options
@click.pass_obj
def report(
    terminal: Terminal,
    config_path: Path,
    source: Path | None,
    target: Path | None,
    last: str | None,
    no_thumbnails: bool,
) -> None:
    """Make the HTML page of a saved report again, or a Markdown summary, or an SVG chart.

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
    if last is not None:
        found = found.last(_days(last))
    kind = _KINDS.get(target.suffix.lower(), "html")
    if kind == "markdown":
        found.to_markdown(target)
    elif kind == "svg":
        found.to_svg(target)
    else:
        thumbnails = not no_thumbnails and (config is None or config.report.thumbnails)
        policy = None if config is None else config.policy
        found.to_html(target, policy=policy, thumbnails=thumbnails)
    terminal.result(
        report_document(found, {kind: target}),
        [summary(found), f"wrote {target}"],
    )


def _days(last: str) -> float:
    from monitor.errors import TimestampError
    from monitor.windows import Every

    try:
        return Every.parse(last).years * _DAYS_OF_A_YEAR
    except TimestampError as error:
        raise click.BadParameter(
            f"{last!r} is no time; give a number and one of min, h, d, w, mo, for example 30d",
            param_hint="--last",
        ) from error
