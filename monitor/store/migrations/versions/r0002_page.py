"""What the page needs: the change of each window in columns, acts of people, and tokens."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


_FROM_SQLITE = """
INSERT INTO changes (result_id, share, share_low, share_high, p_value, kinds)
SELECT id, json_extract(document, '$.change.share'), json_extract(document, '$.change.low'),
       json_extract(document, '$.change.high'), p_value, coalesce(json_extract(document, '$.kinds'), '[]')
FROM results
"""
_FROM_POSTGRESQL = """
INSERT INTO changes (result_id, share, share_low, share_high, p_value, kinds)
SELECT id, (document#>>'{change,share}')::float, (document#>>'{change,low}')::float,
       (document#>>'{change,high}')::float, p_value, coalesce(document->'kinds', '[]'::json)
FROM results
"""


def _key() -> Any:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _instant() -> Any:
    return sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, and fill the changes from the documents that are there."""
    op.create_table(
        "changes",
        sa.Column("result_id", _key(), autoincrement=False, nullable=False),
        sa.Column("share", sa.Float()),
        sa.Column("share_low", sa.Float()),
        sa.Column("share_high", sa.Float()),
        sa.Column("p_value", sa.Float()),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["result_id"], ["results.id"], name="fk_changes_result_id"),
        sa.PrimaryKeyConstraint("result_id", name="pk_changes"),
    )
    op.create_table(
        "acts",
        sa.Column("id", _key(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("window_start", _instant()),
        sa.Column("window_end", _instant()),
        sa.Column("alert_key", sa.Text()),
        sa.Column("mark", sa.Text()),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("done_at", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_acts"),
    )
    op.create_index(
        "ix_acts_feature_window_start", "acts", ["feature", "window_start"], unique=False
    )
    op.create_table(
        "tokens",
        sa.Column("id", _key(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("may_act", sa.Boolean(), nullable=False),
        sa.Column("created_at", _instant(), nullable=False),
        sa.Column("revoked_at", _instant()),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
        sa.UniqueConstraint("name", name="uq_tokens_name"),
    )
    # Of documents without a change of their own the share stays unknown: only a new look would tell it.
    op.execute(_FROM_SQLITE if op.get_bind().dialect.name == "sqlite" else _FROM_POSTGRESQL)
