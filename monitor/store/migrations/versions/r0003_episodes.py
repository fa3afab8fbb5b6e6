"""What episodes are read from: which shift each window belongs to, in columns beside its change."""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_SQLITE: Final = """
SELECT id, json_extract(document, '$.began') AS began, json_extract(document, '$.ended') AS ended,
       json_extract(document, '$.judgement.is_by_pooled_test') AS is_pooled
FROM results WHERE segment = '' AND json_extract(document, '$.began') IS NOT NULL
"""
_POSTGRESQL: Final = """
SELECT id, document->>'began' AS began, document->>'ended' AS ended,
       (document#>>'{judgement,is_by_pooled_test}')::boolean AS is_pooled
FROM results WHERE segment = '' AND document->>'began' IS NOT NULL
"""


def upgrade() -> None:
    """Add the columns, and fill them from the documents that are there."""
    with op.batch_alter_table("changes") as batch:
        batch.add_column(sa.Column("began", sa.DateTime(timezone=True)))
        batch.add_column(sa.Column("ended", sa.DateTime(timezone=True)))
        batch.add_column(
            sa.Column("is_pooled", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    fill(op.get_bind())


def fill(connection: sa.Connection) -> None:
    """Read the columns from the documents."""
    is_sqlite = connection.dialect.name == "sqlite"
    changes = sa.table(
        "changes",
        sa.column("result_id", sa.BigInteger()),
        sa.column("began", sa.DateTime(timezone=True)),
        sa.column("ended", sa.DateTime(timezone=True)),
        sa.column("is_pooled", sa.Boolean()),
    )
    for row in connection.execute(sa.text(_SQLITE if is_sqlite else _POSTGRESQL)).all():
        connection.execute(
            sa.update(changes)
            .where(changes.c.result_id == row.id)
            .values(
                began=_instant(row.began, is_sqlite),
                ended=_instant(row.ended, is_sqlite),
                is_pooled=bool(row.is_pooled),
            )
        )


def _instant(text: str | None, is_sqlite: bool) -> dt.datetime | None:
    """An ISO text in UTC; SQLite takes no zone."""
    if text is None:
        return None
    in_utc = dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    return in_utc.replace(tzinfo=None) if is_sqlite else in_utc
