"""Who judges which window: rows of work, claimed one at a time, under a lease and a token.

A claim raises the row's token. A worker that stalls past its lease loses the window to the next claim,
and its late result is refused, because its token is no longer the row's.
(Kleppmann 2017, *Designing Data-Intensive Applications*, ch. 8, "fencing tokens".)
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, exists, or_, select, update

from monitor.errors import LeaseLostError
from monitor.store.rows import feature_id, insert_if_absent
from monitor.store.series import adopt
from monitor.store.tables import DROPPED, DUE, FAILED, features, windows
from monitor.windows import Grid, Window

_LONGEST_ERROR: Final = 2_000
_UNKEEPABLE: Final = re.compile("[\0\ud800-\udfff]")
"""What no database takes: an error may quote a cell that has it."""


@dataclass(frozen=True)
class Claim:
    """One revision of a feature's window, which this worker may judge.

    Parameters
    ----------
    window_id
        Its row.
    feature
        The feature's name.
    period
        The window.
    revision
        1, and one more each time that rows came late.
    token
        What shows that the claim still holds; larger than that of any claim before.
    attempt
        1 for the first claim of this row.
    due_since
        When it was noted as due.
    """

    window_id: int
    feature: str
    period: Window
    revision: int
    token: int
    attempt: int
    due_since: dt.datetime


def add_due(
    connection: Connection, feature: str, due: Iterable[Window], grid: Grid, now: dt.datetime
) -> None:
    """Note the first revision of each of these windows as due; those that are there stay as they are."""
    adopt(connection, feature, grid, now)
    owner = feature_id(connection, feature, now)
    rows = [_new_row(owner, window, 1, str(grid), now) for window in due]
    insert_if_absent(connection, windows, rows)


def known(
    connection: Connection, feature: str, since: dt.datetime
) -> tuple[dt.datetime | None, set[Window]]:
    """When the store first heard of a feature, and its windows that start at `since` or later.

    Windows of another grid do not count.
    """
    first = connection.execute(
        select(features.c.id, features.c.grid, features.c.created_at).where(
            features.c.name == feature
        )
    ).first()
    if first is None:
        return None, set()
    rows = connection.execute(
        select(windows.c.window_start, windows.c.window_end).where(
            windows.c.feature_id == first.id,
            windows.c.window_start >= since,
            windows.c.grid == first.grid,
        )
    )
    return first.created_at, {Window(*row) for row in rows}


def looked_after(connection: Connection, names: Sequence[str]) -> Sequence[Row[Any]]:
    """The judged windows that are still looked for rows that come late, with their features' names."""
    return connection.execute(
        select(windows, features.c.name)
        .join(features, features.c.id == windows.c.feature_id)
        .where(windows.c.look_until.is_not(None), features.c.name.in_(names))
        .order_by(windows.c.window_start)
    ).all()


def look_no_more(connection: Connection, window_id: int) -> None:
    """Look for no more late rows of this window."""
    connection.execute(update(windows).where(windows.c.id == window_id).values(look_until=None))


def add_revision(connection: Connection, window_id: int, now: dt.datetime) -> None:
    """Note the next revision of a judged window as due, unless it is there already.

    It will be looked after from then on in place of this one.
    """
    judged = connection.execute(select(windows).where(windows.c.id == window_id)).one()
    window = Window(judged.window_start, judged.window_end)
    row = _new_row(judged.feature_id, window, judged.revision + 1, judged.grid, now)
    insert_if_absent(connection, windows, [row])
    look_no_more(connection, window_id)


def claim_next(
    connection: Connection,
    names: Sequence[str],
    *,
    owner: str,
    now: dt.datetime,
    lease: dt.timedelta,
    max_attempts: int,
) -> Claim | None:
    """Take the earliest window that may be judged now; None if there is none.

    The windows of a feature are judged in the order of time, because a verdict may rest on the windows
    before it. One that is being judged holds up the later ones; one that failed, or has no rows yet,
    does not. A row whose workers died `max_attempts` times is given up.

    Parameters
    ----------
    connection
        A transaction that writes.
    names
        The features.
    owner
        Who asks, for people to read.
    now, lease
        The claim holds until `now + lease`.
    max_attempts
        1 or more.
    """
    while (row := connection.execute(_claimable(names, now)).first()) is not None:
        # Whoever gives a window back leaves no owner behind.
        if row.lease_owner is None or row.attempts < max_attempts:
            break
        given_up = f"given up: the workers of {row.attempts} attempts ended without a word"
        connection.execute(
            update(windows)
            .where(windows.c.id == row.id)
            .values(state=FAILED, last_error=given_up, lease_owner=None, lease_until=None)
        )
    else:
        return None
    claim = Claim(
        window_id=row.id,
        feature=row.name,
        period=Window(row.window_start, row.window_end),
        revision=row.revision,
        token=row.token + 1,
        attempt=row.attempts + 1,
        due_since=row.created_at,
    )
    connection.execute(
        update(windows)
        .where(windows.c.id == row.id)
        .values(
            token=claim.token, attempts=claim.attempt, lease_owner=owner, lease_until=now + lease
        )
    )
    return claim


