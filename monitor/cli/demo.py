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
@click.option(
    "--serve",
    "is_served",
    is_flag=True,
    help="Make a project of it, judge its days into a store, and open the page on that.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8470,
    show_default=True,
    help="With --serve: the page's port; 0 takes a free one.",
)
@output_options
@click.pass_obj
def demo(terminal: Terminal, output: Path, is_served: bool, port: int) -> None:
    """Try it all on pictures that it draws itself.

    They are served, fetched, embedded and judged; the report shows the days that drift.
    """
    if is_served:
        from monitor.cli.demo_project import make_project
        from monitor.cli.serve import serve_project

        serve_project(make_project(output, terminal), port=port)
        return
    from monitor.cli.drift import report_document
    from monitor.demo import run_demo

    report = run_demo(output, echo=terminal.say if terminal.as_json else click.echo)
    written = {"html": output / "report.html", "json": output / "report.json"}
    terminal.result(report_document(report, written), ["", "with your own data: monitor init"])
