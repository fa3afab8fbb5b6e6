"""Episodes: a shift with its first window, the windows that belong to it, and its last."""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from monitor.drift import Verdict
from monitor.reports.findings import Findings, WindowDrift

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("feature", "start", "end", "n_windows", "n_alone", "goes_on", "changed_share", "kinds")


class Spanned(Protocol):
    """A window, and the shift that was found after it."""

    @property
    def start(self) -> dt.datetime | None: ...

    @property
    def end(self) -> dt.datetime | None: ...

    @property
    def began(self) -> dt.datetime | None: ...

    @property
    def ended(self) -> dt.datetime | None: ...


@dataclass(frozen=True)
class Judged:
    """A window, and what it was called.

    Parameters
    ----------
    window
        With the shift that was found after it.
    is_drift
        Whether it was called drifted.
    is_pooled
        Whether only several windows together show its drift.
    """

    window: Spanned
    is_drift: bool
    is_pooled: bool


@dataclass(frozen=True)
class Episode:
    """A shift of one feature, from its first window to its last.

    Parameters
    ----------
    feature
        The feature's name.
    start, end
        Start of its first window, which may lie before those at hand, and end of its last one, in the zone
        whose days windows are.
    n_windows
        Its windows with rows, of those at hand.
    n_alone
        How many of them drifted by themselves; the others show it only together.
    goes_on
        Whether the last window of the report with rows belongs to it.
    changed_share
        The largest changed share of its windows, in [0, 1].
    kinds
        What it looks like: all kinds of its windows.
    """

    feature: str
    start: dt.datetime
    end: dt.datetime
    n_windows: int
    n_alone: int
    goes_on: bool
    changed_share: float
    kinds: tuple[str, ...]

    def covers(self, window: WindowDrift) -> bool:
        """Whether a window lies within it."""
        return window.start is not None and self.start <= window.start < self.end


def episodes(report: Findings) -> tuple[Episode, ...]:
    """All episodes, by feature and in the order of time; of segments there are none."""
    names = dict.fromkeys(window.feature for window in report.windows)
    return tuple(
        episode
        for name in names
        for episode in episodes_of([w for w in report.windows if w.feature == name])
    )


def episodes_of(windows: Sequence[WindowDrift]) -> tuple[Episode, ...]:
    """Those of these windows of one feature, in the order of time.

    What began while another shift went on, or right after it, is one episode with it.
    """
    filled = [w for w in windows if w.segment is None and can_belong(w)]
    return tuple(
        _episode(filled, first, last) for first, last in runs_of([judged(w) for w in filled])
    )


def judged(window: WindowDrift) -> Judged:
    """A window of a report, as `runs_of` takes it."""
    judgement = window.judgement
    return Judged(window, judgement.verdict is Verdict.DRIFT, judgement.is_by_pooled_test)


def can_belong(window: WindowDrift) -> bool:
    """Whether a window may belong to an episode: it has a time, and rows with vectors."""
    return window.start is not None and window.n_rows > window.n_failed


def runs_of(filled: Sequence[Judged]) -> list[tuple[int, int]]:
    """First and last window of each episode, in the order of time: each drifted window is in one.

    Parameters
    ----------
    filled
        The windows of one feature that have rows, in the order of time.
    """
    row = _Row(filled)
    runs: list[tuple[int, int]] = []
    for at in range(len(filled)):
        run = row.found_after(at)
        if run is None:
            continue
        apart = []
        for earlier in runs:
            if earlier[0] <= run[1] + 1 and run[0] <= earlier[1] + 1:
                run = row.joined(at, run, earlier)
            else:
                apart.append(earlier)
        runs = sorted([*apart, run])
    return runs


