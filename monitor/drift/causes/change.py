"""What happened to a window, in values: its kind, its cause where one is known, and the rows that changed."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.clusters import Example
from monitor.drift.judgement import ShiftKind


@dataclass(frozen=True)
class Change:
    """What happened to the rows of a window.

    Parameters
    ----------
    kind
        What it is, before all else.
    cause
        What was done to the images, in words such as "red and blue swapped", or "cropped or squashed" where
        these are not told apart, or the pixel statistic that moved, such as "sharpness fell"; "" where that
        is not known.
    share, low, high
        The share of rows that changed, in [0, 1], with an interval of about 95 %.
    """

    kind: ShiftKind
    cause: str
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class ChangedRow:
    """A row of the window that changed.

    Parameters
    ----------
    example
        Where it is found; its distance is that to the nearest known row.
    score
        How likely it is one of those that changed, in [0, 1].
    group
        The number of its group.
    nearest
        The row of the baseline that it is most like; None where that is not known.
    """

    example: Example
    score: float
    group: int
    nearest: Example | None = None


@dataclass(frozen=True)
class ChangedGroup:
    """Changed rows that are alike, or rows of the baseline that have no counterpart any more.

    Parameters
    ----------
    share
        Of the window's rows, in [0, 1]: the group's part of the listed rows, of the share that changed; of
        the baseline's rows for what vanished.
    examples
        Those that changed most surely, of equally sure ones those nearest to the group's middle, at most 12.
    name
        What they show, in a few words; "" where nothing names them well enough.
    words
        The three words that fit best, the likeliest first, also where none fits well enough.
    n
        How many of the listed rows the group has.
    """

    share: float
    examples: tuple[Example, ...]
    name: str = ""
    words: tuple[str, ...] = ()
    n: int = 0
