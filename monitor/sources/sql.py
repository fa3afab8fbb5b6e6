"""A query with `:start` and `:end`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitor.errors import InvalidInputError, MissingExtraError
from monitor.sources.source import CHUNK_ROWS, within

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class SqlSource:
    """The rows that a query gives for a window.

    Parameters
    ----------
    url
        Any URL that SQLAlchemy knows; the driver must be installed.
    query
        Holds `:start` and `:end`, which become the window's bounds: timestamps with a zone, or in
        databases that have none, such as SQLite, times in UTC; there they are texts such as
        `2026-03-01 00:00:00.000000`, so compare them with `datetime(column)`. Rows outside of the window
        are left out again.
    timestamp_column
        Of the rows that the query gives.
    chunk_rows
        Rows in memory at a time.

    Raises
    ------
    InvalidInputError
        If the query lacks one of the two.
    """

    url: str = field(repr=False)
    query: str
    timestamp_column: str
    chunk_rows: int = CHUNK_ROWS

    def __post_init__(self) -> None:
        lacks = [name for name in ("start", "end") if not re.search(rf":{name}\b", self.query)]
        if lacks:
            raise InvalidInputError(
                f"the query lacks :{' and :'.join(lacks)}: it must give the rows of one window, those "
                "WHERE timestamp >= :start AND timestamp < :end"
            )

    def chunks(
        self, start: dt.datetime, end: dt.datetime, columns: Sequence[str] | None = None
    ) -> Iterator[pa.Table]:
        """See `Source.chunks`."""
        from sqlalchemy import create_engine
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
        from sqlalchemy.pool import NullPool

        try:
            engine = create_engine(self.url, poolclass=NullPool)
        except (ArgumentError, NoSuchModuleError) as error:
            # The text may hold a password.
            raise InvalidInputError("the url of the data cannot be read as SQLAlchemy's") from error
        except ModuleNotFoundError as error:
            if error.name == "psycopg":
                raise MissingExtraError.of("psycopg", "postgresql") from error
            raise InvalidInputError(
                f"the driver {error.name!r} for the url of the data is not installed: install it"
            ) from error
        try:
            with engine.connect().execution_options(yield_per=self.chunk_rows) as connection:
                bounds = {"start": _bound(start, engine), "end": _bound(end, engine)}
                found = connection.execute(self._statement(columns), bounds)
                names = list(found.keys())
                is_empty = True
                for rows in found.partitions():
                    is_empty = False
                    yield within(_table(names, rows, columns), self.timestamp_column, start, end)
                if is_empty:
                    yield _table(names, [], columns)
        except SQLAlchemyError as error:
            told = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise InvalidInputError(f"the query of the data failed: {told}") from error

    def _statement(self, columns: Sequence[str] | None) -> Any:
        from sqlalchemy import DateTime, bindparam, column, select, text

        bounds = [bindparam(name, type_=DateTime(timezone=True)) for name in ("start", "end")]
        query = text(self.query.strip().rstrip(";")).bindparams(*bounds)
        if columns is not None and list(columns) == [self.timestamp_column]:
            # Times alone are asked for again and again; vectors would weigh a thousand times more.
            inner = query.columns(column(self.timestamp_column)).subquery("rows_of_window")
            return select(inner.c[self.timestamp_column])
        return query


def _bound(instant: dt.datetime, engine: Any) -> dt.datetime:
    in_utc = instant.astimezone(dt.UTC)
    has_zones = engine.dialect.name in {"postgresql", "oracle", "mssql"}
    return in_utc if has_zones else in_utc.replace(tzinfo=None)


def _table(names: Sequence[str], rows: Sequence[Any], columns: Sequence[str] | None) -> pa.Table:
    import pyarrow as pa

    try:
        return pa.table(
            {
                name: pa.array([row[i] for row in rows])
                for i, name in enumerate(names)
                if columns is None or name in columns
            }
        )
    except pa.ArrowException as error:
        raise InvalidInputError(f"the query gives values of mixed types: {error}") from error
