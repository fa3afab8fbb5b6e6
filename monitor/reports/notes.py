"""Which notes of a report say how it was made, and which ask for something."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_BACKGROUND: Final = re.compile(
    r"a window is called drifted at p |your thresholds decide|"
    r"feature '.*' is judged against (the natural variation of|how much samples of whole groups)",
    re.DOTALL,
)


def is_background(note: str) -> bool:
    """Whether a note only says by what the windows were judged.

    >>> is_background("a window is called drifted at p ≤ 0.0014"), is_background("2 rows have no time")
    (True, False)
    """
    return _BACKGROUND.match(note) is not None


def telling_notes(notes: Sequence[str]) -> tuple[str, ...]:
    """The notes that a reader must know of."""
    return tuple(note for note in notes if not is_background(note))
