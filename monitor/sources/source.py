"""What a source of batches is, and what is read of it: the rows of one window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.errors import TimestampError
from monitor.registry import Registry, must_be_callable

if TYPE_CHECKING:
    import pyarrow as pa

SourceFactory = Callable[..., "Source"]
registry: Final = Registry[SourceFactory](
    "monitor.sources",
    "source",
    {
        "files": "monitor.sources.files:FileSource",
        "sql": "monitor.sources.sql:SqlSource",
        "function": "monitor.sources.call:CallableSource",
    },
    must_be_callable,
)
"""The kinds of source by name. What stands there is called with `timestamp_column` and with the settings
that a config gives in `data.production.source`, all by name, and gives a `Source`."""


@runtime_checkable
class Source(Protocol):
    """Rows with times, wherever they are kept."""

    @property
    def timestamp_column(self) -> str:
        """When each row happened."""

    def chunks(
        self, start: dt.datetime, end: dt.datetime, columns: Sequence[str] | None = None
    ) -> Iterator[pa.Table]:
        """The rows of [start, end), in pieces that fit into memory; one at least, be it empty.

        Parameters
        ----------
        start, end
            Aware datetimes.
        columns
            Those that are wanted, of which some may not exist; by default all.

        Raises
        ------
        InvalidInputError, MissingColumnError, TimestampError
            If the rows cannot be read, or have no times.
        """


@dataclass(frozen=True)
class RowsSeen:
    """What a window's rows were, so that rows that come later are noticed.

    Parameters
    ----------
    n
        How many.
    times
        The sum of their instants in microseconds since 1970, modulo 2⁶⁴: whatever the order of the rows,
        it changes when one is replaced by another.
    """

    n: int = 0
    times: int = 0

    @classmethod
    def of(cls, instants: NDArray[np.datetime64]) -> RowsSeen:
        """Of rows with these instants, (n,) datetime64[us]."""
        # Unsigned integers wrap round, which is the modulo.
        total = instants.astype("datetime64[us]").astype(np.int64).astype(np.uint64).sum()
        return cls(len(instants), int(total))

    def __add__(self, other: RowsSeen) -> RowsSeen:
        return RowsSeen(self.n + other.n, (self.times + other.times) % 2**64)

    def __str__(self) -> str:
        return f"{self.n}:{self.times}"


def read_window(
    source: Source, start: dt.datetime, end: dt.datetime, columns: Sequence[str] | None = None
) -> pa.Table:
    """All rows of [start, end) as one table.

    Raises
    ------
    InvalidInputError
        If the source cannot be read, or a column's types or vectors do not go together.
    """
    return frames.join(read_tables(source, start, end, columns))


def read_tables(
    source: Source, start: dt.datetime, end: dt.datetime, columns: Sequence[str] | None = None
) -> list[pa.Table]:
    """All rows of [start, end): one table for neighbours with the same columns, and one at least.

    Files of one window may differ: one brings its vectors, the next one only images.
    """
    chunks = list(source.chunks(start, end, columns))
    with_rows = [chunk for chunk in chunks if chunk.num_rows] or chunks[:1]
    alike = groupby(with_rows, key=lambda chunk: sorted(chunk.column_names))
    return [frames.join(list(tables)) for _, tables in alike]


def rows_seen(source: Source, start: dt.datetime, end: dt.datetime) -> RowsSeen:
    """What the rows of [start, end) are now; reads nothing but their times."""
    total = RowsSeen()
    for chunk in source.chunks(start, end, [source.timestamp_column]):
        total += RowsSeen.of(frames.read_times(chunk, source.timestamp_column).values)
    return total


def within(
    tables: Iterable[pa.Table], column: str, start: dt.datetime, end: dt.datetime
) -> Iterator[pa.Table]:
    """Of each table the rows whose time lies in [start, end).

    Raises
    ------
    TimestampError
        If no table has a time that can be read.
    """
    import pyarrow as pa

    first_error: TimestampError | None = None
    has_times = False
    for table in tables:
        try:
            instants = frames.read_times(table, column).values
        except TimestampError as error:
            # Rows without a time are in no window; those of other tables may have one.
            first_error = first_error or error
            yield table.slice(0, 0)
            continue
        has_times |= bool((~np.isnat(instants)).any()) or _is_time(table.schema.field(column).type)
        lies_in = (instants >= instant64(start)) & (instants < instant64(end))
        yield table if lies_in.all() else table.filter(pa.array(lies_in))
    if first_error is not None and not has_times:
        raise first_error


def _is_time(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def instant64(instant: dt.datetime) -> np.datetime64:
    """An aware datetime as datetime64[us] in UTC."""
    return np.datetime64(instant.astimezone(dt.UTC).replace(tzinfo=None), "us")
