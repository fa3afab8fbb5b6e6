"""Data files with their vectors: taken as they are, embedded, or embedded before."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from monitor import __version__, frames
from monitor.cli.cache import open_cache
from monitor.cli.columns import check_columns
from monitor.cli.failed_rows import failed_rows, list_failures, read_failures, write_failures
from monitor.cli.failed_rows import retry as retry_rows
from monitor.cli.project import Monitored, Project
from monitor.cli.tables import check_writable, find_tables
from monitor.cli.terminal import counted
from monitor.encoders.spec import COMPACT, EncoderSpec
from monitor.failures import count_failures
from monitor.features import CustomFeature
from monitor.images.quality import QUALITY_FIELDS
from monitor.rules import OF_TIME
from monitor.sources import DataTable

if TYPE_CHECKING:
    import pyarrow as pa

    from monitor.cache import VectorCache
    from monitor.config import MonitoringConfig
    from monitor.embedding import Executor

_Feature = TypeVar("_Feature", bound=CustomFeature)
_LOCAL = "local-dir:"
PARTS = ("baseline", "production")
STAMP_KEY = "monitor.stamp"
"""Where a table remembers what its vectors were made from: the source, and more for each column."""


@dataclass(frozen=True)
class Redo:
    """What is embedded although it was before.

    Parameters
    ----------
    force
        Everything is fetched and embedded again.
    retry
        Which rows without a vector are tried again; see `failed_rows`.
    """

    force: bool = False
    retry: str | None = None


@dataclass(frozen=True)
class Prepared:
    """A file's rows with the vectors of all features.

    Parameters
    ----------
    source
        The file of the config.
    target
        The embedded table; None where the file brings its vectors.
    embedded
        Its rows with the vectors in `target`; None where the file brings its own.
    features
        Those whose vectors stand in `target`.
    n_new
        How many of them were embedded just now.
    n_retried
        How many rows without a vector were tried again.
    """

    source: DataTable
    target: Path | None
    embedded: pa.Table | None
    features: tuple[CustomFeature, ...] = ()
    n_new: int = 0
    n_retried: int = 0

    @cached_property
    def frame(self) -> pa.Table:
        """Its rows."""
        return self.source.read() if self.embedded is None else self.embedded

    def tables(self, columns: Collection[str]) -> Iterator[pa.Table]:
        """The `columns` that there are of these, and `frames.ROW`, in pieces."""
        kept = {*columns, frames.ROW}
        if self.embedded is None:
            yield from self.source.tables(kept)
            return
        labelled = frames.with_row_labels(self.embedded, self.source.name, 0)
        yield labelled.select([name for name in labelled.column_names if name in kept])

    def failures(self, feature: CustomFeature) -> dict[str, tuple[int, str]]:
        """Why rows have no vector: for each reason how many, and what the first says of itself."""
        column = feature.origin.failure_column
        reasons = [r if isinstance(r, str) else None for r in frames.cells(self.frame, column)]
        details = frames.cells(self.frame, feature.origin.failure_detail_column)
        return {
            reason: (count, str(details[reasons.index(reason)]))
            for reason, count in count_failures(reasons).items()
        }


def prepare_part(
    project: Project,
    part: str,
    features: Sequence[Monitored],
    redo: Redo | None = None,
) -> Iterator[Prepared]:
    """The files of `part`, `"baseline"` or `"production"`, one after the other with its vectors."""
    files = find_tables(project.config, getattr(project.config.data, part), f"data.{part}")
    names = Counter(file.stem for file in files)
    for file in files:
        # Files of one name in several folders are told apart by their paths.
        mark = hashlib.sha256(os.fsencode(str(file))).hexdigest()[:8]
        stem = file.stem if names[file.stem] == 1 else f"{file.stem}-{mark}"
        target = project.output / "embedded" / part / f"{stem}.parquet"
        yield prepare_file(project, file, target, features, part=part, redo=redo)


def read_part(project: Project, part: str, features: Sequence[Monitored]) -> pa.Table:
    """The rows of `part` as one table with the vectors of `features`, embedded where need be.

    Columns that nobody asks for are left out: their types need not go together.
    """
    return frames.join(list(part_tables(project, part, features)))


def part_tables(project: Project, part: str, features: Sequence[Monitored]) -> Iterator[pa.Table]:
    """The same in pieces: of files that bring their vectors a few rows at a time, else file by file."""
    drift = project.config.drift
    wanted = {
        getattr(project.config.data, part).timestamp_column,
        drift.segment_column,
        drift.group_column,
        *drift.explain_columns,
        *(name for name in drift.context if name not in OF_TIME),
    }
    for feature in features:
        origin = feature.origin
        wanted |= {*feature.required_columns, *origin.columns, *origin.written_columns}
    columns = {name for name in wanted if name is not None}
    for prepared in prepare_part(project, part, features):
        yield from prepared.tables(columns)


def prepare_file(
    project: Project,
    source: DataTable,
    target: Path,
    features: Sequence[Monitored],
    *,
    part: str | None = None,
    redo: Redo | None = None,
) -> Prepared:
    """One file of `part` with its vectors; what is embedded anew is written to `target`.

    Vectors in `target` are used again when they were made from this very file, by this model, under
    this policy. Interrupted work continues where it stopped.

    `redo` says what is embedded all the same.
    """
    redo = redo or Redo()
    outline = source.outline()
    columns = outline.columns
    # Before embedding, which may take long.
    check_columns(project.config, str(source), columns, features, part)
    for note in outline.notes:
        project.terminal.say(f"note: {note}")
    wanted = {
        feature.origin.column: feature
        for feature in features
        if feature.origin.is_missing_from(columns)
    }
    if not wanted:
        return Prepared(source, None, None)
    before = source.state()
    frame, saved = _earlier(target, before) or (source.read(), {})
    stamps = {name: _stamp(project.config, feature) for name, feature in wanted.items()}
    stale = [name for name in wanted if redo.force or saved.get(name) != stamps[name]]
    again = {
        name: failed_rows(frame, wanted[name], redo.retry)
        for name in wanted
        if redo.retry is not None and name not in stale
    }
    again = {name: rows for name, rows in again.items() if rows}
    if stale or again:
        project.terminal.if_stopped = (
            "the vectors made so far are kept, and the same command continues from there"
        )
        # Before the work, which may take long, to find out now if the table cannot be written.
        check_writable(frame, target, source)
        job = _digest([str(target.resolve()), before, {name: stamps[name] for name in stale}])
        with open_cache(project.config, job=job, is_forced=redo.force) as cache:
            listed = read_failures(target) if saved else []
            failed = [row for row in listed if row.column not in {*stale, *again}]
            for name in [*stale, *again]:
                feature = wanted[name]
                work = partial(_embed, project, source, feature, cache)
                rows = again.get(name)
                frame = work(frame) if rows is None else retry_rows(frame, feature, rows, work)
                failed += list_failures(frame, feature, before=listed, tried=rows)
            record = {"source": before, "columns": saved | stamps}
            write_failures(target, failed)
            frames.write_file(frame, target, about={STAMP_KEY: record})
            cache.finish_job()
    n_retried = sum(map(len, again.values()))
    return Prepared(source, target, frame, tuple(wanted.values()), len(stale), n_retried)


def _earlier(target: Path, source: list[str]) -> tuple[pa.Table, dict[str, str]] | None:
    """The rows as they were embedded before and the stamps of their columns, if from `source`."""
    if not target.is_file():
        return None
    table = frames.read_table(target)
    record = frames.facts_of(table).get(STAMP_KEY, {})
    return (table, record["columns"]) if record.get("source") == source else None


def _embed(
    project: Project,
    source: DataTable,
    feature: CustomFeature,
    cache: VectorCache,
    frame: pa.Table,
) -> pa.Table:
    from monitor.pipeline.embed import embed

    model = feature.origin.encoder.model if feature.origin.encoder else None
    project.terminal.say(
        f"embedding {counted(frame.num_rows, 'row')} of {source} for {feature.name} ({model})"
    )
    return embed(
        frame,
        located(project.config, feature),
        policy=project.config.policy,
        executor=made_executor(project.config),
        cache=cache,
        progress=False if project.terminal.as_json else None,
        details=True,
    )


def made_executor(config: MonitoringConfig) -> Executor:
    """Where the config has images embedded."""
    from monitor.embedding.executors import registry

    return config.executor.made_by(registry, "executor")


def located(config: MonitoringConfig, feature: _Feature) -> _Feature:
    """`feature` with the folders of its model seen from the working folder."""
    return feature.located(config.resolve, config.model_cache_dir)


def _stamp(config: MonitoringConfig, feature: CustomFeature) -> str:
    """What the vectors of `feature` follow from beside the file: 16 hexadecimal digits."""
    spec = located(config, feature).origin.encoder
    assert spec is not None, "only features that are embedded have a stamp"
    made_from = [
        feature.required_columns,
        spec.model_dump(exclude={"device", "batch_size", "model_cache_dir"}),
        _weights_on_disk(spec),
        config.policy.model_dump(mode="json"),
        QUALITY_FIELDS,
    ]
    return _digest(made_from)


def _digest(values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


def _weights_on_disk(spec: EncoderSpec) -> Mapping[str, float | str]:
    """What changes when the weights of a model on this machine are replaced."""
    if spec.model == COMPACT:
        return {"version": __version__}
    files = [Path(spec.pretrained)] if spec.pretrained is not None else []
    if spec.model.startswith(_LOCAL):
        files = sorted(Path(spec.model.removeprefix(_LOCAL)).glob("*"))
    return {file.name: file.stat().st_mtime for file in files if file.is_file()}
