"""What a source of batches is, and what is read of it: the rows of one window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.errors import InvalidInputError
from monitor.frames.fingerprints import fingerprint
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
CHUNK_ROWS: Final = 10_000
"""Rows in memory at a time while a window is looked for: 20 MB of vectors 512 wide."""


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
    import pyarrow as pa

    chunks = list(source.chunks(start, end, columns))
    held = [chunk for chunk in chunks if chunk.num_rows] or chunks[:1]
    _check_encoders(held)
    try:
        return pa.concat_tables(held, promote_options="permissive")
    except pa.ArrowException as error:
        raise InvalidInputError(
            f"the rows from {start.isoformat()} to {end.isoformat()} do not make one table: {error}; "
            "give each column one type in all files"
        ) from error


def rows_seen(source: Source, start: dt.datetime, end: dt.datetime) -> RowsSeen:
    """What the rows of [start, end) are now; reads nothing but their times."""
    seen = RowsSeen()
    for chunk in source.chunks(start, end, [source.timestamp_column]):
        seen += RowsSeen.of(frames.read_times(chunk, source.timestamp_column).values)
    return seen


def within(table: pa.Table, column: str, start: dt.datetime, end: dt.datetime) -> pa.Table:
    """The rows of `table` whose time lies in [start, end)."""
    import pyarrow as pa

    instants = frames.read_times(table, column).values
    lies_in = (instants >= instant64(start)) & (instants < instant64(end))
    return table if lies_in.all() else table.filter(pa.array(lies_in))


def instant64(instant: dt.datetime) -> np.datetime64:
    """An aware datetime as datetime64[us] in UTC."""
    return np.datetime64(instant.astimezone(dt.UTC).replace(tzinfo=None), "us")


def _check_encoders(chunks: Sequence[Any]) -> None:
    known: dict[str, str] = {}
    for chunk in chunks:
        for column in chunk.column_names:
            found = fingerprint(chunk, column)
            if found is not None and known.setdefault(column, found) != found:
                raise InvalidInputError(
                    f"the vectors in column {column!r} come from two encoders, {known[column]} and "
                    f"{found}: embed all rows with one model"
                )
