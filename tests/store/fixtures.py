"""Fixtures of every room that uses a store: import them into its conftest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitor.store import Store
from tests.store.databases import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path) -> str:
    """The URL of an empty database, of each kind that a store may be in."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An empty store of each kind."""
    with Store(database_url) as opened:
        opened.migrate()
        yield opened


@pytest.fixture
def sqlite_store(tmp_path) -> Iterator[Store]:
    """An empty store in an SQLite file."""
    with Store(f"sqlite:///{tmp_path}/store.db") as opened:
        opened.migrate()
        yield opened
