"""Cells ─► text that can be written anywhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from monitor.empty_cells import is_missing
from monitor.frames import table


def read_texts(frame: Any, column: str) -> list[str | None]:
    """The cells of `column` as text, numbers too; None for empty cells, lists and arrays.

    Raises
    ------
    MissingColumnError
        If there is no such column.
    """
    return [
        None if is_missing(cell) or is_compound(cell) else text_of(cell)
        for cell in table.cells(frame, column)
    ]


def is_compound(cell: Any) -> bool:
    """Whether a cell holds several values."""
    return isinstance(cell, np.ndarray | list | tuple | set | dict)


def text_of(cell: Any) -> str:
    """A single value as text: a whole number without decimals, and nothing that UTF-8 or a database refuses.

    Half an emoji, as JavaScript cuts texts, and NUL become the sign for what cannot be shown. Bytes are text
    in UTF-8, as some writers of Parquet leave it.

    >>> text_of(300.0), text_of("b\\ud83d"), text_of("a\\0"), text_of(b"de")
    ('300', 'b\ufffd', 'a\ufffd', 'de')
    """
    if isinstance(cell, bytes):
        return cell.decode(errors="replace").replace("\0", "\ufffd")
    # A column of whole numbers turns to floats as soon as one of its cells is empty.
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = str(cell)
    if text.isascii():
        return text.replace("\0", "\ufffd")
    return (
        text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
    )
