"""A window's rows where they lie: in ranges of Parquet files, for workers to read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor import frames
from monitor.frames import Span
from monitor.sources.files import DataFile, FileSource, find_files
from monitor.sources.source import RowsSeen, Source, instant64, within

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class WindowRange:
    """Neighbouring rows of a file, of which those of [start, end) are a window's.

    Parameters
    ----------
    file
        Parquet.
    rows
        Positions in the file.
    column
        When each row happened.
    start, end
        Aware datetimes.
    columns
        Those that are wanted, of which some may not exist.
    first
        How many rows of the window come before these.
    """

    file: DataFile
    rows: range
    column: str
    start: dt.datetime
    end: dt.datetime
    columns: frozenset[str]
    first: int = 0

    @property
    def is_here(self) -> bool:
        """Whether this process can read them."""
        return self.file.is_here

    def tables(self) -> Iterator[pa.Table]:
        """The window's rows in plain tables, one at least."""
        tables = self.file.tables({*self.columns, self.column}, rows=self.rows)
        return within(tables, self.column, self.start, self.end)

    def seen(self) -> RowsSeen:
        """What the window's rows are; reads nothing but their times."""
        total = RowsSeen()
        tables = self.file.tables({self.column}, rows=self.rows)
        for table in within(tables, self.column, self.start, self.end):
            total += RowsSeen.of(frames.read_times(table, self.column).values)
        return total


def ranges_of(
    source: Source,
    start: dt.datetime,
    end: dt.datetime,
    columns: Sequence[str],
    piece_rows: Callable[[int], int],
) -> list[WindowRange]:
    """Where the rows of [start, end) lie; none where they are not in Parquet files with all that is needed.

    Parameters
    ----------
    columns
        Those that are wanted.
    piece_rows
        How many of so many rows are in one range at most.
    """
    if not isinstance(source, FileSource):
        return []
    span = Span(source.timestamp_column, instant64(start), instant64(end))
    places: list[tuple[DataFile, range]] = []
    for file in find_files(source.path, exclude=source.exclude, options=source.options):
        if not file.is_parquet:
            return []
        places += [(file, rows) for rows in file.ranges(span)]
    size = piece_rows(sum(len(rows) for _, rows in places))
    return [
        WindowRange(
            file,
            range(begin, min(begin + size, rows.stop)),
            source.timestamp_column,
            start,
            end,
            frozenset(columns),
        )
        for file, rows in places
        for begin in range(rows.start, rows.stop, size)
    ]
