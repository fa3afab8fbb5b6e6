"""The version of a store's tables: look at it, and bring it up to date."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from monitor.errors import StoreError
from monitor.store.engine import reading, shown, use_write_ahead_log, writing
from monitor.store.tables import metadata

_MIGRATIONS = Path(__file__).parent / "migrations"
# Any number: it stands for "who migrates a store of ours" among PostgreSQL's advisory locks.
_LOCK = 7_240_133_912


def newest_version() -> str:
    """The version that this program works with."""
    return str(_scripts().get_current_head())


def version(engine: Engine) -> str | None:
    """The version of the store; None where there are no tables yet."""
    with reading(engine) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(engine: Engine) -> tuple[str | None, str]:
    """Bring the tables up to date, all steps or none; return the version before and after.

    Several processes may do so at once.

    Raises
    ------
    StoreError
        If the store is of a newer program than this one.
    """
    use_write_ahead_log(engine)
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        before = MigrationContext.configure(connection).get_current_revision()
        _refuse_unknown(engine, before)
        _take_steps(connection)
    return before, newest_version()


def check_version(engine: Engine) -> None:
    """Pass if the tables are those that this program works with.

    Raises
    ------
    StoreError
        If they are older, newer, or not there.
    """
    current = version(engine)
    _refuse_unknown(engine, current)
    if current != newest_version():
        state = "has no tables yet" if current is None else f"has tables of version {current}"
        raise StoreError(
            f"the store {shown(engine)} {state}, version {newest_version()} is needed: run "
            "`monitor store migrate`"
        )


def _refuse_unknown(engine: Engine, current: str | None) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            f"the store {shown(engine)} has tables of version {current}, which this version of monitor "
            "does not know: upgrade monitor on this machine"
        )


@cache
def _scripts() -> ScriptDirectory:
    """Read once: they are part of this program."""
    return ScriptDirectory(str(_MIGRATIONS))


def _take_steps(connection: Connection) -> None:
    scripts = _scripts()

    def steps(revision: Any, _: MigrationContext) -> Any:
        return scripts._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), scripts, fn=steps) as environment:
        environment.configure(connection=connection, target_metadata=metadata)
        environment.run_migrations()
