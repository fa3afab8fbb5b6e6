"""`monitor baseline`: what production is compared with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.options import config_option, feature_option, output_options
from monitor.cli.root import SuggestingGroup
from monitor.cli.terminal import Terminal, counted, table

if TYPE_CHECKING:
    from monitor.cli.project import Monitored, Project
    from monitor.clusters import Baseline


@click.group(cls=SuggestingGroup)
def baseline() -> None:
    """What production is compared with: fit, accept, list, show."""


@baseline.command()
@config_option
@feature_option
@click.option(
    "--fresh",
    is_flag=True,
    help="Leave out rows of production that were accepted, and forget them.",
)
@output_options
@click.pass_obj
def fit(terminal: Terminal, config_path: Path, feature_names: tuple[str, ...], fresh: bool) -> None:
    """Fit and save the baseline of each feature.

    Images are embedded first where the vectors are missing. Rows that `baseline accept` took in are part
    of it. Clusters that the baseline had before keep their names.
    """
    from monitor.cli.project import Project

    project = Project.open(config_path, terminal)
    # After the config, so that what is wrong with it is said without seconds of imports.
    from monitor.cli import fitted_on
    from monitor.cli.embedded import read_part
    from monitor.cli.fitting import (
        accepted_path,
        described,
        facts,
        fitted_baseline,
        read_accepted,
        with_accepted,
    )
    from monitor.cli.tables import find_tables

    features = project.features(feature_names)
    files = find_tables(project.config, project.config.data.baseline, "data.baseline")
    frame = read_part(project, "baseline", features)
    saved = []
    for feature in features:
        rows, accepted = frame, None if fresh else read_accepted(project, feature)
        if accepted is not None:
            added, is_whole = accepted
            rows = added if is_whole else with_accepted(project, frame, added)
            terminal.say(f"{counted(added.num_rows, 'row')} of them accepted from production")
        fitted = fitted_baseline(project, rows, feature)
        path = fitted.save(project.baseline_path(feature))
        fitted_on.record(path, files, project.config.folder)
        if fresh:
            accepted_path(project, feature).unlink(missing_ok=True)
        saved.append((fitted, path))
    terminal.result(
        {"baselines": [facts(fitted, path) for fitted, path in saved]},
        [
            *[line for fitted, path in saved for line in described(fitted, path)],
            f"next: {project.command('drift')}",
        ],
    )


@baseline.command()
@click.option("--from", "start", metavar="TIME", required=True, help="The first day, or instant.")
@click.option(
    "--to",
    "end",
    metavar="TIME",
    required=True,
    help="The day, or instant, up to which; not included.",
)
@click.option(
    "--only", is_flag=True, help="Make these rows the whole baseline, instead of adding them to it."
)
@config_option
@feature_option
@output_options
@click.pass_obj
def accept(
    terminal: Terminal,
    start: str,
    end: str,
    only: bool,
    config_path: Path,
    feature_names: tuple[str, ...],
) -> None:
    """Take rows of production into the baseline.

    What they show is known from now on: the baseline is fitted again with them. A day that is all like
    them is still another mix than the baseline; with --only these rows are the baseline. The old one is
    kept beside it, and `baseline fit --fresh` goes back to the baseline's own rows.
    """
    from monitor.cli.accept import accept_span, span_of
    from monitor.cli.fitting import described, facts
    from monitor.cli.project import Project

    project = Project.open(config_path, terminal)
    done = accept_span(
        project, project.features(feature_names), span_of(project, start, end), only=only
    )
    terminal.result(
        {
            "baselines": [
                facts(entry.baseline, entry.path)
                | {"accepted_rows": entry.n_rows, "kept": entry.kept}
                for entry in done
            ]
        },
        [
            line
            for entry in done
            for line in (
                f"accepted {counted(entry.n_rows, 'row')}",
                *described(entry.baseline, entry.path),
                *([f"  the old one is kept as {entry.kept}"] if entry.kept else []),
            )
        ]
        + [f"next: {project.command('drift')}"],
    )


@baseline.command("list")
@config_option
@output_options
@click.pass_obj
def list_all(terminal: Terminal, config_path: Path) -> None:
    """List the baselines of the config's features."""
    from monitor.cli.project import Project

    project = Project.open(config_path, terminal)
    entries = [_entry(project, feature) for feature in project.features()]
    head = ["feature", "id", "n_clusters", "rows", "encoder", "path", "state"]
    terminal.result(
        {"baselines": entries},
        table(head, [[_cell(entry[key]) for key in head] for entry in entries]),
    )


