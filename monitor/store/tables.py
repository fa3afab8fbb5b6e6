"""The tables of the store. A change here is a new file in `migrations/versions`.

::

    features ─┬─ baselines ──────┐
              └─ windows ─┬─ results ─── changes
                          └─ failures
    alerts ─── outbox          acts          tokens

A window has one row for each of its revisions. The row is the unit of work: it is due, then done or
failed, and while a worker judges it, leased. At most one revision of a window is the current one, which
an index holds.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)

DUE: Final = "due"
DONE: Final = "done"
FAILED: Final = "failed"
DROPPED: Final = "dropped"
"""The states of a window's row."""

WHOLE: Final = ""
"""The segment of a result that is of all rows of its window; an empty cell is a segment "(empty)"."""


class Instant(TypeDecorator[dt.datetime]):
    """An aware datetime; kept in UTC, also by SQLite, which knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> Any:
        """The instant in UTC, without its zone where the database takes none."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no zone: an instant is stored in UTC")
        in_utc = value.astimezone(dt.UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        """The instant in UTC."""
        if value is None:
            return None
        instant: dt.datetime = value
        return instant.replace(tzinfo=instant.tzinfo or dt.UTC).astimezone(dt.UTC)


# SQLite numbers rows by itself only in a column of exactly this type.
KEY: Final = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

features = Table(
    "features",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    # The length and zone of its windows by now, as `str(Grid)`; another one starts anew.
    Column("grid", Text),
    Column("created_at", Instant, nullable=False),
    # When a config was first met that does not have it any more; null for what is monitored.
    Column("retired_at", Instant),
)

baselines = Table(
    "baselines",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("feature_id", ForeignKey("features.id"), nullable=False),
    # `Baseline.id`, which changes whenever a verdict could.
    Column("baseline_id", Text, nullable=False),
    # For a rolling baseline the range [since, until) of its rows; null for a static one.
    Column("since", Instant),
    Column("until", Instant),
    # The feature's summary in reports, as reports write it.
    Column("summary", JSON, nullable=False),
    # The file of `Baseline.save`.
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("feature_id", "baseline_id"),
)

windows = Table(
    "windows",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("feature_id", ForeignKey("features.id"), nullable=False),
    Column("window_start", Instant, nullable=False),
    Column("window_end", Instant, nullable=False),
    Column("revision", Integer, nullable=False),
    # As in `features` when it was noted.
    Column("grid", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("is_current", Boolean(create_constraint=False), nullable=False),
    # Grows with each claim; a worker that shows an older one has lost the window.
    Column("token", BigInteger, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", Instant),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Instant),
    Column("last_error", Text),
    # What the window's rows were when it was judged, and until when it is looked for rows that come
    # late; null once nobody looks any more.
    Column("rows_seen", Text),
    Column("look_until", Instant),
    Column("judged_at", Instant),
    Column("segment_column", Text),
    Column("notes", JSON),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("feature_id", "grid", "window_start", "window_end", "revision"),
)
Index(
    "uq_windows_current",
    windows.c.feature_id,
    windows.c.grid,
    windows.c.window_start,
    windows.c.window_end,
    unique=True,
    sqlite_where=windows.c.is_current,
    postgresql_where=windows.c.is_current,
)
Index(
    "ix_windows_due",
    windows.c.feature_id,
    windows.c.window_start,
    sqlite_where=windows.c.state == DUE,
    postgresql_where=windows.c.state == DUE,
)
Index(
    "ix_windows_look_until",
    windows.c.look_until,
    sqlite_where=windows.c.look_until.is_not(None),
    postgresql_where=windows.c.look_until.is_not(None),
)

results = Table(
    "results",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("window_id", ForeignKey("windows.id"), nullable=False),
    Column("segment", Text, nullable=False),
    Column("baseline_id", ForeignKey("baselines.id"), nullable=False),
    Column("verdict", Text, nullable=False),
    # Null where not defined.
    Column("p_value", Float),
    Column("alpha", Float, nullable=False),
    Column("jsd", Float),
    Column("n_rows", BigInteger, nullable=False),
    Column("n_failed", BigInteger, nullable=False),
    Column("histogram", JSON, nullable=False),
    # The long ones last: SQLite reads a row from its start.
    Column("document", JSON, nullable=False),
    Column("sketch", LargeBinary),
    UniqueConstraint("window_id", "segment"),
)

changes = Table(
    "changes",
    metadata,
    # What a page shows of every window, beside `results`: there it would stand behind the document, which
    # SQLite would read through to get at it.
    Column("result_id", ForeignKey("results.id"), primary_key=True, autoincrement=False),
    # The share of rows that changed, with its interval; null where it is not known.
    Column("share", Float),
    Column("share_low", Float),
    Column("share_high", Float),
    # Of the test that decided: of the windows together, where these did.
    Column("p_value", Float),
    Column("kinds", JSON, nullable=False),
    # The shift that was found after the window, and whether only pooled windows show it.
    Column("began", Instant),
    Column("ended", Instant),
    Column("is_pooled", Boolean, nullable=False, server_default=false()),
)

failures = Table(
    "failures",
    metadata,
    Column("window_id", ForeignKey("windows.id"), primary_key=True, autoincrement=False),
    Column("reason", Text, primary_key=True),
    Column("n_rows", BigInteger, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("feature", Text, nullable=False),
    Column("window_start", Instant),
    Column("window_end", Instant),
    Column("segment", Text),
    Column("rule", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("dedup_key", Text, nullable=False, unique=True),
    Column("message", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("resolved_at", Instant),
    Index("ix_alerts_feature_window_start", "feature", "window_start"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("alert_id", ForeignKey("alerts.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("dedup_key", Text, nullable=False, unique=True),
    Column("attempts", Integer, nullable=False, default=0, server_default="0"),
    Column("next_attempt_at", Instant),
    Column("delivered_at", Instant),
    Column("last_error", Text),
)
Index(
    "ix_outbox_undelivered",
    outbox.c.next_attempt_at,
    sqlite_where=outbox.c.delivered_at.is_(None),
    postgresql_where=outbox.c.delivered_at.is_(None),
)

acts = Table(
    "acts",
    metadata,
    Column("id", KEY, primary_key=True),
    # What was done: see `monitor.store.acts.ActKind`.
    Column("kind", Text, nullable=False),
    Column("feature", Text, nullable=False),
    # Of what: a window or several, and the alert's `dedup_key`, where it is one.
    Column("window_start", Instant),
    Column("window_end", Instant),
    Column("alert_key", Text),
    # What it was said to be, for a mark.
    Column("mark", Text),
    Column("note", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("done_at", Instant, nullable=False),
    Index("ix_acts_feature_window_start", "feature", "window_start"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", KEY, primary_key=True),
    # Whose it is: what acts are signed with.
    Column("name", Text, nullable=False, unique=True),
    # SHA-256 of the token, which itself is nowhere: it has 256 random bits, so that it needs no salt.
    Column("digest", Text, nullable=False, unique=True),
    Column("may_act", Boolean(create_constraint=False), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)
