"""Which notes of a report say how it was made, and which ask for something."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from monitor.drift import Verdict
from monitor.reports.findings import WindowDrift
from monitor.reports.sentences import drifted
from monitor.reports.wording import period, plural

_BACKGROUND: Final = re.compile(
    r"a window is called drifted at p |your thresholds decide|"
    r"feature '.*' is judged against (the natural variation of|how much samples of whole groups)",
    re.DOTALL,
)
_OF_BASELINE: Final = re.compile(
    r"(for )?feature '.*?' (is judged against|rows are taken as independent)|"
    r"[\d.]+% of the baseline's rows have a twin|"
    r"windows of feature '.*?' hold about|how much windows of feature '.*?' differ, |"
    r"[\d,]+ of [\d,]+ rows of the baseline of feature '.*?' (are in no window|have no value)|"
    r"the [\d,]+ groups of the baseline of feature '.*?' |rows of feature '.*?' are of too many contexts|"
    r"the (baseline of|vectors of|frame has no column .*? which the baseline of) feature '.*?' ",
    re.DOTALL,
)
"""What is said of a feature's baseline; the match is the kind of note."""


def is_background(note: str) -> bool:
    """Whether a note only says by what the windows were judged.

    >>> is_background("a window is called drifted at p ≤ 0.0014"), is_background("2 rows have no time")
    (True, False)
    """
    return _BACKGROUND.match(note) is not None


def joined_notes(notes: Iterable[tuple[Sequence[str], bool]]) -> tuple[str, ...]:
    """The notes of one feature's results as those of one report, each once.

    What is said of a baseline holds for the newest one only, which is the report's, and as its newest window
    says it.

    Parameters
    ----------
    notes
        Those of each window, the oldest first, and whether it was held against the newest one's baseline.

    Examples
    --------
    >>> before = "for feature 'v' rows are taken as independent: …"
    >>> after = "feature 'v' is judged against the natural variation of 14 windows"
    >>> joined_notes([(["a clock is wrong", before], False), ([after], True)])
    ('a clock is wrong', "feature 'v' is judged against the natural variation of 14 windows")
    """
    joined: dict[str, str] = {}
    for of_window, is_of_newest in notes:
        for note in of_window:
            kind = _OF_BASELINE.match(note)
            if kind is None:
                joined[note] = note
            elif is_of_newest:
                joined[kind.group()] = note
    return tuple(joined.values())


def telling_notes(notes: Sequence[str]) -> tuple[str, ...]:
    """The notes that a reader must know of."""
    return tuple(note for note in notes if not is_background(note))


def window_notes(windows: Sequence[WindowDrift], most: int) -> tuple[str, ...]:
    """What must be known of single windows, each with its time: of those that drifted, then of the newest.

    Parameters
    ----------
    windows
        Of one feature, without segments, in the order of time.
    most
        So many windows; how many more have notes is told.
    """
    noted = [window for window in windows if window.notes]
    calm = [w for w in reversed(noted) if w.judgement.verdict is not Verdict.DRIFT]
    chosen = [*drifted(noted), *calm][:most]
    lines = [
        f"{period(window.start, window.end)}: {note}" for window in chosen for note in window.notes
    ]
    if left := len(noted) - len(chosen):
        lines.append(f"{plural(left, 'more window')} with notes of the kind: the report holds them")
    return tuple(lines)
