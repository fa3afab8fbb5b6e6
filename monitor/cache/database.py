"""The SQLite file under the vector cache: made, checked, read and written."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from monitor.errors import CacheError

FILE_NAME: Final = "vectors-1.sqlite"
"""The number is that of the layout: another layout takes another file."""
APPLICATION_ID: Final = 0x6D766331
"""Stands in the header of the file ("mvc1"), so that no other program's database is taken for ours."""
_HEADER_OFFSET: Final = (
    68  # of the application id; https://sqlite.org/fileformat2.html, section 1.3
)
_WAIT_SECONDS: Final = 30.0

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS makers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS vectors (
    maker INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    vector BLOB NOT NULL,
    quality BLOB NOT NULL,
    crc INTEGER NOT NULL,
    used_at REAL NOT NULL,
    UNIQUE (sha256, maker)
);
CREATE TABLE IF NOT EXISTS sources (
    key BLOB PRIMARY KEY,
    sha256 BLOB NOT NULL,
    place TEXT,
    etag TEXT,
    last_modified TEXT,
    file_state TEXT,
    checked_at REAL NOT NULL,
    job TEXT
);
CREATE INDEX IF NOT EXISTS sources_of_job ON sources (job) WHERE job IS NOT NULL;
CREATE TABLE IF NOT EXISTS failures (
    job TEXT NOT NULL,
    key BLOB NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    failed_at REAL NOT NULL,
    PRIMARY KEY (job, key)
)"""

Statement = tuple[str, Sequence[object]]


class CacheFile:
    """An open cache file; not thread-safe by itself.

    Raises
    ------
    CacheError
        By each method, if the file is damaged, of another program, or kept locked.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._lock = threading.RLock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CacheError(
                f"the cache folder {folder} cannot be made: {error.strerror or error}: name another"
            ) from error
        with self._mapped():
            # Each thread waits for its turn at the one connection.
            self._database = sqlite3.connect(
                self.path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise
        self.is_open = True

    @property
    def n_bytes(self) -> int:
        """What the rows take on disk, without pages that are free to be used again."""
        pages, free, size = (
            int(self.one(f"PRAGMA {name}")[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    def one(self, sql: str, values: Sequence[object] = ()) -> Any:
        """The first row, or None."""
        with self._lock, self._mapped():
            return self._database.execute(sql, values).fetchone()

    def all(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        """Every row."""
        with self._lock, self._mapped():
            return self._database.execute(sql, values).fetchall()

    def write(self, work: Sequence[Statement]) -> None:
        """Run the statements, all of them or none."""
        with self._lock, self._mapped():
            # IMMEDIATE waits for other writers; a transaction that turns into a writer later on fails.
            self._database.execute("BEGIN IMMEDIATE")
            try:
                for sql, values in work:
                    self._database.execute(sql, values)
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def shrink(self) -> None:
        """Give free pages back to the disk."""
        with self._lock, self._mapped():
            # As a script: this pragma frees one page a step, and `execute` takes one step.
            self._database.executescript(
                "PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)"
            )

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self.is_open = False
            self._database.close()

    def _prepare(self) -> None:
        until = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                self._check_owner()
                # Before there is a table; without it the file could never become smaller.
                self._database.execute("PRAGMA auto_vacuum = INCREMENTAL")
                self._database.execute("PRAGMA journal_mode = WAL")
                self._database.execute("PRAGMA synchronous = NORMAL")
                if not self._is_ours():
                    self.write(
                        [
                            *((sql, ()) for sql in _TABLES.split(";")),
                            (f"PRAGMA application_id = {APPLICATION_ID}", ()),
                        ]
                    )
                return
            except (sqlite3.OperationalError, CacheError) as error:
                # Several processes make the file at once: the change to WAL does not wait by itself.
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def _is_ours(self) -> bool:
        return bool(self.one("PRAGMA application_id") == (APPLICATION_ID,))

    def _check_owner(self) -> None:
        tables = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and not self._is_ours():
            raise CacheError(
                f"{self.path} is a database of another program: name another folder for the cache"
            )

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise CacheError(
                    f"the cache {self.path} was locked by another process for {_WAIT_SECONDS:g} s: "
                    "try again when that has ended"
                ) from error
            raise CacheError(
                f"the cache {self.path} cannot be used: {error}: see that there is room on the disk "
                "and that the file may be written"
            ) from error
        except sqlite3.DatabaseError as error:
            raise CacheError(
                f"the cache {self.path} is damaged ({error}): delete the file, or run "
                "`monitor cache prune --all`; it is made again"
            ) from error


def remove(folder: Path) -> bool:
    """Delete the cache of `folder`, whole or damaged; whether there was one.

    Raises
    ------
    CacheError
        If the file is not ours.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(100)
    owner = head[_HEADER_OFFSET : _HEADER_OFFSET + 4]
    if head.startswith(b"SQLite format 3\0") and owner not in (
        APPLICATION_ID.to_bytes(4, "big"),
        bytes(4),
    ):
        raise CacheError(f"{path} is a database of another program, so it was left as it is")
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return True
