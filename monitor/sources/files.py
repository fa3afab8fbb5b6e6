"""Parquet and CSV files, of this machine or of an object store, partitioned or not."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import unquote

from monitor import frames
from monitor.errors import InvalidInputError, MissingColumnError, did_you_mean
from monitor.frames import CHUNK_ROWS, ReadOptions, Span
from monitor.sources.listing import is_local, list_files
from monitor.sources.source import instant64, within

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)

_NO_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"
"""How Hive, and everybody after it, names the folder of rows without a value."""


_CHANGES: Final = ("mtime", "ETag", "etag", "md5Hash", "LastModified", "created")
"""What file systems call the mark of a file's state."""


@dataclass(frozen=True)
class Outline:
    """What a file holds.

    Parameters
    ----------
    columns
        Its columns, those of its partition last.
    n_rows
        How many rows.
    notes
        What had to be assumed to read it, in sentences.
    """

    columns: tuple[str, ...]
    n_rows: int
    notes: tuple[str, ...] = ()


class DataTable(Protocol):
    """Rows that are read whole: those of a file, or images as rows."""

    @property
    def name(self) -> str:
        """Its name, for the labels of its rows."""

    @property
    def stem(self) -> str:
        """Its name as the beginning of a file's."""

    @property
    def path(self) -> str:
        """Where it is, whatever the working folder."""

    def state(self) -> list[str]:
        """What changes when the rows do, for it to be written down; where it is comes first."""

    def digest(self) -> str:
        """What stays when it is copied as it is."""

    def outline(self) -> Outline:
        """Its columns and the number of its rows."""

    def read(self) -> pa.Table:
        """All of its rows and columns as one plain table."""

    def tables(
        self, columns: Collection[str] | None = None, *, chunk_rows: int = CHUNK_ROWS
    ) -> Iterator[pa.Table]:
        """The rows with the `columns` that there are of these, in plain tables, one at least."""


