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
    from monitor.pipeline import fit_baseline

    project = Project.open(config_path, terminal)
    features = project.features(feature_names)
    files = find_tables(project.config, project.config.data.baseline, "data.baseline")
    frame = read_part(project, "baseline", features)
    saved = []
    for feature in features:
        terminal.say(f"fitting {feature.name} on {counted(frame.num_rows, 'row')}")
        found = fit_baseline(
            frame,
            feature,
            timestamp_column=project.config.data.baseline.timestamp_column,
            every=project.config.drift.every or "1d",
            timezone=project.config.schedule.timezone,
            segment_column=project.config.drift.segment_column,
            explain_columns=project.config.drift.explain_columns,
            policy=project.config.policy,
        )
        path = found.save(project.baseline_path(feature))
        fitted_on.record(path, files, project.config.folder)
        saved.append((found, path))
    terminal.result(
        {"baselines": [_facts(found, path) for found, path in saved]},
        [
            *[line for found, path in saved for line in _fitted(found, path)],
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
        {"baselines": [_details(found, path) for found, path in shown]},
        "\n\n".join("\n".join(_page(found, path)) for found, path in shown).splitlines(),
    )


def _facts(found: Baseline, path: Path) -> dict[str, Any]:
    return {
        "feature": found.name,
        "id": found.id,
        "n_clusters": found.n_clusters,
        "rows": found.n_rows,
        "encoder": found.fingerprint,
        "path": path,
    }


def _fitted(found: Baseline, path: Path) -> list[str]:
    size = f"{counted(found.n_clusters, 'cluster')} from {counted(found.n_rows, 'row')}"
    lines = [f"{found.name}: {size}, baseline {found.id}", f"  wrote {path}"]
    if found.choice:
        lines.append(f"  {found.choice}")
    lines += [f"  without a vector: {_failures(found)}"] if found.histogram.failures else []
    return lines


def _entry(project: Project, feature: Monitored) -> dict[str, Any]:
    from monitor.cli.project import differences
    from monitor.clusters import Baseline

    path = project.baseline_path(feature)
    if not path.is_file():
        blank = dict.fromkeys(["id", "n_clusters", "rows", "encoder", "path"])
        return {"feature": feature.name, **blank, "state": "not fitted yet"}
    found = Baseline.load(path)
    changes = differences(found, feature)
    return _facts(found, path) | {"state": "; ".join(changes) or "ok"}


def _details(found: Baseline, path: Path) -> dict[str, Any]:
    return _facts(found, path) | {
        "width": found.width,
        "n_fit": found.n_fit,
        "cluster_sizes": found.histogram.counts.tolist(),
        "failures": dict(found.histogram.failures),
        "choice": found.choice,
        "time_range": found.time_range,
        "segment_column": found.segment_column,
        "segments": list(found.segments),
        "novelty_radius": found.novelty_radius,
        "most_repeated": found.most_repeated,
        "random_state": found.random_state,
        "definition": dict(found.feature),
    }


def _page(found: Baseline, path: Path) -> list[str]:
    counts = found.histogram.counts
    facts = {
        "feature": found.name,
        "baseline": found.id,
        "file": path,
        "encoder": found.fingerprint or "not known: the vectors were in the data",
        "vectors": f"{counted(found.n_rows, 'row')} of width {found.width}; clusters fitted on "
        f"{found.n_fit:,}, windows compared with {int(counts.sum()):,}",
        "failures": _failures(found),
        "times": " to ".join(found.time_range) if found.time_range else "none",
        "segments": f"{found.segment_column}: {', '.join(found.segments)}"
        if found.segment_column
        else "none",
        "clusters": f"{found.n_clusters}, {found.choice or 'as the feature says'}",
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


def _failures(found: Baseline) -> str:
    counts = found.histogram.failures.items()
    return ", ".join(f"{count:,} {reason}" for reason, count in counts) or "none"


def _cell(value: object) -> str:
    return "-" if value is None else str(value)
