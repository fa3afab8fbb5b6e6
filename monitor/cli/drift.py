"""`monitor drift`: production against the baseline."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from monitor.cli.options import config_option, feature_option, output_options
from monitor.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.cli.project import Monitored, Project
    from monitor.clusters import Baseline
    from monitor.pipeline.judged import Judged
    from monitor.reports import DriftReport, WindowDrift
    from monitor.rules import RunRules

ALERT: Final = 3


@click.command()
@config_option
@feature_option
@click.option("--fail-on-alert", is_flag=True, help=f"Exit with {ALERT} if any window drifted.")
@output_options
@click.pass_context
def drift(
    ctx: click.Context, config_path: Path, feature_names: tuple[str, ...], fail_on_alert: bool
) -> None:
    """Judge production and write the report.

    Each window is compared with the baseline. Images are embedded first where the vectors are
    missing.
    """
    from monitor.cli.project import Project

    terminal = ctx.ensure_object(Terminal)
    project = Project.open(config_path, terminal)
    # After the config, so that what is wrong with it is said without two seconds of imports.
    from monitor.pipeline.notes import other_windows
    from monitor.progress import progress_shown
    from monitor.reports.text import summary

    config = project.config
    features = project.features(feature_names)
    # Before embedding, which may take long.
    baselines = [project.baseline(feature) for feature in features]
    rules = config.drift.rules(config.schedule.timezone)
    for baseline in baselines:
        if warning := other_windows(baseline, rules.grid):
            terminal.say(f"warning: {warning}")
    with progress_shown(False if terminal.as_json else None):
        report = _judged(project, features, baselines, rules).report
    written = _write(project, report)
    terminal.result(
        report_document(report, written),
        [summary(report), *[f"wrote {path}" for path in written.values()]],
    )
    if fail_on_alert and (report.has_drift or report.is_broken):
        ctx.exit(ALERT)


def _judged(
    project: Project,
    features: Sequence[Monitored],
    baselines: Sequence[Baseline],
    rules: RunRules,
) -> Judged:
    """Production, judged: where the workers are if the config has such and rows are many."""
    from monitor.cli.embedded import pieces_of, prepare_part, wanted_columns
    from monitor.pipeline.judged import judge_spread, judge_tables

    column = project.config.data.production.timestamp_column
    columns = wanted_columns(project, "production", features)
    files = list(prepare_part(project, "production", features))
    # Segments of several windows are judged from rows that are held.
    are_held = rules.segment_column is not None and rules.every is not None
    spread = None if are_held else pieces_of(project, files, columns)
    if spread is not None:
        executor, pieces = spread
        judged = judge_spread(pieces, executor, baselines, rules, timestamp_column=column)
        if judged is not None:
            return judged
        project.terminal.say(
            "note: all rows are read here: not all workers see the files, or some rows have too many new "
            "segments"
        )
    tables = (table for file in files for table in file.tables(columns))
    return judge_tables(tables, baselines, rules, timestamp_column=column)


def report_document(report: DriftReport, written: dict[str, Path]) -> dict[str, Any]:
    """A report for `--json`: the answer, a row for each window, and where the rest is."""
    from monitor.reports.episodes import dated

    return {
        "has_drift": report.has_drift,
        "is_broken": report.is_broken,
        "windows": [window_document(window) for window in dated(report.windows)],
        "notes": list(report.notes),
        "written": written,
    }


def window_document(window: WindowDrift) -> dict[str, Any]:
    """A window as `DriftReport.to_frame` has it, for `--json`: no NaN, instants in ISO 8601.

    Beside the cells stand its `next_steps`.
    """
    from monitor.reports.frame import row

    steps = [{"text": step.text, "command": step.command} for step in window.next_steps]
    return {name: _plain(cell) for name, cell in row(window).items()} | {"next_steps": steps}


def _plain(cell: Any) -> Any:
    if hasattr(cell, "item"):
        cell = cell.item()
    if hasattr(cell, "isoformat"):
        return cell.isoformat()
    return None if isinstance(cell, float) and math.isnan(cell) else cell


def _write(project: Project, report: DriftReport) -> dict[str, Path]:
    wanted = project.config.report
    written = {}
    # The data first: if the page cannot be made, `monitor report` makes it from them.
    if wanted.json_file is not None:
        path = project.config.resolve(wanted.json_file)
        report.to_json(path)
        written["json"] = path
    if wanted.html is not None:
        path = project.config.resolve(wanted.html)
        report.to_html(path, policy=project.config.policy, thumbnails=wanted.thumbnails)
        written["html"] = path
    return written
