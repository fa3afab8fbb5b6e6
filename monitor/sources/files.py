"""Parquet and CSV files, of this machine or of an object store, partitioned or not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from monitor.errors import InvalidInputError, MissingExtraError
from monitor.sources.source import CHUNK_ROWS, instant64, within

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_PACKAGES: Final = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs"}
_NO_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"
"""How Hive, and everybody after it, names the folder of rows without a value."""


@dataclass(frozen=True)
class FileSource:
    """Files that a path or pattern names.

    Parquet files and row groups that hold no row of the window, as their own statistics tell, are not
    read. A folder `country=de` gives its rows a column `country`.

    Parameters
    ----------
    path
        A file or a pattern such as `"rows/**/*.parquet"`, of this machine or behind an fsspec scheme
        such as `"s3://bucket/rows/*.parquet"`.
    timestamp_column
        When each row happened.
    chunk_rows
        Rows in memory at a time.
    exclude
        A folder of this machine that is never searched.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> folder = tempfile.TemporaryDirectory()
    >>> times = pd.date_range("2026-03-01", periods=48, freq="h", tz="UTC")
    >>> pd.DataFrame({"ts": times}).to_parquet(f"{folder.name}/rows.parquet")
    >>> source = FileSource(f"{folder.name}/*.parquet", "ts")
    >>> day = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    >>> sum(chunk.num_rows for chunk in source.chunks(day, day + dt.timedelta(days=1)))
    24
    >>> folder.cleanup()
    """

    path: str
    timestamp_column: str
    chunk_rows: int = CHUNK_ROWS
    exclude: str | None = None

    def chunks(
        self, start: dt.datetime, end: dt.datetime, columns: Sequence[str] | None = None
    ) -> Iterator[pa.Table]:
        """See `Source.chunks`."""
        import pyarrow as pa

        wanted = None if columns is None else {*columns, self.timestamp_column}
        store, paths = self._files()
        for path in paths:
            try:
                with store.open(path, "rb") as file:
                    for table in self._tables(file, path, start, end, wanted):
                        yield within(
                            _with_partitions(table, path, wanted), self.timestamp_column, start, end
                        )
            except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
                raise InvalidInputError(f"{path} cannot be read: {error}") from error

    def _files(self) -> tuple[Any, list[str]]:
        import fsspec  # type: ignore[import-untyped]

        if "::" in self.path:
            # fsspec reads it as a chain of file systems.
            raise InvalidInputError(f"the path {self.path!r} must not hold '::'")
        try:
            store, pattern = fsspec.core.url_to_fs(self.path)
            # A schedule runs for months; the clients of object stores remember what was there before.
            store.invalidate_cache()
            found = sorted(path for path in store.glob(pattern) if not self._is_excluded(path))
            files = [path for path in found if store.isfile(path)]
        except ImportError as error:
            scheme = self.path.partition("://")[0]
            raise MissingExtraError.of(_PACKAGES.get(scheme, scheme), scheme) from error
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"{self.path} cannot be searched: {error}") from error
        if not files:
            raise InvalidInputError(
                f"no file matches {self.path}: check the pattern; files in subfolders need '**'"
            )
        return store, files

    def _is_excluded(self, path: str) -> bool:
        return self.exclude is not None and f"{path}/".startswith(f"{self.exclude}/")

    def _tables(
        self,
        file: Any,
        path: str,
        start: dt.datetime,
        end: dt.datetime,
        wanted: Collection[str] | None,
    ) -> Iterator[pa.Table]:
        kind = path.rpartition(".")[2].lower()
        if kind in {"parquet", "pq"}:
            yield from self._parquet(file, start, end, wanted)
        elif kind == "csv":
            yield from self._csv(file, path, wanted)
        else:
            raise InvalidInputError(f"{path} is of kind {kind!r}: give .parquet or .csv files")

    def _parquet(
        self, file: Any, start: dt.datetime, end: dt.datetime, wanted: Collection[str] | None
    ) -> Iterator[pa.Table]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        # Buffering ahead would hold all of the row groups at once.
        parquet = pq.ParquetFile(file, pre_buffer=False)
        schema = parquet.schema_arrow
        names = [name for name in schema.names if wanted is None or name in wanted]
        groups = [
            i
            for i in range(parquet.num_row_groups)
            if _may_hold(parquet.metadata.row_group(i), self.timestamp_column, start, end)
        ]
        if not groups:
            # Columns without rows are still columns.
            yield pa.schema([schema.field(name) for name in names], schema.metadata).empty_table()
            return
        for batch in parquet.iter_batches(self.chunk_rows, row_groups=groups, columns=names):
            # The batch forgets who made the file's vectors.
            yield pa.Table.from_batches([batch]).replace_schema_metadata(schema.metadata)

    def _csv(self, file: Any, path: str, wanted: Collection[str] | None) -> Iterator[pa.Table]:
        import pandas as pd
        import pyarrow as pa

        keep = None if wanted is None else (lambda name: name in wanted)
        try:
            with pd.read_csv(file, chunksize=self.chunk_rows, usecols=keep) as reader:
                is_empty = True
                for chunk in reader:
                    is_empty = False
                    yield pa.Table.from_pandas(chunk, preserve_index=False)
                if is_empty:
                    yield pa.Table.from_pandas(reader.read(0), preserve_index=False)
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise InvalidInputError(f"{path} cannot be read: {error}") from error


def _may_hold(
    group: pq.RowGroupMetaData, column: str, start: dt.datetime, end: dt.datetime
) -> bool:
    """Whether a row group may hold a row of [start, end), by its statistics."""
    for i in range(group.num_columns):
        found = group.column(i)
        if found.path_in_schema != column:
            continue
        kept = found.statistics
        if kept is None or not kept.has_min_max or not isinstance(kept.min, dt.datetime):
            return True
        # Parquet's instants are in UTC; those without a zone are taken so.
        least, most = (
            instant64(edge if edge.tzinfo else edge.replace(tzinfo=dt.UTC))
            for edge in (kept.min, kept.max)
        )
        # Statistics may be cut off below the microsecond.
        return bool(least < instant64(end) and most >= instant64(start) - 1)
    return True


def _with_partitions(table: pa.Table, path: str, wanted: Collection[str] | None) -> pa.Table:
    import pyarrow as pa

    for folder in path.split("/")[:-1]:
        name, is_key, value = folder.partition("=")
        if is_key and name not in table.column_names and (wanted is None or name in wanted):
            cell = None if value == _NO_VALUE else unquote(value)
            table = table.append_column(
                pa.field(name, pa.string()), pa.array([cell] * table.num_rows, pa.string())
            )
    return table