@dataclass(frozen=True)
class DataFile:
    """One file with rows.

    Parameters
    ----------
    store
        The fsspec file system that it is in.
    path
        As the store names it.
    shown
        As messages name it.
    options
        How it is read.
    """

    store: Any = field(repr=False)
    path: str
    shown: str
    options: ReadOptions = field(default_factory=ReadOptions)

    def __str__(self) -> str:
        return self.shown

    @property
    def name(self) -> str:
        """Its name without the folder."""
        return self.path.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """Its name without folder and suffix."""
        return PurePath(frames.without_compression(self.name)[0]).stem

    @property
    def is_parquet(self) -> bool:
        """Whether any of its rows can be read without the others."""
        return self.name.lower().endswith((".parquet", ".pq"))

    @property
    def is_here(self) -> bool:
        """Whether this process sees it."""
        return bool(self.store.exists(self.path))

    def state(self) -> list[str]:
        """What changes when the file is replaced, for it to be written down."""
        if is_local(self.store):
            # fsspec tells when a link was made, not when its file was.
            state = os.stat(self.path)
            return [self.path, str(state.st_size), str(state.st_mtime_ns)]
        entry = self.store.info(self.path)
        when = next((entry[key] for key in _CHANGES if entry.get(key)), "")
        return [self.path, str(entry["size"]), str(when)]

    def digest(self) -> str:
        """The SHA-256 of its bytes."""
        with self.store.open(self.path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def outline(self) -> Outline:
        """Its columns and the number of its rows, without reading the rows where that can be avoided."""
        with self._open() as table:
            names = table.columns
            return Outline(
                (*names, *(name for name in self._partition if name not in names)),
                table.n_rows,
                tuple(table.notes),
            )

    def ranges(self, span: Span) -> list[range]:
        """Positions of neighbours in a Parquet file, in which all rows of `span` lie."""
        with self._open() as table:
            ranges: list[range] = table.ranges(span)
            return ranges

    def read(self) -> pa.Table:
        """All of its rows and columns as one plain table."""
        return frames.join(list(self.tables()))

    def tables(
        self,
        columns: Collection[str] | None = None,
        *,
        span: Span | None = None,
        rows: range | None = None,
        chunk_rows: int = CHUNK_ROWS,
    ) -> Iterator[pa.Table]:
        """The rows in plain tables, one at least.

        Parameters
        ----------
        columns
            Those that are wanted, of which some may not exist; by default all. `frames.ROW` among them
            adds a column that names each row by its file.
        span
            Parts of the file that hold no row of this time need not be read; others may be all the same.
        rows
            Positions of neighbours in a Parquet file, which alone are read then.
        chunk_rows
            Rows of one table at most.
        """
        with self._open() as table:
            names = {*table.columns, *self._partition}
            if span is not None and span.column not in names:
                raise MissingColumnError(
                    f"{self.shown}: there is no column {span.column!r}; "
                    f"{did_you_mean(span.column, names)}it has {', '.join(map(repr, table.columns))}"
                )
            wanted = (
                None if columns is None else {name for name in columns if name in table.columns}
            )
            self._refuse_doubles(table.columns, wanted)
            if wanted is not None and not wanted:
                wanted = set(table.columns[:1])  # the rows are to be counted
            parts = (
                table.tables(wanted, chunk_rows, span)
                if rows is None
                else table.tables(wanted, chunk_rows, span, rows)
            )
            n_before = 0 if rows is None else rows.start
            for part in parts:
                whole = self._with_partition(self.options.declared(frames.plain(part)))
                if columns is not None and frames.ROW in columns:
                    whole = frames.with_row_labels(whole, self.name, n_before)
                n_before += part.num_rows
                yield whole if columns is None else _only(whole, columns)

    def _refuse_doubles(self, names: Sequence[str], wanted: Collection[str] | None) -> None:
        """Of two columns of one name, which is meant is not known; others may be there."""
        for name, n in Counter(names).items():
            if n > 1 and (wanted is None or name in wanted):
                raise InvalidInputError(
                    f"{self.shown} has {n} columns {name!r}: rename all but one of them"
                )

    @contextmanager
    def _open(self) -> Iterator[Any]:
        import pyarrow as pa

        logger.debug("reading %s", self.shown)
        try:
            with self.store.open(self.path, "rb") as file:
                yield frames.open_table(file, self.shown, self.options)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise InvalidInputError(f"{self.shown} cannot be read: {error}") from error

    @property
    def _partition(self) -> dict[str, str | None]:
        return partition_of(self.path)

    def _with_partition(self, table: pa.Table) -> pa.Table:
        import pyarrow as pa

        for name, cell in self._partition.items():
            if name not in table.column_names:
                table = table.append_column(name, pa.array([cell] * table.num_rows, pa.string()))
        return table


@dataclass(frozen=True)
class FileSource:
    """Files that a path or pattern names.

    Parquet files and row groups that hold no row of the window, as their own statistics tell, are not
    read. A folder `country=de` gives its rows a column `country`.

    Parameters
    ----------
    path
        A file, a folder, or a pattern such as `"rows/**/*.parquet"`, of this machine or behind an fsspec
        scheme such as `"s3://bucket/rows/*.parquet"`.
    timestamp_column
        When each row happened.
    chunk_rows
        Rows in memory at a time.
    exclude
        A folder of this machine that is never searched.
    options
        How the files are read.

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
    options: ReadOptions = field(default_factory=ReadOptions)

    def chunks(
        self, start: dt.datetime, end: dt.datetime, columns: Sequence[str] | None = None
    ) -> Iterator[pa.Table]:
        """See `Source.chunks`."""
        wanted = None if columns is None else {*columns, self.timestamp_column}
        span = Span(self.timestamp_column, instant64(start), instant64(end))
        files = find_files(self.path, exclude=self.exclude, options=self.options)
        tables = (file.tables(wanted, span=span, chunk_rows=self.chunk_rows) for file in files)
        return within(chain.from_iterable(tables), self.timestamp_column, start, end)


def partition_of(path: str) -> dict[str, str | None]:
    """What the folders of a path, such as `country=de`, say of its rows.

    >>> partition_of("rows/country=de/day=__HIVE_DEFAULT_PARTITION__/a.parquet")
    {'country': 'de', 'day': None}
    """
    pairs = (folder.partition("=") for folder in path.split("/")[:-1])
    return {
        frames.text_of(name): None if cell == _NO_VALUE else frames.text_of(unquote(cell))
        for name, sign, cell in pairs
        if sign and name
    }


def find_files(
    path: str, *, exclude: str | None = None, options: ReadOptions | None = None
) -> list[DataFile]:
    """The files that a path, folder or pattern names, in the order of their names.

    Parameters
    ----------
    path, exclude
        As `FileSource` takes them.
    options
        How the files are read.

    Raises
    ------
    InvalidInputError
        If there is no such file, or the store cannot be searched.
    """
    listing = list_files(path, exclude=exclude)
    # What was given as a relative path is shown as one.
    is_relative = "://" not in path and not os.path.isabs(path)
    return [
        DataFile(
            listing.store,
            name,
            os.path.relpath(name) if is_relative else name,
            options or ReadOptions(),
        )
        for name in listing.paths
    ]


def _only(table: pa.Table, columns: Collection[str]) -> pa.Table:
    """The columns of these names, in the order of the table."""
    return table.select([name for name in table.column_names if name in columns])
