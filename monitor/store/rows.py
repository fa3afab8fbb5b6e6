"""Small statements that several parts of the store need."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from monitor.store.tables import features


def insert_if_absent(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    """Insert rows, but none whose unique columns are taken, and return how many were new.

    The same row may be inserted by several processes at once.
    """
    if not rows:
        return 0
    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    added = 0
    for row in rows:
        added += connection.execute(insert(table).values(**row).on_conflict_do_nothing()).rowcount
    return added


def feature_id(connection: Connection, name: str, now: dt.datetime) -> int:
    """The key of the feature `name`, which is added where it is new."""
    wanted = select(features.c.id).where(features.c.name == name)
    key = connection.execute(wanted).scalar()
    if key is None:
        insert_if_absent(connection, features, [{"name": name, "created_at": now}])
        key = connection.execute(wanted).scalar_one()
    return int(key)


def lock_feature(connection: Connection, name: str) -> None:
    """Let no other transaction lock this feature until this one ends."""
    connection.execute(select(features.c.id).where(features.c.name == name).with_for_update())
