"""The rows of one window as they are worked on: whole where they are few, else in pieces."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import TYPE_CHECKING

from monitor import frames
from monitor.frames import CHUNK_ROWS
from monitor.sources.source import RowsSeen, Source

if TYPE_CHECKING:
    import pyarrow as pa


class WindowReading:
    """The rows of [start, end), read once.

    Parameters
    ----------
    source
        Where they are.
    start, end
        Aware datetimes.
    columns
        Those that are wanted, of which some may not exist.
    most_rows
        Up to so many rows are read whole.

    Raises
    ------
    InvalidInputError
        If the source cannot be read.
    """

    def __init__(
        self,
        source: Source,
        start: dt.datetime,
        end: dt.datetime,
        *,
        columns: Sequence[str],
        most_rows: int,
    ) -> None:
        self._column = source.timestamp_column
        self._chunks = iter(source.chunks(start, end, columns))
        self._first: list[pa.Table] = []
        self._seen = RowsSeen()
        n = 0
        for chunk in self._chunks:
            self._first.append(chunk)
            n += chunk.num_rows
            if n > most_rows:
                break
        self.is_large = n > most_rows

    @property
    def columns(self) -> list[str]:
        """Those of the first rows."""
        return list(_filled(self._first)[0].column_names)

    @property
    def seen(self) -> RowsSeen:
        """What the rows are that `tables` gave so far."""
        return self._seen

    def hold(self) -> None:
        """Read the rest at once."""
        self._first.extend(self._chunks)

    def tables(self) -> Iterator[pa.Table]:
        """The rows, once: neighbours with the same columns in one table, of a large window in pieces."""
        if self.is_large:
            tables = _gathered(chain(self._first, self._chunks))
            self._first = []
        else:
            alike = groupby(_filled(self._first), key=_names)
            tables = (frames.join(list(chunks)) for _, chunks in alike)
        for table in tables:
            self._seen += RowsSeen.of(frames.read_times(table, self._column).values)
            yield table


def _filled(chunks: Sequence[pa.Table]) -> Sequence[pa.Table]:
    return [chunk for chunk in chunks if chunk.num_rows] or chunks[:1]


def _names(table: pa.Table) -> list[str]:
    return sorted(table.column_names)


def _gathered(chunks: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Tables of `CHUNK_ROWS` rows or a little more, of chunks that may be small files."""
    waiting: list[pa.Table] = []
    n = 0
    for chunk in chunks:
        if not chunk.num_rows:
            continue
        if waiting and (n >= CHUNK_ROWS or _names(chunk) != _names(waiting[0])):
            yield frames.join(waiting)
            waiting, n = [], 0
        waiting.append(chunk)
        n += chunk.num_rows
    if waiting:
        yield frames.join(waiting)
