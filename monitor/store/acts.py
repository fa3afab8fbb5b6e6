"""What people did about windows and alerts: rows with who and when, never changed afterwards."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from monitor.errors import InvalidInputError
from monitor.store.tables import acts

LONGEST_NOTE: Final = 2_000


class ActKind(StrEnum):
    """What was done."""

    ACKNOWLEDGE = "acknowledge"
    MARK = "mark"
    ACCEPT = "accept"
    """Windows were taken as the new normal."""


class Mark(StrEnum):
    """What a person says that windows are."""

    REAL = "real drift"
    HARMLESS = "harmless"
    BROKEN_FEED = "broken feed"
    NONE = "unmarked"
    """Takes an earlier mark back."""


@dataclass(frozen=True)
class Act:
    """One thing that one person did.

    Parameters
    ----------
    kind
        What.
    feature
        About which feature.
    who, done_at
        Who did it, and when.
    window_start, window_end
        About which windows, [start, end); None for an alert that is of none.
    alert_key
        About which alert.
    mark
        For a mark: what it says.
    note
        In the person's words, at most 2,000 characters.
    """

    kind: ActKind
    feature: str
    who: str
    done_at: dt.datetime
    window_start: dt.datetime | None = None
    window_end: dt.datetime | None = None
    alert_key: str | None = None
    mark: Mark | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if (self.mark is not None) != (self.kind is ActKind.MARK):
            raise InvalidInputError(
                f"an act of kind {self.kind} with mark {self.mark}: only a mark has one"
            )
        if len(self.note) > LONGEST_NOTE:
            raise InvalidInputError(
                f"the note has {len(self.note):,} characters: give at most {LONGEST_NOTE:,}"
            )


def add(connection: Connection, act: Act) -> None:
    """Keep what was done."""
    values = {
        "kind": str(act.kind),
        "mark": None if act.mark is None else str(act.mark),
        **{name: getattr(act, name) for name in _PLAIN},
    }
    connection.execute(acts.insert().values(**values))


def of(
    connection: Connection,
    feature: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> list[Act]:
    """What was done about a feature's windows that overlap [since, until), the latest first."""
    wanted = select(acts).order_by(acts.c.id.desc())
    if feature is not None:
        wanted = wanted.where(acts.c.feature == feature)
    if since is not None:
        wanted = wanted.where(acts.c.window_end > since)
    if until is not None:
        wanted = wanted.where(acts.c.window_start < until)
    return [_act(row) for row in connection.execute(wanted)]


def acknowledged(connection: Connection) -> dict[str, Act]:
    """By an alert's key, who acknowledged it last."""
    wanted = select(acts).where(acts.c.alert_key.is_not(None)).order_by(acts.c.id)
    return {row.alert_key: _act(row) for row in connection.execute(wanted)}


def mark_of(marks: list[Act], start: dt.datetime, end: dt.datetime) -> Act | None:
    """The mark that holds for a window: the latest that covers it, unless that takes it back.

    Examples
    --------
    >>> noon = dt.datetime(2026, 3, 5, 12, tzinfo=dt.UTC)
    >>> day = {"window_start": noon, "window_end": noon + dt.timedelta(days=1)}
    >>> mark = Act(ActKind.MARK, "photos", "ann", noon, mark=Mark.HARMLESS, **day)
    >>> mark_of([mark], noon, noon + dt.timedelta(hours=6)).mark
    <Mark.HARMLESS: 'harmless'>
    >>> mark_of([mark], noon, noon + dt.timedelta(days=2)) is None
    True
    """
    for act in marks:
        is_inside = (
            act.window_start is not None
            and act.window_end is not None
            and act.window_start <= start
            and end <= act.window_end
        )
        if act.kind is ActKind.MARK and is_inside:
            return None if act.mark is Mark.NONE else act
    return None


_PLAIN: Final = (
    "feature", "who", "done_at", "window_start", "window_end", "alert_key", "note",
)  # fmt: skip


def _act(row: Row[Any]) -> Act:
    return Act(
        ActKind(row.kind),
        mark=None if row.mark is None else Mark(row.mark),
        **{name: getattr(row, name) for name in _PLAIN},
    )
