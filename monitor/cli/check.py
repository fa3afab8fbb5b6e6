"""`monitor check`: does the config hold, are the files there, is the model here?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.findings import Finding, in_rows, in_settings, in_source, too_many_clusters
from monitor.cli.options import config_option, output_options
from monitor.cli.terminal import Terminal, counted, table

if TYPE_CHECKING:
    from monitor.cli.project import Project


@click.command()
@config_option
@click.option(
    "--sample",
    type=click.IntRange(1, 200),
    metavar="N",
    help="Also fetch and embed N rows of the first file of each part, and say what fails.",
)
@output_options
@click.pass_context
def check(ctx: click.Context, config_path: Path, sample: int | None) -> None:
    """Check the config, the data and the model.

    Looks at each file, its columns and its first rows, at folders and variables, and whether the weights
    are here; fetches nothing without --sample, and keeps nothing.
    """
    from monitor.cli.project import Project
    from monitor.cli.root import FAILED

    terminal = ctx.ensure_object(Terminal)
    project = Project.open(config_path, terminal)
    findings = list(_look(project, sample))
    wrong = sum(finding.state == "error" for finding in findings)
    terminal.result(
        {"ok": not wrong, "findings": [asdict(finding) for finding in findings]},
        [
            *table(["", "", ""], [list(asdict(f).values()) for f in findings])[1:],
            *([] if wrong else [f"next: {_next(project)}"]),
        ],
    )
    if wrong:
        terminal.say(f"error: {wrong} of {len(findings)} checks failed")
        ctx.exit(FAILED)


def _look(project: Project, sample: int | None) -> Iterator[Finding]:
    names = ", ".join(feature.name for feature in project.config.features)
    n_features = counted(len(project.config.features), "feature")
    yield Finding("ok", str(project.path), f"{n_features}: {names}")
    yield from in_settings(project)
    yield from _data(project)
    yield from _models(project)
    if sample is not None:
        from monitor.cli.sampled import in_sample

        yield from in_sample(project, sample)
    yield from _baselines(project)


def _data(project: Project) -> Iterator[Finding]:
    from monitor.cli.columns import check_columns
    from monitor.cli.embedded import PARTS
    from monitor.cli.tables import find_tables
    from monitor.errors import MonitorError

    for part in PARTS:
        place, described = f"data.{part}", getattr(project.config.data, part)
        if described.path is None and described.images is None:
            yield from in_source(project)
            continue
        try:
            files = find_tables(project.config, described, place)
        except MonitorError as error:
            yield Finding("error", place, str(error).removeprefix(f"{place}."))
            continue
        n_rows = 0
        problems: dict[str, list[str]] = {}
        notes: list[str] = []
        for file in files:
            try:
                outline = file.outline()
                n_rows += outline.n_rows
                notes += outline.notes
                check_columns(
                    project.config, str(file), outline.columns, project.config.monitored, part
                )
                for state, text in in_rows(project, part, file):
                    if state == "note":
                        notes.append(f"{file}: {text}")
                    else:
                        problems.setdefault(text, []).append(str(file))
            except MonitorError as error:
                text = str(error).removeprefix(f"{file}: ")
                problems.setdefault(text, []).append(str(file))
        for text, names in problems.items():
            more = f" and {counted(len(names) - 1, 'more file')}" if len(names) > 1 else ""
            yield Finding("error", place, f"{names[0]}{more}: {text}")
        for note in notes:
            yield Finding("note", place, note)
        if part == "baseline" and not problems:
            yield from too_many_clusters(project, n_rows)
        if not problems:
            shown = str(files[0]) if len(files) == 1 else counted(len(files), "file")
            yield Finding("ok", place, f"{shown}, {counted(n_rows, 'row')}, has all columns needed")


def _models(project: Project) -> Iterator[Finding]:
    from monitor.cli.embedding import located
    from monitor.cli.models import look_for_model

    for feature in project.config.monitored:
        spec = located(project.config, feature).origin.encoder
        if spec is not None:
            state, text = look_for_model(spec)
            yield Finding(state, f"model of {feature.name}", text)


def _baselines(project: Project) -> Iterator[Finding]:
    from monitor.cli import fitted_on
    from monitor.cli.tables import find_tables
    from monitor.errors import MonitorError

    for feature in project.config.monitored:
        place = f"baseline of {feature.name}"
        if not project.baseline_path(feature).is_file():
            yield Finding("note", place, "not fitted yet")
            continue
        try:
            baseline = project.baseline(feature)
            files = find_tables(project.config, project.config.data.baseline, "data.baseline")
            changes = fitted_on.changed(
                project.baseline_path(feature), files, project.config.folder
            )
        except MonitorError as error:
            yield Finding("error", place, str(error))
            continue
        if changes:
            text = f"since it was fitted, {'; '.join(changes)}: {project.command('baseline fit')}"
            yield Finding("error", place, text)
        else:
            yield Finding("ok", place, f"{baseline.id}, {counted(baseline.n_clusters, 'cluster')}")


def _next(project: Project) -> str:
    fitted = all(project.baseline_path(f).is_file() for f in project.config.monitored)
    return project.command("drift" if fitted else "baseline fit")
