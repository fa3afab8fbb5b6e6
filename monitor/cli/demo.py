"""`monitor demo`: the whole walk on images that it draws itself."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.options import output_options
from monitor.cli.terminal import Terminal


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("monitor-demo"),
    show_default=True,
    help="The folder for the report.",
)
@output_options
@click.pass_obj
def demo(terminal: Terminal, output: Path) -> None:
    """Try it all on pictures that it draws itself.

    They are served, fetched, embedded and judged; the report shows the days that drift.
    """
    from monitor.cli.drift import report_document
    from monitor.demo import run_demo

    report = run_demo(output, echo=terminal.say if terminal.as_json else click.echo)
    written = {"html": output / "report.html", "json": output / "report.json"}
    terminal.result(report_document(report, written), ["", "with your own data: monitor init"])
