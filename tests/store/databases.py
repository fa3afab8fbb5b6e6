"""Real databases for tests: an SQLite file, and a PostgreSQL server of our own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

NO_POSTGRES = "PostgreSQL's programs are not installed: apt-get install postgresql"


def postgres_programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`: Debian's newest, or where the path says."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: len(str(p)))
    if debian:
        return debian[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@dataclass(eq=False)
class PostgresServer:
    """A running server that listens on a socket in `folder`, and nowhere else."""

    folder: Path
    _numbers: Iterator[int]
    _control: Callable[..., None]

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def restart(self, mode: str = "immediate") -> None:
        """Stop it, by `immediate` as a crash does, and start it again."""
        self._control("pg_ctl", "restart", "--wait", "-m", mode, "-l", f"{self.folder}/log")

    def _execute(self, statement: str) -> None:
        import psycopg

        address = f"host={self.folder} user=postgres dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement)

    def new_database(self, template: str = "template1") -> str:
        """The URL of an empty database, or of a copy of `template`, which nobody may be connected to."""
        name = f"test{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """The URL of one that is gone afterwards."""
        url = self.new_database(template)
        yield url
        name = url.partition("@/")[2].partition("?")[0]
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")


MEMORY = Path("/dev/shm")
"""Files in memory, on Linux."""
ENOUGH = 1 << 30


def in_memory() -> Path | None:
    """The folder of files in memory, if there is room: each database is 300 files, made far faster there."""
    has_room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ENOUGH
    return MEMORY if has_room else None


@contextmanager
def postgres_server(programs: Path) -> Iterator[PostgresServer]:
    """A server with data of its own, gone afterwards."""
    # Not below pytest's folder, which only its owner may enter; a socket's path must be short, too.
    folder = Path(tempfile.mkdtemp(prefix="monitor-pg-", dir=in_memory()))
    # PostgreSQL refuses to run as root.
    account = {"user": "postgres", "group": "postgres", "extra_groups": []}
    as_owner = account if os.geteuid() == 0 else {}
    if as_owner:
        shutil.chown(folder, "postgres", "postgres")

    def run(program: str, *words: str) -> None:
        done = subprocess.run(
            [programs / program, "-D", folder / "data", *words],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder, **as_owner,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout

    try:
        run("initdb", "--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8")
        settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        # A hundred small databases, which end with the server: no machine's crash is provided for.
        settings += " -c full_page_writes=off -c autovacuum=off -c wal_level=minimal"
        settings += " -c max_wal_senders=0"
        run("pg_ctl", "start", "--wait", "-l", f"{folder}/log", "-o", settings)
        try:
            yield PostgresServer(folder, count(1), run)
        finally:
            run("pg_ctl", "stop", "--wait", "--timeout=600", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
