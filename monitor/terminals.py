"""Text ─► what a terminal can print."""

from __future__ import annotations

import sys
from typing import Final, TextIO

_IN_ASCII: Final = str.maketrans(
    {
        "≤": "<=", "≥": ">=", "–": "-", "—": "-", "…": "...", "−": "-", "×": "x", "→": "->", "·": ".",
        "\u202f": " ", "\u00a0": " ", "“": '"', "”": '"', "‘": "'", "’": "'",
    }
)  # fmt: skip


def fitting(text: str, stream: TextIO | None = None) -> str:
    """`text` as `stream`, by default stdout, can print it: in ASCII or with question marks where it cannot.

    Examples
    --------
    >>> import io
    >>> fitting("p ≤ 0.05 – Köln", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    'p <= 0.05 - K?ln'
    """
    encoding = getattr(stream or sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_IN_ASCII).encode(encoding, "replace").decode(encoding)
    return text