def renew(connection: Connection, claim: Claim, until: dt.datetime) -> None:
    """Hold the claim until `until`.

    Raises
    ------
    LeaseLostError
        If another worker has taken the window over.
    """
    hold(connection, claim)
    connection.execute(
        update(windows).where(windows.c.id == claim.window_id).values(lease_until=until)
    )


def give_back(
    connection: Connection, claim: Claim, error: str, not_before: dt.datetime | None
) -> None:
    """Say why the window could not be judged; it is tried again from `not_before` on, or given up.

    Raises
    ------
    LeaseLostError
        If another worker has taken the window over.
    """
    hold(connection, claim)
    connection.execute(
        update(windows)
        .where(windows.c.id == claim.window_id)
        .values(
            state=FAILED if not_before is None else DUE,
            last_error=_UNKEEPABLE.sub("\N{REPLACEMENT CHARACTER}", error[:_LONGEST_ERROR]),
            not_before=not_before,
            lease_owner=None,
            lease_until=None,
        )
    )


def postpone(connection: Connection, claim: Claim, why: str, not_before: dt.datetime) -> None:
    """Put the window off until `not_before`, as if it had not been claimed.

    Raises
    ------
    LeaseLostError
        If another worker has taken the window over.
    """
    give_back(connection, claim, why, not_before)
    connection.execute(
        update(windows).where(windows.c.id == claim.window_id).values(attempts=claim.attempt - 1)
    )


def put_aside(connection: Connection, claim: Claim, why: str) -> None:
    """Have the window judged no more, without calling that a failure; `retry_failed` makes it due again.

    Raises
    ------
    LeaseLostError
        If another worker has taken the window over.
    """
    give_back(connection, claim, why, None)
    connection.execute(update(windows).where(windows.c.id == claim.window_id).values(state=DROPPED))


def release(connection: Connection, claim: Claim) -> None:
    """Give an unfinished window back as if it had not been claimed; one that was lost stays lost."""
    connection.execute(
        update(windows)
        .where(windows.c.id == claim.window_id, windows.c.token == claim.token)
        .values(attempts=claim.attempt - 1, lease_owner=None, lease_until=None)
    )


def retry_failed(connection: Connection, names: Sequence[str]) -> int:
    """Make the windows that were given up or put aside due again; return how many there were."""
    ids = select(features.c.id).where(features.c.name.in_(names))
    # Windows that another grid has put aside come back with theirs.
    is_of_grid = exists().where(
        features.c.id == windows.c.feature_id, features.c.grid == windows.c.grid
    )
    is_to_retry = (windows.c.state == FAILED) | ((windows.c.state == DROPPED) & is_of_grid)
    done = connection.execute(
        update(windows)
        .where(is_to_retry, windows.c.feature_id.in_(ids))
        .values(state=DUE, attempts=0, not_before=None)
    )
    return int(done.rowcount)


def hold(connection: Connection, claim: Claim) -> Row[Any]:
    """The claim's row, locked for this transaction.

    Raises
    ------
    LeaseLostError
        If another worker has taken the window over.
    """
    row = connection.execute(
        select(windows).where(windows.c.id == claim.window_id).with_for_update()
    ).one()
    if row.state == DROPPED:
        raise LeaseLostError(
            f"the window {claim.period.start.isoformat()} of feature {claim.feature!r} is due no more: "
            "the config has other windows now, or no such feature, or too few rows come before it"
        )
    if row.token != claim.token or row.state != DUE:
        raise LeaseLostError(
            f"the window {claim.period.start.isoformat()} of feature {claim.feature!r} was taken over "
            f"by another worker (token {row.token}, ours was {claim.token}): this result is refused; "
            "if that happens often, give a longer schedule.lease_seconds"
        )
    return row


def _claimable(names: Sequence[str], now: dt.datetime) -> Any:
    earlier = windows.alias()
    waits_for_none = ~exists(
        select(earlier.c.id).where(
            earlier.c.feature_id == windows.c.feature_id,
            earlier.c.state == DUE,
            # Not tried yet, or being tried.
            or_(earlier.c.not_before.is_(None), earlier.c.lease_until > now),
            or_(
                earlier.c.window_start < windows.c.window_start,
                # Two revisions of one window.
                and_(earlier.c.window_start == windows.c.window_start, earlier.c.id < windows.c.id),
            ),
        )
    )
    return (
        select(windows, features.c.name)
        .join(features, features.c.id == windows.c.feature_id)
        .where(
            windows.c.state == DUE,
            features.c.name.in_(names),
            or_(windows.c.lease_until.is_(None), windows.c.lease_until <= now),
            or_(windows.c.not_before.is_(None), windows.c.not_before <= now),
            waits_for_none,
        )
        .order_by(windows.c.window_start, windows.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=windows)
    )


def _new_row(
    owner: int, window: Window, revision: int, grid: str, now: dt.datetime
) -> dict[str, Any]:
    return {
        "feature_id": owner,
        "window_start": window.start,
        "window_end": window.end,
        "revision": revision,
        "grid": grid,
        "state": DUE,
        "is_current": False,
        "token": 0,
        "attempts": 0,
        "created_at": now,
    }
