"""Parquet ─► plain tables, in pieces that fit into memory."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_UNNAMED_INDEX: Final = re.compile(r"__index_level_\d+__")
"""How pandas and Arrow call an index without a name."""


@dataclass(frozen=True)
class Span:
    """Rows of a time.

    Parameters
    ----------
    column
        When each row happened.
    start, end
        (datetime64[us]) in UTC, half-open.
    """

    column: str
    start: np.datetime64
    end: np.datetime64


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet file that is open."""

    file: IO[bytes]

    @property
    def columns(self) -> list[str]:
        """The names of the columns; an index without a name is none."""
        return [name for name in self._parquet.schema_arrow.names if not is_unnamed_index(name)]

    @property
    def notes(self) -> list[str]:
        """Nothing has to be assumed: the file says it all."""
        return []

    @property
    def n_rows(self) -> int:
        """How many rows there are, without reading one."""
        return int(self._parquet.metadata.num_rows)

    def tables(
        self,
        wanted: Collection[str] | None,
        chunk_rows: int,
        span: Span | None = None,
        rows: range | None = None,
    ) -> Iterator[pa.Table]:
        """The rows in pieces; one piece at least.

        Row groups that hold no row of `span`, as their own statistics tell, are not read, nor those
        without any of the `rows`, positions in the file.
        """
        import pyarrow as pa

        parquet = self._parquet
        schema = parquet.schema_arrow
        names = [
            name
            for name in schema.names
            if wanted is None or name in wanted or is_unnamed_index(name)
        ]
        groups, first = self._groups(span, rows)
        n_parts = 0
        has_rows = bool(groups and names)
        batches = parquet.iter_batches(chunk_rows, groups, names) if has_rows else ()
        for batch in batches if rows is None else _between(batches, first, rows):
            n_parts += 1
            # The batch forgets who made the file's vectors.
            yield pa.Table.from_batches([batch]).replace_schema_metadata(schema.metadata)
        if not n_parts:
            # Columns without rows are still columns; a row group may be empty, too.
            yield pa.schema([schema.field(name) for name in names], schema.metadata).empty_table()

    def ranges(self, span: Span) -> list[range]:
        """Positions of neighbours, in which all rows of `span` lie, as the row groups' statistics tell."""
        ranges: list[range] = []
        for _, start, group in self._row_groups():
            if _may_hold(group, span):
                is_next = bool(ranges) and ranges[-1].stop == start
                ranges.append(
                    range(ranges.pop().start if is_next else start, start + group.num_rows)
                )
        return ranges

    def _groups(self, span: Span | None, rows: range | None) -> tuple[list[int], int]:
        """The row groups that may hold what is asked for, and where the first of them begins."""
        groups: list[int] = []
        first = 0
        for i, start, group in self._row_groups():
            is_asked = rows is None or (start < rows.stop and start + group.num_rows > rows.start)
            # Those of `rows` stay neighbours, whose places are counted.
            if is_asked and (rows is not None or span is None or _may_hold(group, span)):
                first = first if groups else start
                groups.append(i)
        return groups, first

    def _row_groups(self) -> Iterator[tuple[int, int, Any]]:
        """The number of each row group, the row that it begins with, and what the file says of it."""
        described = self._parquet.metadata
        start = 0
        for i in range(described.num_row_groups):
            group = described.row_group(i)
            yield i, start, group
            start += group.num_rows

    @cached_property
    def _parquet(self) -> Any:
        import pyarrow.parquet as pq

        # Buffering ahead would hold all of the row groups at once.
        return pq.ParquetFile(self.file, pre_buffer=False)


def _between(
    batches: Iterable[pa.RecordBatch], first: int, rows: range
) -> Iterator[pa.RecordBatch]:
    """What of the batches, which begin with row `first` of the file, lies in `rows`."""
    for batch in batches:
        begin, end = max(rows.start - first, 0), min(rows.stop - first, batch.num_rows)
        if begin < end:
            yield batch.slice(begin, end - begin)
        first += batch.num_rows
        if first >= rows.stop:
            return


def is_unnamed_index(name: str) -> bool:
    """Whether a column of a file is an index that has no name.

    >>> is_unnamed_index("__index_level_0__"), is_unnamed_index("ts")
    (True, False)
    """
    return _UNNAMED_INDEX.fullmatch(name) is not None


def _may_hold(group: pq.RowGroupMetaData, span: Span) -> bool:
    """Whether a row group may hold a row of `span`, by its statistics."""
    for i in range(group.num_columns):
        described = group.column(i)
        if described.path_in_schema != span.column:
            continue
        kept = described.statistics
        if kept is None or not kept.has_min_max or not isinstance(kept.min, dt.datetime):
            return True
        # Parquet's instants are in UTC; those without a zone are taken so.
        least, most = (_instant(edge) for edge in (kept.min, kept.max))
        # Statistics may be cut off below the microsecond.
        return bool(least < span.end and most >= span.start - 1)
    return True


def _instant(edge: dt.datetime) -> np.datetime64:
    return np.datetime64(
        edge.astimezone(dt.UTC).replace(tzinfo=None) if edge.tzinfo else edge, "us"
    )
