"""What is monitored by now: features, each with the grid that its windows are cut by.

When the config changes a window's length or its zone, a feature starts anew: windows of two grids overlap, so
that they are neither pooled nor shown together. Old results stay where they are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Connection, func, select, update

from monitor.store.rows import feature_id
from monitor.store.tables import DROPPED, DUE, FAILED, features, windows
from monitor.windows import Grid

IS_NOW = windows.c.grid == features.c.grid
"""Whether a window is of the grid that its feature is cut by now."""


def adopt(connection: Connection, feature: str, grid: Grid, now: dt.datetime) -> str | None:
    """Cut `feature` by `grid` from now on; what it was cut by before, where that is another.

    Windows of the other grid that were still due are put aside until it comes back.
    """
    key = feature_id(connection, feature, now)
    row = connection.execute(select(features).where(features.c.id == key)).one()
    if row.grid == str(grid) and row.retired_at is None:
        return None
    connection.execute(
        update(features).where(features.c.id == key).values(grid=str(grid), retired_at=None)
    )
    is_ours = windows.c.feature_id == key
    _drop(connection, is_ours & (windows.c.grid != str(grid)))
    was_dropped = is_ours & (windows.c.grid == str(grid)) & (windows.c.state == DROPPED)
    connection.execute(update(windows).where(was_dropped).values(state=DUE))
    return None if row.grid in (None, str(grid)) else str(row.grid)


def retire(connection: Connection, monitored: Collection[str], now: dt.datetime) -> list[str]:
    """Note that all features but these are monitored no more; the names of those that were until now."""
    is_gone = features.c.name.not_in(monitored) & features.c.retired_at.is_(None)
    gone = connection.execute(select(features.c.id, features.c.name).where(is_gone)).all()
    for row in gone:
        connection.execute(update(features).where(features.c.id == row.id).values(retired_at=now))
        _drop(connection, windows.c.feature_id == row.id)
    return [row.name for row in gone]


def is_settled(
    connection: Connection, names: Sequence[str], grid: Grid, monitored: Collection[str] | None
) -> bool:
    """Whether the store knows all this already, so that nothing is to be adopted or retired."""
    rows = connection.execute(
        select(features.c.name, features.c.grid).where(features.c.retired_at.is_(None))
    ).all()
    current = {row.name: row.grid for row in rows}
    has_left = monitored is not None and not set(current) <= set(monitored)
    return not has_left and all(current.get(name) == str(grid) for name in names)


def monitored(connection: Connection) -> list[str]:
    """The names of the features that are monitored by now, the oldest first."""
    active = select(features.c.name).where(features.c.retired_at.is_(None))
    return list(connection.execute(active.order_by(features.c.id)).scalars())


def states(connection: Connection) -> dict[str, int]:
    """How many windows of monitored features are in each state."""
    rows = connection.execute(
        select(windows.c.state, func.count())
        .join(features, features.c.id == windows.c.feature_id)
        .where(features.c.retired_at.is_(None), IS_NOW)
        .group_by(windows.c.state)
    ).all()
    return {row[0]: row[1] for row in rows}


def backlog(connection: Connection) -> dict[str, dict[str, int]]:
    """How many windows of each monitored feature are `due`, and `failed`: given up."""
    rows = connection.execute(
        select(features.c.name, windows.c.state, func.count())
        .join(windows, windows.c.feature_id == features.c.id)
        .where(features.c.retired_at.is_(None), windows.c.state.in_([DUE, FAILED]), IS_NOW)
        .group_by(features.c.name, windows.c.state)
    ).all()
    counts = {name: {DUE: 0, FAILED: 0} for name in monitored(connection)}
    for name, state, n in rows:
        counts[name][state] = n
    return counts


def _drop(connection: Connection, condition: ColumnElement[bool]) -> None:
    """Put windows that are due aside, and look for late rows of the others no more.

    Rows are not deleted: SQLite would give their keys to others, and a late worker's claim with them.
    """
    is_due = windows.c.state == DUE
    connection.execute(update(windows).where(condition, is_due).values(state=DROPPED))
    connection.execute(update(windows).where(condition).values(look_until=None))
