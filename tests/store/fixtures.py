"""Fixtures of every room that uses a store: import them into its conftest."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from monitor.store import Store
from tests.store.databases import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path) -> Iterator[str]:
    """The URL of an empty database, of each kind that a store may be in."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


@cache
def migrated(server: PostgresServer | None) -> bytes | str:
    """An empty store, made once: an SQLite file's bytes, or the name of a database of `server`."""
    if server is not None:
        url = server.new_database()
        with Store(url) as made:
            made.migrate()
        return url.partition("@/")[2].partition("?")[0]
    with tempfile.TemporaryDirectory() as folder:
        with Store(f"sqlite:///{folder}/store.db") as made:
            made.migrate()
        return (Path(folder) / "store.db").read_bytes()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty store of each kind: a copy, as all the steps to today's tables take a while."""
    if request.param == "sqlite":
        yield sqlite_copy(tmp_path)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    template = migrated(server)
    assert isinstance(template, str)
    with server.database(template) as url:
        yield url


def sqlite_copy(folder: Path) -> str:
    """The URL of an empty store in `folder`."""
    content = migrated(None)
    assert isinstance(content, bytes)
    (folder / "store.db").write_bytes(content)
    return f"sqlite:///{folder}/store.db"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store of each kind."""
    with Store(store_url) as opened:
        yield opened


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """An empty store in an SQLite file."""
    with Store(sqlite_copy(tmp_path)) as opened:
        yield opened
