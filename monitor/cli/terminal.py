"""What the command says, and where: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import click

from monitor.redaction import redacted, secrets_in
from monitor.terminals import fitting

_MOST_OF_A_CONFIG: Final = 2_000_000


@dataclass
class Terminal:
    """The two voices of a command; what is secret in its config passes neither.

    Parameters
    ----------
    as_json
        The result is one JSON document, and text for people is left out.
    is_debug
        An error is shown with its traceback.
    config_path
        The config that the command was given.
    if_stopped
        What to say to a person who stops the command now.
    """

    as_json: bool = False
    is_debug: bool = False
    config_path: Path | None = None
    if_stopped: str = ""

    def say(self, line: str) -> None:
        """Progress and remarks, on stderr."""
        _echo(self.redacted(line), err=True)

    def result(self, document: Mapping[str, Any], lines: Iterable[str]) -> None:
        """The result on stdout: `document` under --json, else `lines`."""
        if self.as_json:
            click.echo(json.dumps(self._redacted_values(document), indent=2, allow_nan=False))
        else:
            for line in lines:
                _echo(self.redacted(line))

    def fail(self, message: str, kind: str) -> None:
        """An error: on stderr, and under --json as the document on stdout as well."""
        self.say(f"error: {message}")
        if self.as_json:
            self.result({"error": {"type": kind, "message": message}}, [])

    def redacted(self, text: str) -> str:
        """`text` without what is secret in any URL, and in this command's config."""
        return redacted(text, self._secrets)

    @cached_property
    def _secrets(self) -> frozenset[str]:
        """From the text of the config: whoever reads a message need not know what went wrong in it."""
        try:
            with open(self.config_path or "", encoding="utf-8", errors="replace") as file:
                return secrets_in(file.read(_MOST_OF_A_CONFIG), os.environ)
        except (OSError, ValueError):
            return frozenset()

    def _redacted_values(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {self.redacted(str(key)): self._redacted_values(v) for key, v in value.items()}
        if isinstance(value, list | tuple):
            return [self._redacted_values(item) for item in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.redacted(str(value))


def _echo(text: str, *, err: bool = False) -> None:
    """Write a line; what the terminal's encoding lacks is written in ASCII or as a question mark."""
    click.echo(fitting(printable(text), sys.stderr if err else sys.stdout), err=err)


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
