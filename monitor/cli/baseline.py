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
    """What production is compared with: fit, list, show."""


@baseline.command()
@config_option
@feature_option
@output_options
@click.pass_obj
def fit(terminal: Terminal, config_path: Path, feature_names: tuple[str, ...]) -> None:
    """Fit and save the baseline of each feature.

    Images are embedded first where the vectors are missing.
    """
    from monitor.cli import fitted_on
    from monitor.cli.embedded import read_part
    from monitor.cli.project import Project
    from monitor.cli.tables import find_tables
    from monitor.pipeline.fit import fit_baseline

    project = Project.open(config_path, terminal)
    features = project.features(feature_names)
    files = find_tables(project.config, project.config.data.baseline, "data.baseline")
    frame = read_part(project, "baseline", features)
    saved = []
    for feature in features:
        terminal.say(f"fitting {feature.name} on {counted(frame.num_rows, 'row')}")
        fitted = fit_baseline(
            frame,
            feature,
            timestamp_column=project.config.data.baseline.timestamp_column,
            every=project.config.drift.every or "1d",
            timezone=project.config.schedule.timezone,
            segment_column=project.config.drift.segment_column,
            explain_columns=project.config.drift.explain_columns,
            group_column=project.config.drift.group_column,
            context=project.config.drift.context,
            policy=project.config.policy,
        )
        path = fitted.save(project.baseline_path(feature))
        fitted_on.record(path, files, project.config.folder)
        saved.append((fitted, path))
    terminal.result(
        {"baselines": [_facts(fitted, path) for fitted, path in saved]},
        [
            *[line for fitted, path in saved for line in _fitted(fitted, path)],
            f"next: {project.command('drift')}",
        ],
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


def _facts(baseline: Baseline, path: Path) -> dict[str, Any]:
    return {
        "feature": baseline.name,
        "id": baseline.id,
        "n_clusters": baseline.n_clusters,
        "rows": baseline.n_rows,
        "encoder": baseline.fingerprint,
        "path": path,
    }


def _fitted(baseline: Baseline, path: Path) -> list[str]:
    size = f"{counted(baseline.n_clusters, 'cluster')} from {counted(baseline.n_rows, 'row')}"
    lines = [f"{baseline.name}: {size}, baseline {baseline.id}", f"  wrote {path}"]
    if baseline.choice:
        lines.append(f"  {baseline.choice}")
    lines += [f"  without a vector: {_failures(baseline)}"] if baseline.histogram.failures else []
    return lines


def _entry(project: Project, feature: Monitored) -> dict[str, Any]:
    from monitor.cli.project import differences
    from monitor.clusters import Baseline

    path = project.baseline_path(feature)
    if not path.is_file():
        blank = dict.fromkeys(["id", "n_clusters", "rows", "encoder", "path"])
        return {"feature": feature.name, **blank, "state": "not fitted yet"}
    baseline = Baseline.load(path)
    changes = differences(baseline, feature)
    return _facts(baseline, path) | {"state": "; ".join(changes) or "ok"}


def _details(baseline: Baseline, path: Path) -> dict[str, Any]:
    return _facts(baseline, path) | {
        "width": baseline.width,
        "n_fit": baseline.n_fit,
        "cluster_sizes": baseline.histogram.counts.tolist(),
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
    counts = baseline.histogram.counts
    facts = {
        "feature": baseline.name,
        "baseline": baseline.id,
        "file": path,
        "encoder": baseline.fingerprint or "not known: the vectors were in the data",
        "vectors": f"{counted(baseline.n_rows, 'row')} of width {baseline.width}; clusters fitted on "
        f"{baseline.n_fit:,}, windows compared with {int(counts.sum()):,}",
        "failures": _failures(baseline),
        "times": " to ".join(baseline.time_range) if baseline.time_range else "none",
        "segments": f"{baseline.segment_column}: {', '.join(baseline.segments)}"
        if baseline.segment_column
        else "none",
        "clusters": f"{baseline.n_clusters}, {baseline.choice or 'as the feature says'}",
    }
    total = max(int(counts.sum()), 1)
    sizes = table(
        ["cluster", "rows", "share", ""],
        [
            [cluster, f"{count:,}", f"{count / total:.1%}", "#" * round(40 * count / total)]
            for cluster, count in enumerate(counts.tolist())
        ],
    )
    width = max(map(len, facts))
    return [*[f"{key.ljust(width)}  {value}" for key, value in facts.items()], "", *sizes]


def _failures(baseline: Baseline) -> str:
    counts = baseline.histogram.failures.items()
    return ", ".join(f"{count:,} {reason}" for reason, count in counts) or "none"


def _cell(value: object) -> str:
    return "-" if value is None else str(value)
