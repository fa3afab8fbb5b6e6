"""What the command says, and where: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click


@dataclass
class Terminal:
    """The two voices of a command.

    Parameters
    ----------
    as_json
        The result is one JSON document, and text for people is left out.
    is_debug
        An error is shown with its traceback.
    """

    as_json: bool = False
    is_debug: bool = False

    def say(self, line: str) -> None:
        """Progress and remarks, on stderr."""
        click.echo(printable(line), err=True)

    def result(self, document: Mapping[str, Any], lines: Iterable[str]) -> None:
        """The result on stdout: `document` under --json, else `lines`."""
        if self.as_json:
            click.echo(json.dumps(document, indent=2, default=str, allow_nan=False))
        else:
            for line in lines:
                click.echo(printable(line))

    def fail(self, message: str, kind: str) -> None:
        """An error: on stderr, and under --json as the document on stdout as well."""
        self.say(f"error: {message}")
        if self.as_json:
            click.echo(json.dumps({"error": {"type": kind, "message": message}}, indent=2))


def printable(text: str) -> str:
    """`text` without control characters, which names and addresses in the data may hold.

    Examples
    --------
    >>> printable("http://a/\x1b[2J.png")
    'http://a/�[2J.png'
    """
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines of aligned columns under their names.

    Examples
    --------
    >>> table(["name", "rows"], [["photo", 12]])
    ['name   rows', 'photo  12']
    """
    cells = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def counted(n: int, noun: str) -> str:
    """A number and its noun.

    Examples
    --------
    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