@baseline.command()
@click.argument("feature_name", metavar="[FEATURE]", required=False)
@config_option
@output_options
@click.pass_obj
def show(terminal: Terminal, feature_name: str | None, config_path: Path) -> None:
    """Show a baseline and the sizes of its clusters."""
    from monitor.cli.project import Project

    project = Project.open(config_path, terminal)
    shown = [
        (project.baseline(feature), project.baseline_path(feature))
        for feature in project.features([feature_name] if feature_name else [])
    ]
    terminal.result(
        {"baselines": [_details(baseline, path) for baseline, path in shown]},
        "\n\n".join("\n".join(_page(baseline, path)) for baseline, path in shown).splitlines(),
    )


def _entry(project: Project, feature: Monitored) -> dict[str, Any]:
    from monitor.cli.fitting import facts
    from monitor.cli.project import differences
    from monitor.clusters import Baseline

    path = project.baseline_path(feature)
    if not path.is_file():
        blank = dict.fromkeys(["id", "n_clusters", "rows", "encoder", "path"])
        return {"feature": feature.name, **blank, "state": "not fitted yet"}
    baseline = Baseline.load(path)
    changes = differences(baseline, feature, project.config.drift)
    return facts(baseline, path) | {"state": "; ".join(changes) or "ok"}


def _details(baseline: Baseline, path: Path) -> dict[str, Any]:
    from monitor.cli.fitting import facts

    return facts(baseline, path) | {
        "width": baseline.width,
        "n_fit": baseline.n_fit,
        "cluster_sizes": baseline.histogram.counts.tolist(),
        "cluster_names": [name.text for name in baseline.names],
        "failures": dict(baseline.histogram.failures),
        "choice": baseline.choice,
        "time_range": baseline.time_range,
        "segment_column": baseline.segment_column,
        "segments": list(baseline.segments),
        "novelty_radius": baseline.novelty_radius,
        "most_repeated": baseline.most_repeated,
        "random_state": baseline.random_state,
        "definition": dict(baseline.feature),
    }


def _page(baseline: Baseline, path: Path) -> list[str]:
    from monitor.cli.fitting import failures

    counts = baseline.histogram.counts
    facts = {
        "feature": baseline.name,
        "baseline": baseline.id,
        "file": path,
        "encoder": baseline.fingerprint or "not known: the vectors were in the data",
        "vectors": f"{counted(baseline.n_rows, 'row')} of width {baseline.width}; clusters fitted on "
        f"{baseline.n_fit:,}, windows compared with {int(counts.sum()):,}",
        "failures": failures(baseline),
        "times": " to ".join(baseline.time_range) if baseline.time_range else "none",
        "segments": f"{baseline.segment_column}: {', '.join(baseline.segments)}"
        if baseline.segment_column
        else "none",
        "clusters": f"{baseline.n_clusters}, {baseline.choice or 'as the feature says'}",
    }
    total = max(int(counts.sum()), 1)
    sizes = table(
        ["cluster", "rows", "share", "", "name"],
        [
            [
                *(cluster, f"{count:,}", f"{count / total:.1%}", "#" * round(40 * count / total)),
                baseline.names[cluster].text if baseline.names else "",
            ]
            for cluster, count in enumerate(counts.tolist())
        ],
    )
    width = max(map(len, facts))
    return [*[f"{key.ljust(width)}  {value}" for key, value in facts.items()], "", *sizes]


def _cell(value: object) -> str:
    return "-" if value is None else str(value)
