"""Embedded rows ─► arrays on disk: where each lies on the map, its cluster, its time, its vector.

::

    index/FEATURE-BASELINE/PART/  xy.bin  cluster.bin  distance.bin  time.bin  vectors.bin  rows.parquet

A part is the baseline, or one window in one revision, so that nothing in it ever changes: it is made once, in
a folder of another name, and then renamed. Rows without a vector are not on the map.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.errors import InvalidInputError, TimestampError
from monitor.features import ClusteredFeature
from monitor.pipeline.rows import read_vectors
from monitor.web.plane import plane_of

if TYPE_CHECKING:
    import pyarrow as pa

    from monitor.clusters import Baseline

BLOCK: Final = 20_000
"""Rows that are in memory at a time, with their vectors: 40 MB of vectors 512 wide."""
_FORMAT: Final = "monitor.index/1"
_ARRAYS: Final = {
    "xy": (np.float32, 2),
    "cluster": (np.uint16, 1),
    "distance": (np.float32, 1),
    "time": (np.int64, 1),
}
_MOST_BYTES: Final = 20_000_000_000
"""Of all parts together; beyond them go those that nobody looked at for longest."""
NO_TIME: Final = np.iinfo(np.int64).min
ROW_LABEL, SOURCE = "monitor.label", "monitor.source"
_TAKEN: Final = 64


@dataclass(frozen=True)
class Part:
    """Rows of one side, on disk.

    Parameters
    ----------
    folder
        Where.
    n
        How many.
    width
        Of a vector.
    columns
        The metadata columns that `rows.parquet` holds.
    """

    folder: Path
    n: int
    width: int
    columns: tuple[str, ...]

    @classmethod
    def open(cls, folder: Path) -> Part | None:
        """The part in `folder`, if it is there and whole."""
        try:
            about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if about.get("format") != _FORMAT:
            return None
        os.utime(folder)
        return cls(folder, about["n"], about["width"], tuple(about["columns"]))

    def array(self, name: str) -> NDArray[Any]:
        """One of `xy` (n, 2), `cluster`, `distance` and `time` (n,)."""
        kind, width = _ARRAYS[name]
        flat = np.fromfile(self.folder / f"{name}.bin", dtype=kind)
        return flat.reshape(-1, width) if width > 1 else flat

    def vectors(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Blocks of vectors as the clusters see them, each with the number of its first row.

        Read, not mapped: what was read once need not stay in memory.
        """
        with open(self.folder / "vectors.bin", "rb") as file:
            for first in range(0, self.n, BLOCK):
                n = min(BLOCK, self.n - first)
                block = np.fromfile(file, dtype=np.float32, count=n * self.width)
                yield first, block.reshape(n, self.width)

    def vector(self, row: int) -> NDArray[np.float32]:
        """One vector, (width,)."""
        n_bytes = 4 * self.width
        return np.fromfile(
            self.folder / "vectors.bin", np.float32, count=self.width, offset=row * n_bytes
        )

    def rows(
        self, rows: Sequence[int], columns: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """What is known of these rows: label, source, and metadata as text or number."""
        file = self._file
        names = [ROW_LABEL, SOURCE, *(self.columns if columns is None else columns)]
        wanted: dict[int, dict[str, Any]] = {}
        by_group: dict[int, list[int]] = {}
        for row in rows:
            by_group.setdefault(row // BLOCK, []).append(row)
        for group, members in by_group.items():
            table = file.read_row_group(group, columns=names)
            taken = table.take([row % BLOCK for row in members]).to_pylist()
            wanted |= dict(zip(members, taken, strict=True))
        return [wanted[row] for row in rows]

    def column(self, name: str) -> pa.ChunkedArray:
        """One metadata column of all rows."""
        return self._file.read([name]).column(0)

    def tables(self, columns: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
        """All rows in blocks, each with the number of its first row."""
        for group in range(self._file.num_row_groups):
            yield group * BLOCK, self._file.read_row_group(group, columns=list(columns))

    @cached_property
    def _file(self) -> Any:
        import pyarrow.parquet as pq

        return pq.ParquetFile(self.folder / "rows.parquet")


def build(
    folder: Path, tables: Iterable[pa.Table], feature: ClusteredFeature, baseline: Baseline,
    timestamp_column: str | None,
) -> Part:  # fmt: skip
    """The part of these rows in `folder`, made in one pass.

    Raises
    ------
    MonitorError
        If the rows cannot be read, or their vectors are of another encoder than the baseline's.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    trial = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        writer = _Writer(trial, feature, baseline, timestamp_column)
        with writer:
            for table in tables:
                for first in range(0, max(table.num_rows, 1), BLOCK):
                    writer.add(table.slice(first, BLOCK))
        about = {
            "format": _FORMAT, "n": writer.n, "width": baseline.width, "columns": writer.columns,
        }  # fmt: skip
        (trial / "about.json").write_text(json.dumps(about), encoding="utf-8")
        try:
            trial.rename(folder)
        except OSError:
            # Another thread or process was as quick; what it made is the same.
            if Part.open(folder) is None:
                raise
    finally:
        shutil.rmtree(trial, ignore_errors=True)
    part = Part.open(folder)
    if part is None:
        raise InvalidInputError(
            f"the map's index in {folder} cannot be read back: delete the folder"
        )
    return part


class _Writer:
    """Appends the arrays of blocks of rows."""

    def __init__(
        self, folder: Path, feature: ClusteredFeature, baseline: Baseline, time_column: str | None
    ) -> None:
        self.folder, self.feature, self.baseline = folder, feature, baseline
        self.time_column = time_column
        self.plane = plane_of(baseline)
        self.n = 0
        self.columns: list[str] | None = None
        self._pending: list[pa.Table] = []
        self._files: dict[str, Any] = {}
        self._rows: Any = None

    def __enter__(self) -> _Writer:
        for name in (*_ARRAYS, "vectors"):
            self._files[name] = open(self.folder / f"{name}.bin", "wb")
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            if self._rows is None and not self._pending:
                self.columns = []
                self._pending.append(_no_rows())
            self._flush(everything=True)
        for file in self._files.values():
            file.close()
        if self._rows is not None:
            self._rows.close()

    def add(self, table: pa.Table) -> None:
        """The rows of `table` that have a vector."""
        import pyarrow as pa

        if table.num_rows == 0:
            return
        read = read_vectors(table, self.feature, width=self.baseline.width)
        self.baseline.check_fingerprint(read.fingerprint)
        scaled, clusters, distances = self.baseline.assign(read.matrix)
        kept = table.filter(pa.array(read.usable))
        self._files["vectors"].write(np.ascontiguousarray(scaled, np.float32).tobytes())
        self._files["xy"].write(self.plane.place(scaled).astype(np.float32).tobytes())
        self._files["cluster"].write(clusters.astype(np.uint16).tobytes())
        self._files["distance"].write(distances.astype(np.float32).tobytes())
        self._files["time"].write(_times(kept, self.time_column).tobytes())
        self._pending.append(self._described(kept))
        self.n += kept.num_rows
        self._flush()

    def _described(self, table: pa.Table) -> pa.Table:
        import pyarrow as pa

        if self.columns is None:
            self.columns = _metadata(table, self.feature, self.time_column)
        source = self.feature.origin.source_column
        has_source = source is not None and source in table.column_names
        sources = frames.read_texts(table, str(source)) if has_source else [None] * table.num_rows
        arrays = {
            ROW_LABEL: pa.array(frames.row_labels(table), pa.string()),
            SOURCE: pa.array(sources, pa.string()),
        }
        for name in self.columns:
            arrays[name] = _plain_cells(table, name)
        return pa.table(arrays)

    def _flush(self, *, everything: bool = False) -> None:
        """Write whole row groups of `BLOCK` rows, so that a row's group follows from its number."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        n = sum(table.num_rows for table in self._pending)
        if not self._pending or (n < BLOCK and not everything):
            return
        table = pa.concat_tables(self._pending, promote_options="permissive")
        if self._rows is None:
            self._rows = pq.ParquetWriter(self.folder / "rows.parquet", table.schema)
        table = table.cast(self._rows.schema)
        whole = table.num_rows if everything else table.num_rows // BLOCK * BLOCK
        self._rows.write_table(table.slice(0, whole), row_group_size=BLOCK)
        rest = table.slice(whole)
        self._pending = [rest] if rest.num_rows else []


def _no_rows() -> pa.Table:
    import pyarrow as pa

    return pa.table({ROW_LABEL: pa.array([], pa.string()), SOURCE: pa.array([], pa.string())})


def prune(folder: Path) -> None:
    """Delete the parts that nobody looked at for longest, as long as all together are too large."""
    parts = []
    for about in folder.glob("*/*/about.json"):
        files = list(about.parent.iterdir())
        size = sum(file.stat().st_size for file in files)
        parts.append((about.parent.stat().st_mtime, size, about.parent))
    total = sum(size for _, size, _ in parts)
    for _, size, part in sorted(parts):
        if total <= _MOST_BYTES:
            break
        shutil.rmtree(part, ignore_errors=True)
        total -= size
    for left in folder.glob("*/.making-*"):
        if left.stat().st_mtime < time.time() - 86_400:
            shutil.rmtree(left, ignore_errors=True)


def _times(table: pa.Table, column: str | None) -> NDArray[np.int64]:
    """Microseconds since 1970, `NO_TIME` where there is none."""
    if column is None or column not in table.column_names or table.num_rows == 0:
        return np.full(table.num_rows, NO_TIME, dtype=np.int64)
    try:
        values = frames.read_times(table, column).values.astype("datetime64[us]")
    except TimestampError:
        return np.full(table.num_rows, NO_TIME, dtype=np.int64)
    return values.astype(np.int64)


def _metadata(table: pa.Table, feature: ClusteredFeature, time_column: str | None) -> list[str]:
    """The columns of single values, but for those that are shown otherwise."""
    import pyarrow as pa

    origin = feature.origin
    own = {
        frames.ROW, time_column, origin.source_column, *origin.columns, *origin.written_columns,
        origin.failure_detail_column, ROW_LABEL, SOURCE,
    }  # fmt: skip
    return [
        field.name
        for field in table.schema
        if field.name not in own and not pa.types.is_nested(field.type)
        and not pa.types.is_binary(field.type)
    ][:_TAKEN]  # fmt: skip


def _plain_cells(table: pa.Table, name: str) -> pa.Array:
    """Numbers as float64, everything else as text; nulls where the column is missing."""
    import pyarrow as pa

    if name not in table.column_names:
        return pa.nulls(table.num_rows, pa.string())
    column = table.column(name)
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return column.cast(pa.float64(), safe=False).combine_chunks()
    if pa.types.is_string(kind):
        return column.combine_chunks()
    texts = [None if value is None else str(value) for value in column.to_pylist()]
    return pa.array(texts, pa.string())