class _Row:
    """Windows in the order of time, which are found by their times without looking at each."""

    def __init__(self, filled: Sequence[Judged]) -> None:
        self.filled = filled
        self.starts = [_known(judged.window.start) for judged in filled]
        self.ends = [_known(judged.window.end) for judged in filled]
        self.drifted = [at for at, judged in enumerate(filled) if judged.is_drift]

    def found_after(self, at: int) -> tuple[int, int] | None:
        """First and last window of the shift that was found after this one; None without one among these."""
        window = self.filled[at].window
        if window.began is None:
            return None
        first = min(bisect.bisect_left(self.starts, window.began), at)
        if window.ended is None:
            return first, at
        last = min(bisect.bisect_right(self.ends, window.ended), at) - 1
        return (first, last) if first <= last else None

    def joined(self, at: int, run: tuple[int, int], earlier: tuple[int, int]) -> tuple[int, int]:
        """A run that was found after a window, as one with an earlier run that it touches.

        The newest estimate of both ends holds, as windows were taken for part of it while that was not clear.
        Those that were called drifted stay in it, though: their verdicts stand.
        """
        first, last = run
        if self.filled[at].window.ended is None:
            last = max(last, earlier[1])
            if not self.filled[at].is_pooled or first > earlier[1]:
                first = min(first, earlier[0])
        from_there = bisect.bisect_left(self.drifted, earlier[0])
        up_to = bisect.bisect_right(self.drifted, earlier[1])
        told = self.drifted[from_there:up_to]
        return min([first, *told[:1]]), max([last, *told[-1:]])


def _known(instant: dt.datetime | None) -> dt.datetime:
    assert instant is not None  # as of all windows that can belong to an episode
    return instant


def dated(windows: Sequence[WindowDrift]) -> tuple[WindowDrift, ...]:
    """These windows, where `began` is the start of the episode that holds a window, and `ended` is None.

    A window by itself has what was found after it, which later ones may correct. Segments stay as they are.
    """
    names = dict.fromkeys(w.feature for w in windows)
    found = {name: episodes_of([w for w in windows if w.feature == name]) for name in names}
    return tuple(
        w if w.segment is not None else _dated(w, episode_at(found[w.feature], w)) for w in windows
    )


def episode_at(found: Iterable[Episode], window: WindowDrift) -> Episode | None:
    """Which of a feature's episodes holds a window."""
    if window.segment is not None or not can_belong(window):
        return None
    return next((episode for episode in found if episode.covers(window)), None)


def _dated(window: WindowDrift, episode: Episode | None) -> WindowDrift:
    return replace(window, began=None if episode is None else episode.start, ended=None)


def episodes_frame(found: Iterable[Episode]) -> pd.DataFrame:
    """One row per episode; times in UTC."""
    import pandas as pd

    rows = [{**_plain(episode), "kinds": ", ".join(episode.kinds)} for episode in found]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    for column in ("start", "end"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    return frame


def episodes_json(found: Iterable[Episode]) -> list[dict[str, Any]]:
    """Plain values for JSON; times in UTC."""
    return [
        {
            **_plain(episode),
            "start": episode.start.astimezone(dt.UTC).isoformat(),
            "end": episode.end.astimezone(dt.UTC).isoformat(),
            "kinds": list(episode.kinds),
        }
        for episode in found
    ]


def _plain(episode: Episode) -> dict[str, Any]:
    return {name: getattr(episode, name) for name in _COLUMNS}


def _start(filled: Sequence[WindowDrift], first: int, last: int) -> dt.datetime:
    """When an episode began: before the first window at hand where the newest estimate says so."""
    start = filled[first].start
    assert start is not None
    if first > 0:
        return start
    newest = next((w.began for w in reversed(filled[: last + 1]) if w.began is not None), start)
    return min(start, newest)


def _episode(filled: Sequence[WindowDrift], first: int, last: int) -> Episode:
    """That of these windows with rows, from its first to its last."""
    windows = filled[first : last + 1]
    end = windows[-1].end
    assert end is not None
    drifted = [w for w in windows if w.judgement.verdict is Verdict.DRIFT]
    shares = [
        (w.judgement.deciding_pooled_test or w.judgement).changed_share
        if w.change is None
        else w.change.share
        for w in drifted
    ]
    pooled = [w.judgement.pooled_test for w in windows if w.judgement.pooled_test is not None]
    if not shares:
        shares = [test.changed_share for test in pooled if test.is_drift] or [0.0]
    return Episode(
        feature=windows[0].feature,
        start=_start(filled, first, last),
        end=end,
        n_windows=len(windows),
        n_alone=sum(not w.judgement.is_by_pooled_test for w in drifted),
        goes_on=last == len(filled) - 1,
        changed_share=max(shares),
        kinds=tuple(dict.fromkeys(str(kind) for w in drifted for kind in w.kinds)),
    )
