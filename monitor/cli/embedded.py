"""Data files with their vectors: taken as they are, embedded, or embedded before."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from monitor import __version__, frames
from monitor.cli.cache import open_cache
from monitor.cli.columns import check_columns
from monitor.cli.embedding import FileWork, located
from monitor.cli.failed_rows import failed_rows
from monitor.cli.project import Monitored, Project
from monitor.cli.tables import find_tables
from monitor.encoders.spec import COMPACT, EncoderSpec
from monitor.failures import count_failures
from monitor.features import CustomFeature
from monitor.images.quality import QUALITY_FIELDS
from monitor.rules import OF_TIME
from monitor.sources import DataFile, DataTable

if TYPE_CHECKING:
    import pyarrow as pa

    from monitor.config import MonitoringConfig
    from monitor.embedding import SpreadingExecutor

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
    features
        Those whose vectors stand in `target`.
    n_new
        How many of them were embedded just now.
    n_retried
        How many rows without a vector were tried again.
    """

    source: DataTable
    target: Path | None
    features: tuple[CustomFeature, ...] = ()
    n_new: int = 0
    n_retried: int = 0

    @cached_property
    def n_rows(self) -> int:
        """How many rows there are."""
        if self.target is None:
            return self.source.outline().n_rows
        with self.target.open("rb") as file:
            return frames.open_table(file, str(self.target), frames.ReadOptions()).n_rows

    @property
    def is_parquet(self) -> bool:
        """Whether any of the rows can be read without the others."""
        return self.target is not None or (
            isinstance(self.source, DataFile) and self.source.is_parquet
        )

    @property
    def is_here(self) -> bool:
        """Whether this process sees the file with the vectors."""
        if self.target is not None:
            return self.target.is_file()
        return not isinstance(self.source, DataFile) or self.source.is_here

    def tables(
        self, columns: Collection[str] | None = None, rows: range | None = None
    ) -> Iterator[pa.Table]:
        """The `columns` that there are of these, by default all, and `frames.ROW`, in pieces.

        Of a file that `is_parquet`, `rows` names neighbours that alone are read.
        """
        kept = None if columns is None else {*columns, frames.ROW}
        n_before = 0 if rows is None else rows.start
        for table in self._tables(kept, rows):
            labelled = frames.with_row_labels(table, self.source.name, n_before)
            n_before += table.num_rows
            yield labelled.select(
                [name for name in labelled.column_names if kept is None or name in kept]
            )

    def failures(self, feature: CustomFeature) -> dict[str, tuple[int, str]]:
        """Why rows have no vector: for each reason how many, and what the first says of itself."""
        column, of_detail = feature.origin.failure_column, feature.origin.failure_detail_column
        reasons: list[str] = []
        first: dict[str, str] = {}
        for table in self._tables({column, of_detail}):
            details = frames.cells(table, of_detail)
            for reason, detail in zip(frames.cells(table, column), details, strict=True):
                if isinstance(reason, str):
                    reasons.append(reason)
                    first.setdefault(reason, str(detail))
        return {reason: (count, first[reason]) for reason, count in count_failures(reasons).items()}

    def _tables(
        self, columns: Collection[str] | None, rows: range | None = None
    ) -> Iterator[pa.Table]:
        if self.target is not None:
            yield from frames.read_tables(self.target, columns=columns, rows=rows)
        elif rows is not None and isinstance(self.source, DataFile):
            yield from self.source.tables(columns, rows=rows)
        else:
            yield from self.source.tables(columns)


@dataclass(frozen=True)
class RowsOfFile:
    """Neighbouring rows of a prepared file, for a worker to read.

    Parameters
    ----------
    file
        Parquet.
    columns
        Those that are asked for.
    rows
        Their positions in the file.
    first
        How many rows of all files come before these.
    """

    file: Prepared
    columns: frozenset[str]
    rows: range
    first: int

    @property
    def is_here(self) -> bool:
        """Whether this process can read them."""
        return self.file.is_here

    def tables(self) -> Iterator[pa.Table]:
        """The rows in plain tables, one at least."""
        return self.file.tables(self.columns, self.rows)


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
    columns = wanted_columns(project, part, features)
    files = prepare_part(project, part, features)
    return frames.join([table for file in files for table in file.tables(columns)])


def wanted_columns(project: Project, part: str, features: Sequence[Monitored]) -> frozenset[str]:
    """The columns of `part` that drift in `features` is judged and explained by."""
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
    return frozenset(name for name in wanted if name is not None)


def pieces_of(
    project: Project, files: Sequence[Prepared], columns: frozenset[str]
) -> tuple[SpreadingExecutor, list[RowsOfFile]] | None:
    """The rows of `files` in pieces, and whose workers read them; None if they had better come here."""
    # Here, since `monitor embed` and workers that embed need no judge, which takes two seconds to load.
    from monitor.embedding import spreading
    from monitor.pipeline.gathered import MOST_HELD

    if not all(file.is_parquet for file in files):
        return None
    n_rows = sum(file.n_rows for file in files)
    if n_rows <= MOST_HELD:
        return None  # so few are all held, and looked at one by one
    executor = spreading(project.executor)
    size = executor.piece_rows(n_rows, frames.CHUNK_ROWS)
    if size >= n_rows:
        return None
    pieces, first = [], 0
    for file in files:
        for start in range(0, max(file.n_rows, 1), size):
            rows = range(start, min(start + size, file.n_rows))
            pieces.append(RowsOfFile(file, columns, rows, first))
            first += len(rows)
    return executor, pieces


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
        return Prepared(source, None)
    before = source.state()
    saved = _earlier(target, before)
    stamps = {name: _stamp(project.config, feature) for name, feature in wanted.items()}
    stale = [name for name in wanted if redo.force or saved.get(name) != stamps[name]]
    again = {}
    if redo.retry is not None and saved:
        frame = frames.read_table(target)
        again = {
            name: rows
            for name, feature in wanted.items()
            if name not in stale and (rows := failed_rows(frame, feature, redo.retry))
        }
    if stale or again:
        project.terminal.if_stopped = (
            "the vectors made so far are kept, and the same command continues from there"
        )
        job = _digest([str(target.resolve()), before, {name: stamps[name] for name in stale}])
        about = {STAMP_KEY: {"source": before, "columns": saved | stamps}}
        made = [wanted[name] for name in stale]
        with open_cache(project.config, job=job, is_forced=redo.force) as cache:
            work = FileWork(project, source, target, about, cache)
            # Columns that were made before and stand are in the target alone.
            is_from_source = not again and saved.keys() <= {*stale}
            if not (is_from_source and work.in_pieces(made, outline.n_rows, job)):
                frame = frames.read_table(target) if saved else source.read()
                work.whole(frame, made, [(wanted[name], rows) for name, rows in again.items()])
            cache.finish_job()
    n_retried = sum(map(len, again.values()))
    return Prepared(source, target, tuple(wanted.values()), len(stale), n_retried)


def _earlier(target: Path, source: list[str]) -> dict[str, str]:
    """The stamps of the columns that were embedded before, if from `source`."""
    if not target.is_file():
        return {}
    record = frames.facts_of(next(frames.read_tables(target, columns=()))).get(STAMP_KEY, {})
    stamps: dict[str, str] = record["columns"] if record.get("source") == source else {}
    return stamps


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
