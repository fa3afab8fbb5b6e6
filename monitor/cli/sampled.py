"""What `monitor check --sample` finds: a few rows are fetched and embedded, and nothing is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from monitor.cli.findings import CURES, N_SAMPLED, Finding
from monitor.cli.terminal import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from monitor.cli.project import Monitored, Project
    from monitor.sources import DataTable


def in_sample(project: Project, n_rows: int) -> Iterator[Finding]:
    """How `n_rows` of the first file of each part of the data come out, for each feature of images."""
    from monitor.cli.embedded import PARTS
    from monitor.cli.tables import find_tables
    from monitor.errors import MonitorError

    for part in PARTS:
        described = getattr(project.config.data, part)
        if described.path is None and described.images is None:
            continue
        try:
            first = find_tables(project.config, described, f"data.{part}")[0]
            columns = first.outline().columns
            for feature in project.config.monitored:
                if feature.origin.is_missing_from(columns):
                    yield _tried(project, f"sample of data.{part}", first, feature, n_rows)
        except MonitorError as error:
            yield Finding("error", f"sample of data.{part}", str(error))


def _tried(
    project: Project, place: str, file: DataTable, feature: Monitored, n_rows: int
) -> Finding:
    from monitor import frames
    from monitor.cli.embedding import located
    from monitor.failures import count_failures, counts_in_words
    from monitor.pipeline.embed import embed

    rows = _spread(next(file.tables(set(feature.required_columns), chunk_rows=N_SAMPLED)), n_rows)
    embedded = embed(
        rows,
        located(project.config, feature),
        policy=project.config.policy,
        executor=project.executor,
        progress=False,
        details=True,
    )
    origin = feature.origin
    reasons = [
        reason if isinstance(reason, str) else None
        for reason in frames.cells(embedded, origin.failure_column)
    ]
    counts = count_failures(reasons)
    n_good = reasons.count(None)
    done = (
        f"{n_good} of {counted(len(reasons), 'row')} of {file} can be embedded for {feature.name}"
    )
    if not counts:
        return Finding("ok", place, done)
    details = frames.cells(embedded, origin.failure_detail_column)
    text = f"{done}; {counts_in_words(counts)}: {_first_words(counts, reasons, details)}"
    return Finding("note" if n_good else "error", place, text)


def _first_words(
    counts: dict[str, int], reasons: Sequence[str | None], details: Sequence[Any]
) -> str:
    """For each reason what the first row says of itself, and the key of the config that cures it."""
    words = []
    for reason in counts:
        detail = details[reasons.index(reason)]
        cure = CURES.get(reason)
        words.append(f"{reason}: {detail}" + (f" ({cure})" if cure else ""))
    return "; ".join(words)


def _spread(rows: pa.Table, n_rows: int) -> pa.Table:
    """So many of the rows, evenly spread."""
    n = min(n_rows, rows.num_rows)
    return rows.take([i * rows.num_rows // n for i in range(n)])
