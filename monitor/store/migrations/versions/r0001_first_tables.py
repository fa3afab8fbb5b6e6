"""The first tables: features, baselines, windows, results, failures, alerts and their outbox."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _key() -> Any:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _instant() -> Any:
    return sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "alerts",
        sa.Column("id", _key(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("window_start", _instant()),
        sa.Column("window_end", _instant()),
        sa.Column("segment", sa.Text()),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("dedup_key", sa.Text(), nullable=False),
        sa.Column("message", sa.JSON(), nullable=False),
        sa.Column("created_at", _instant(), nullable=False),
        sa.Column("resolved_at", _instant()),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        sa.UniqueConstraint("dedup_key", name="uq_alerts_dedup_key"),
    )
    op.create_index(
        "ix_alerts_feature_window_start", "alerts", ["feature", "window_start"], unique=False
    )
    op.create_table(
        "features",
        sa.Column("id", _key(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("grid", sa.Text()),
        sa.Column("created_at", _instant(), nullable=False),
        sa.Column("retired_at", _instant()),
        sa.PrimaryKeyConstraint("id", name="pk_features"),
        sa.UniqueConstraint("name", name="uq_features_name"),
    )
    op.create_table(
        "baselines",
        sa.Column("id", _key(), nullable=False),
        sa.Column("feature_id", _key(), nullable=False),
        sa.Column("baseline_id", sa.Text(), nullable=False),
        sa.Column("since", _instant()),
        sa.Column("until", _instant()),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _instant(), nullable=False),
        sa.ForeignKeyConstraint(["feature_id"], ["features.id"], name="fk_baselines_feature_id"),
        sa.PrimaryKeyConstraint("id", name="pk_baselines"),
        sa.UniqueConstraint(
            "feature_id", "baseline_id", name="uq_baselines_feature_id_baseline_id"
        ),
    )
    op.create_table(
        "outbox",
        sa.Column("id", _key(), nullable=False),
        sa.Column("alert_id", _key(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("dedup_key", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", _instant()),
        sa.Column("delivered_at", _instant()),
        sa.Column("last_error", sa.Text()),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name="fk_outbox_alert_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("dedup_key", name="uq_outbox_dedup_key"),
    )
    op.create_index(
        "ix_outbox_undelivered",
        "outbox",
        ["next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("delivered_at IS NULL"),
        postgresql_where=sa.text("delivered_at IS NULL"),
    )
    op.create_table(
        "windows",
        sa.Column("id", _key(), nullable=False),
        sa.Column("feature_id", _key(), nullable=False),
        sa.Column("window_start", _instant(), nullable=False),
        sa.Column("window_end", _instant(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("grid", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("lease_owner", sa.Text()),
        sa.Column("lease_until", _instant()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", _instant()),
        sa.Column("last_error", sa.Text()),
        sa.Column("rows_seen", sa.Text()),
        sa.Column("look_until", _instant()),
        sa.Column("judged_at", _instant()),
        sa.Column("segment_column", sa.Text()),
        sa.Column("notes", sa.JSON()),
        sa.Column("created_at", _instant(), nullable=False),
        sa.ForeignKeyConstraint(["feature_id"], ["features.id"], name="fk_windows_feature_id"),
        sa.PrimaryKeyConstraint("id", name="pk_windows"),
        sa.UniqueConstraint(
            "feature_id",
            "grid",
            "window_start",
            "window_end",
            "revision",
            name="uq_windows_feature_id_grid_window_start_window_end_revision",
        ),
    )
    op.create_index(
        "ix_windows_due",
        "windows",
        ["feature_id", "window_start"],
        unique=False,
        sqlite_where=sa.text("state = 'due'"),
        postgresql_where=sa.text("state = 'due'"),
    )
    op.create_index(
        "ix_windows_look_until",
        "windows",
        ["look_until"],
        unique=False,
        sqlite_where=sa.text("look_until IS NOT NULL"),
        postgresql_where=sa.text("look_until IS NOT NULL"),
    )
    op.create_index(
        "uq_windows_current",
        "windows",
        ["feature_id", "grid", "window_start", "window_end"],
        unique=True,
        sqlite_where=sa.text("is_current"),
        postgresql_where=sa.text("is_current"),
    )
    op.create_table(
        "failures",
        sa.Column("window_id", _key(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("n_rows", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["window_id"], ["windows.id"], name="fk_failures_window_id"),
        sa.PrimaryKeyConstraint("window_id", "reason", name="pk_failures"),
    )
    op.create_table(
        "results",
        sa.Column("id", _key(), nullable=False),
        sa.Column("window_id", _key(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("baseline_id", _key(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("p_value", sa.Float()),
        sa.Column("alpha", sa.Float(), nullable=False),
        sa.Column("jsd", sa.Float()),
        sa.Column("n_rows", sa.BigInteger(), nullable=False),
        sa.Column("n_failed", sa.BigInteger(), nullable=False),
        sa.Column("histogram", sa.JSON(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("sketch", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["baseline_id"], ["baselines.id"], name="fk_results_baseline_id"),
        sa.ForeignKeyConstraint(["window_id"], ["windows.id"], name="fk_results_window_id"),
        sa.PrimaryKeyConstraint("id", name="pk_results"),
        sa.UniqueConstraint("window_id", "segment", name="uq_results_window_id_segment"),
    )
