"""A URL ─► a database with transactions that hold. SQLite or PostgreSQL."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from monitor.errors import MissingExtraError, StoreError

BUSY_SECONDS: Final = 60
"""How long a writer waits for the others; SQLite takes one at a time."""
_DRIVERS: Final = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
_WRITES: Final = "monitor_writes"


def connect(url: str) -> Engine:
    """The database at `url`.

    Parameters
    ----------
    url
        `sqlite:///path/of/a/file` (its folder is made where need be) or
        `postgresql+psycopg://user:password@host/database`.

    Raises
    ------
    StoreError
        If the URL is of another kind.
    MissingExtraError
        If the driver for PostgreSQL is not installed.
    """
    parsed = parse(url)
    if parsed.get_backend_name() == "sqlite":
        Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(parsed, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise MissingExtraError.of("psycopg", "postgresql") from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: all of it is kept, or nothing.

    Raises
    ------
    StoreError
        If the database says no.
    """
    with (
        _told(engine),
        engine.connect().execution_options(**{_WRITES: True}) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection to read with; a writer does not wait for it.

    Raises
    ------
    StoreError
        If the database says no.
    """
    with _told(engine), engine.connect() as connection:
        yield connection


def now(engine: Engine) -> dt.datetime:
    """The time in UTC by the database's clock; by this machine's for SQLite, which has none.

    Raises
    ------
    StoreError
        If the database says no.
    """
    if engine.dialect.name == "sqlite":
        return dt.datetime.now(dt.UTC)
    with reading(engine) as connection:
        instant: dt.datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return instant.astimezone(dt.UTC)


def use_write_ahead_log(engine: Engine) -> None:
    """Let readers go on beside a writer; SQLite keeps this in the file, PostgreSQL does so anyway."""
    if engine.dialect.name != "sqlite":
        return
    deadline = time.monotonic() + BUSY_SECONDS
    with _told(engine):
        connection = engine.raw_connection()
        try:
            cursor: Any = connection.cursor()
            while cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                try:
                    cursor.execute("PRAGMA journal_mode=WAL")
                except engine.dialect.loaded_dbapi.OperationalError as error:
                    # This one switch does not wait for others by itself.
                    if time.monotonic() > deadline:
                        raise StoreError(f"{shown(engine)} stayed locked: {error}") from error
                    time.sleep(0.02)
        finally:
            connection.close()


def shown(engine: Engine) -> str:
    """The URL without its password."""
    return engine.url.render_as_string(hide_password=True)


def parse(url: str) -> URL:
    """The parts of a store's URL; nothing is connected or made.

    Raises
    ------
    StoreError
        If it is of another kind.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # the latter of a port that is no number
        # The text may hold a password.
        raise StoreError(
            "the store's url cannot be read: give sqlite:///path/of/a/file or "
            "postgresql+psycopg://user:password@host/database"
        ) from error
    kind = parsed.drivername
    if kind not in {*_DRIVERS, *_DRIVERS.values()}:
        raise StoreError(
            f"a store in {kind!r} is not known: give sqlite:///path/of/a/file or "
            "postgresql+psycopg://user:password@host/database"
        )
    if parsed.get_backend_name() == "sqlite" and (parsed.host or parsed.username):
        raise StoreError(
            "the store's url names a host or a user, and SQLite has neither: give sqlite:///path/of/a/file, "
            "with three slashes"
        )
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise StoreError(
            f"{url!r} names no file: a store outlives the process, give sqlite:///path/of/a/file"
        )
    return parsed.set(drivername=_DRIVERS[parsed.get_backend_name()])


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        # The statement and its values may be long, and may hold what is secret.
        first = str(error.orig).splitlines()[0] if str(error.orig) else type(error.orig).__name__
        raise StoreError(f"the store {shown(engine)}: {first}") from error


def _prepare_sqlite(connection: Any, _: object) -> None:
    # The driver would begin transactions by itself, and too late; see `_begin_sqlite`.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")
    # With a write-ahead log this keeps the file whole at any moment. A loss of power may take back the
    # last commits; their windows are then due again.
    connection.execute("PRAGMA synchronous=NORMAL")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes then fails, at once, if another has written since:
    # whoever is going to write queues up at the start.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
