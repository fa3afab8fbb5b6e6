"""A feature's baseline: fitted as the config says, and kept where the config says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from monitor.cli.project import Monitored, Project, file_name
from monitor.cli.terminal import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from monitor.clusters import Baseline

ONLY_KEY: Final = "monitor.only"
"""Whether a table of accepted rows is the whole baseline."""


def fitted_baseline(project: Project, frame: pa.Table, feature: Monitored) -> Baseline:
    """The baseline of `feature` on the rows of `frame`, which have their vectors."""
    from monitor.pipeline.fit import fit_baseline

    config = project.config
    project.terminal.say(f"fitting {feature.name} on {counted(frame.num_rows, 'row')}")
    return fit_baseline(
        frame,
        feature,
        timestamp_column=config.data.baseline.timestamp_column,
        every=config.drift.every or "1d",
        timezone=config.schedule.timezone,
        segment_column=config.drift.segment_column,
        explain_columns=config.drift.explain_columns,
        group_column=config.drift.group_column,
        context=config.drift.context,
        policy=config.policy,
        vocabulary=config.vocabulary,
        previous=project.previous_baseline(feature),
        progress=False if project.terminal.as_json else None,
    )


def facts(baseline: Baseline, path: Path) -> dict[str, Any]:
    """A baseline for `--json`."""
    return {
        "feature": baseline.name,
        "id": baseline.id,
        "n_clusters": baseline.n_clusters,
        "rows": baseline.n_rows,
        "encoder": baseline.fingerprint,
        "path": path,
    }


def described(baseline: Baseline, path: Path) -> list[str]:
    """A baseline that was fitted just now, in lines."""
    size = f"{counted(baseline.n_clusters, 'cluster')} from {counted(baseline.n_rows, 'row')}"
    lines = [f"{baseline.name}: {size}, baseline {baseline.id}", f"  wrote {path}"]
    if baseline.choice:
        lines.append(f"  {baseline.choice}")
    lines += [f"  note: {note}" for note in baseline.facts.notes]
    lines += [f"  without a vector: {failures(baseline)}"] if baseline.histogram.failures else []
    return lines


def failures(baseline: Baseline) -> str:
    """Why rows of the baseline have no vector, in words."""
    counts = baseline.histogram.failures.items()
    return ", ".join(f"{count:,} {reason}" for reason, count in counts) or "none"


def accepted_path(project: Project, feature: Monitored) -> Path:
    """Where the rows of production stand that were accepted into the baseline of `feature`."""
    return project.output / "accepted" / f"{file_name(feature.name)}.parquet"


def read_accepted(project: Project, feature: Monitored) -> tuple[pa.Table, bool] | None:
    """The rows that were accepted, and whether they are the whole baseline; None where there are none."""
    from monitor import frames

    path = accepted_path(project, feature)
    if not path.is_file():
        return None
    rows = frames.read_table(path)
    return rows, bool(frames.facts_of(rows).get(ONLY_KEY, False))


def with_accepted(project: Project, own: pa.Table, accepted: pa.Table) -> pa.Table:
    """The baseline's own rows, and those that were accepted into it."""
    from monitor import frames

    column = project.config.data.baseline.timestamp_column
    timed = own if column is None else with_instants(own, column, column)
    return frames.join([timed, accepted])


def with_instants(frame: pa.Table, column: str, name: str) -> pa.Table:
    """`frame` with its times as instants in UTC, whatever they were, in a column `name`."""
    import pyarrow as pa

    from monitor import frames

    values = pa.array(frames.read_times(frame, column).values, pa.timestamp("us", tz="UTC"))
    others = [other for other in frame.column_names if other not in (column, name)]
    return frame.select(others).append_column(name, values)
