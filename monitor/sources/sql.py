"""A query with `:start` and `:end`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from monitor import frames
from monitor.errors import InvalidInputError, MissingExtraError
from monitor.frames import CHUNK_ROWS, ReadOptions
from monitor.sources.query import bounds_in, prepared
from monitor.sources.source import within

if TYPE_CHECKING:
    import pyarrow as pa

_IN_UTC: Final = {
    "postgresql": "SET TIME ZONE 'UTC'",
    "cockroachdb": "SET TIME ZONE 'UTC'",
    "redshift": "SET TIME ZONE 'UTC'",
    "mysql": "SET time_zone = '+00:00'",
    "mariadb": "SET time_zone = '+00:00'",
    "oracle": "ALTER SESSION SET TIME_ZONE = 'UTC'",
    "snowflake": "ALTER SESSION SET TIMEZONE = 'UTC'",
    "duckdb": "SET TimeZone = 'UTC'",
}
"""How each database sets the zone of a session; others have none, or compare in UTC."""
_DAY: Final = dt.timedelta(days=1)
_HAVE_ZONES: Final = {"postgresql", "cockroachdb", "redshift", "oracle", "mssql"}


@dataclass(frozen=True)
class SqlSource:
    """The rows that a query gives for a window.

    Parameters
    ----------
    url
        Any URL that SQLAlchemy knows; the driver must be installed.
    query
        Holds `:start` and `:end`, which become the window's bounds: timestamps with a zone, or in
        databases that have none times in UTC. In SQLite, whose times are texts of any spelling, they are
        dates such as `2026-03-01`, a day before and a day after those of the window. The session is set to
        UTC, so that columns with and without a zone and dates are compared alike; a bound may be cast
        (`:start::timestamp`). Rows outside of the window are left out again.
    timestamp_column
        Of the rows that the query gives.
    chunk_rows
        Rows in memory at a time.
    options
        The types of its columns.

    Raises
    ------
    InvalidInputError
        If the query lacks one of the two.
    """

    url: str = field(repr=False)
    query: str
    timestamp_column: str
    chunk_rows: int = CHUNK_ROWS
    options: ReadOptions = field(default_factory=ReadOptions)

    def __post_init__(self) -> None:
        lacks = sorted({"start", "end"} - bounds_in(self.query), reverse=True)
        if lacks:
            raise InvalidInputError(
                f"the query lacks :{' and :'.join(lacks)}: it must give the rows of one window, those "
                "WHERE timestamp >= :start AND timestamp < :end"
            )

    def chunks(
        self, start: dt.datetime, end: dt.datetime, columns: Sequence[str] | None = None
    ) -> Iterator[pa.Table]:
        """See `Source.chunks`."""
        return within(self._tables(start, end, columns), self.timestamp_column, start, end)

    def _tables(
        self, start: dt.datetime, end: dt.datetime, columns: Sequence[str] | None
    ) -> Iterator[pa.Table]:
        from sqlalchemy.exc import SQLAlchemyError

        engine = self._engine()
        dialect = engine.dialect.name
        try:
            with engine.connect() as connection:
                if dialect in _IN_UTC:
                    # Else the database compares times without a zone with the bounds in the zone of the
                    # session, which is its own setting or the user's.
                    connection.exec_driver_sql(_IN_UTC[dialect])
                bounds = _bounds(start, end, dialect)
                statement = self._statement(columns, dialect)
                in_pieces = {"yield_per": self.chunk_rows}
                result = connection.execute(statement, bounds, execution_options=in_pieces)
                names = list(result.keys())
                is_empty = True
                # Said again: a result of a query's text forgets it and would give one row at a time.
                for rows in result.partitions(self.chunk_rows):
                    is_empty = False
                    yield self._table(names, rows, columns)
                if is_empty:
                    yield self._table(names, [], columns)
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise InvalidInputError(f"the query of the data failed: {reason}") from error

    def _engine(self) -> Any:
        from sqlalchemy import create_engine
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError
        from sqlalchemy.pool import NullPool

        try:
            return create_engine(self.url, poolclass=NullPool)
        except (ArgumentError, NoSuchModuleError, ValueError) as error:
            # The text may hold a password.
            raise InvalidInputError("the url of the data cannot be read as SQLAlchemy's") from error
        except ModuleNotFoundError as error:
            if error.name == "psycopg":
                raise MissingExtraError.of("psycopg", "postgresql") from error
            raise InvalidInputError(
                f"the driver {error.name!r} for the url of the data is not installed: install it"
            ) from error

    def _statement(self, columns: Sequence[str] | None, dialect: str) -> Any:
        from sqlalchemy import DateTime, String, bindparam, column, select, text

        kind = String() if dialect == "sqlite" else DateTime(timezone=True)
        bounds = [bindparam(name, type_=kind) for name in ("start", "end")]
        query = text(prepared(self.query)).bindparams(*bounds)
        if columns is not None and set(columns) == {self.timestamp_column} and dialect != "mssql":
            # Times alone are asked for again and again; vectors would weigh a thousand times more.
            # SQL Server puts no query that sorts, or begins with WITH, in brackets.
            inner = query.columns(column(self.timestamp_column)).subquery("rows_of_window")
            return select(inner.c[self.timestamp_column])
        return query

    def _table(
        self, names: Sequence[str], rows: Sequence[Any], columns: Sequence[str] | None
    ) -> pa.Table:
        import pyarrow as pa

        kept = {*names} if columns is None else {*columns, self.timestamp_column}
        wanted = [(i, name) for i, name in enumerate(names) if name in kept]
        table = pa.Table.from_arrays(
            [frames.array_of([row[i] for row in rows]) for i, _ in wanted],
            names=[name for _, name in wanted],
        )
        return self.options.declared(table)


def _bounds(start: dt.datetime, end: dt.datetime, dialect: str) -> dict[str, dt.datetime | str]:
    in_utc = [edge.astimezone(dt.UTC) for edge in (start, end)]
    if dialect == "sqlite":
        # It compares texts letter by letter: no time of the day comes before or after all spellings of it,
        # and a time with an offset may have another date than in UTC. Days around the window do.
        first, after = (
            edge.date() for edge in (in_utc[0], in_utc[1] - dt.timedelta(microseconds=1))
        )
        return {"start": str(first - _DAY), "end": str(after + 2 * _DAY)}
    if dialect not in _HAVE_ZONES:
        in_utc = [edge.replace(tzinfo=None) for edge in in_utc]
    return {"start": in_utc[0], "end": in_utc[1]}
