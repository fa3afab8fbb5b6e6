"""Episodes of a feature, from the lines of its windows: no document is read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.reports.episodes import Judged, runs_of
from monitor.store import acts
from monitor.store.acts import Act
from monitor.store.lines import WindowLine


@dataclass(frozen=True)
class EpisodeLine:
    """A shift of a feature, from its first window to its last.

    Parameters
    ----------
    start, end
        Start of its first window and end of its last one, in UTC.
    n_windows
        Its windows with rows.
    goes_on
        Whether the newest window with rows belongs to it.
    share
        The largest changed share of its windows, 0 to 1; None where not known.
    kinds
        What it looks like.
    lead
        The window that shows it best.
    mark
        What a person said that all of it is.
    """

    start: dt.datetime
    end: dt.datetime
    n_windows: int
    goes_on: bool
    share: float | None
    kinds: tuple[str, ...]
    lead: WindowLine
    mark: Act | None

    def covers(self, start: dt.datetime) -> bool:
        """Whether the window that starts then belongs to it."""
        return self.start <= start < self.end


def episodes_of(windows: Sequence[WindowLine], marks: list[Act]) -> tuple[EpisodeLine, ...]:
    """Those of these windows of one feature, oldest first, as both are."""
    filled = [w for w in windows if w.segment is None and w.n_rows > w.n_failed]
    return tuple(
        _episode(filled[first : last + 1], last == len(filled) - 1, marks)
        for first, last in runs_of([Judged(w, w.verdict == "drift", w.is_pooled) for w in filled])
    )


def _episode(windows: Sequence[WindowLine], goes_on: bool, marks: list[Act]) -> EpisodeLine:
    start, end = windows[0].start, windows[-1].end
    drifted = [w for w in windows if w.verdict == "drift"] or list(windows)
    lead = max(drifted, key=lambda w: (not w.is_pooled, w.share or 0.0, w.start))
    return EpisodeLine(
        start=start,
        end=end,
        n_windows=len(windows),
        goes_on=goes_on,
        share=max((w.share for w in drifted if w.share is not None), default=None),
        kinds=tuple(dict.fromkeys(kind for w in drifted for kind in w.kinds)),
        lead=lead,
        mark=acts.mark_of(marks, start, end),
    )
