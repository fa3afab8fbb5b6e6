"""A SQL text, read far enough to know its bounds and its end."""

from __future__ import annotations

import re
from typing import Final

_PIECE: Final = re.compile(
    r"""
    (?P<line_comment> --[^\n]* )
    | (?P<comment> /\*.*?\*/ )
    | (?P<quoted>
        [eE](?<![\w][eE])'(?:[^'\\]|\\.|'')*'    # PostgreSQL's text with backslashes
        | '(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*`
        | (?P<dollars>\$\w*\$).*?(?P=dollars)
    )
    | (?P<code> (?:(?!--|/\*|['"`]|[eE]'|\$\w*\$).)+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_BOUND: Final = re.compile(r"(?<![:\w\\]):(start|end)\b(?P<cast>::)?")
_OTHER_COLON: Final = re.compile(r"(?<!:):(?=\w)")


def bounds_in(query: str) -> set[str]:
    """Which of "start" and "end" the query compares with, comments and quoted texts aside.

    >>> bounds_in("SELECT ':end' FROM t WHERE ts >= :start::timestamp -- and ts < :end")
    {'start'}
    """
    return {
        match[1]
        for kind, text in _pieces(query)
        if kind == "code"
        for match in _BOUND.finditer(text)
    }


def prepared(query: str) -> str:
    """The query for SQLAlchemy's `text`, ready to be put in brackets.

    Comments and the semicolon at its end are gone; colons in quoted texts and comments are no parameters; a
    bound may be cast with `::`, which SQLAlchemy takes for another thing.

    >>> prepared("SELECT '12 :start' FROM t WHERE ts >= :start::date; -- done")
    "SELECT '12 \\\\:start' FROM t WHERE ts >= (:start)::date"
    """
    pieces = _pieces(query)
    while pieces and (pieces[-1][0].endswith("comment") or not pieces[-1][1].rstrip("; \t\r\n")):
        pieces.pop()
    written = []
    for kind, text in pieces:
        if kind == "code":
            written.append(_BOUND.sub(lambda m: f"(:{m[1]})::" if m["cast"] else m[0], text))
        else:
            written.append(_OTHER_COLON.sub(r"\\:", text))
    return "".join(written).strip().rstrip("; \t\r\n")


def _pieces(query: str) -> list[tuple[str, str]]:
    """The query in pieces: line_comment, comment, quoted or code, and the text of each."""
    kinds = ("line_comment", "comment", "quoted", "code")
    return [
        (next(kind for kind in kinds if match[kind] is not None), match[0])
        for match in _PIECE.finditer(query)
    ]
