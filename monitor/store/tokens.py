"""Tokens of people and programs that read the page: the store keeps what checks one, never the token."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from monitor.errors import InvalidInputError, StoreError
from monitor.store.tables import tokens

PREFIX: Final = "mon_"
"""So that scanners for leaked secrets can know one."""
_LONGEST_NAME: Final = 100


@dataclass(frozen=True)
class Token:
    """What the store knows of one.

    Parameters
    ----------
    name
        Whose it is.
    may_act
        Whether it may do more than read.
    created_at, revoked_at
        When it was made, and when it was taken back; None while it holds.
    """

    name: str
    may_act: bool
    created_at: dt.datetime
    revoked_at: dt.datetime | None


def create(connection: Connection, name: str, now: dt.datetime, *, may_act: bool = True) -> str:
    """A new token, which is shown once and kept nowhere.

    Raises
    ------
    InvalidInputError
        If the name is empty, too long, or holds control characters.
    StoreError
        If there is, or was, a token of this name: acts are signed with it.
    """
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidInputError(
            f"a token needs a name of 1 to {_LONGEST_NAME} printable characters, such as whose it is; "
            f"got {name[:_LONGEST_NAME]!r}"
        )
    token = PREFIX + secrets.token_urlsafe(32)
    row = {
        "name": name, "digest": _digest(token), "may_act": may_act, "created_at": now,
    }  # fmt: skip
    if connection.execute(select(tokens.c.id).where(tokens.c.name == name)).first():
        raise StoreError(f"there is, or was, a token named {name!r}: give another name")
    connection.execute(tokens.insert().values(**row))
    return token


def check(connection: Connection, token: str) -> Token | None:
    """Whose token this is; None if it is nobody's, or was taken back."""
    # Digests are compared, so that the time of a look-up tells nothing of a token.
    row = connection.execute(
        select(tokens).where(tokens.c.digest == _digest(token), tokens.c.revoked_at.is_(None))
    ).one_or_none()
    return None if row is None else _token(row)


def revoke(connection: Connection, name: str, now: dt.datetime) -> None:
    """Take a token back.

    Raises
    ------
    StoreError
        If no token of this name holds.
    """
    holds = (tokens.c.name == name) & tokens.c.revoked_at.is_(None)
    if not connection.execute(update(tokens).where(holds).values(revoked_at=now)).rowcount:
        names = ", ".join(token.name for token in every(connection) if token.revoked_at is None)
        raise StoreError(f"no token named {name!r} holds; those that do: {names or 'none'}")


def every(connection: Connection) -> list[Token]:
    """All tokens, the oldest first."""
    return [_token(row) for row in connection.execute(select(tokens).order_by(tokens.c.id))]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: Row[Any]) -> Token:
    return Token(row.name, row.may_act, row.created_at, row.revoked_at)
