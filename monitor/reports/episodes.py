"""Episodes: a shift with its first window, the windows that belong to it, and its last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
class Episode:
    """A shift of one feature, from its first window to its last.

    Parameters
    ----------
    feature
        The feature's name.
    start, end
        Start of its first window and end of its last one, in the zone whose days windows are.
    n_windows
        Its windows with rows.
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
    runs = runs_of([(w, w.judgement.is_by_pooled_test) for w in filled])
    return tuple(
        _episode(filled[first : last + 1], goes_on=last == len(filled) - 1) for first, last in runs
    )


def can_belong(window: WindowDrift) -> bool:
    """Whether a window may belong to an episode: it has a time, and rows with vectors."""
    return window.start is not None and window.n_rows > window.n_failed


def runs_of(filled: Sequence[tuple[Spanned, bool]]) -> list[tuple[int, int]]:
    """First and last window of each episode.

    Parameters
    ----------
    filled
        The windows of one feature that have rows, in the order of time; each with whether only several
        windows together show its drift.
    """
    runs: list[tuple[int, int]] = []
    for at, (window, is_pooled) in enumerate(filled):
        if window.began is None:
            continue
        began, ended = window.began, window.ended
        first = next(
            i for i, (w, _) in enumerate(filled) if i == at or (w.start and w.start >= began)
        )
        last = at
        if ended is not None:
            last = max((i for i in range(at) if _ends_by(filled[i][0], ended)), default=first)
        while runs and first <= runs[-1][1] + 1:
            earlier, its_last = runs.pop()
            # The newest estimate of both ends: windows were taken for part of it while that was not clear.
            if ended is None:
                last = max(last, its_last)
                if not is_pooled or first > its_last:
                    first = min(first, earlier)
        runs.append((first, last))
    return runs


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


def _ends_by(window: Spanned, instant: dt.datetime) -> bool:
    return window.end is not None and window.end <= instant


def _episode(windows: Sequence[WindowDrift], *, goes_on: bool) -> Episode:
    start, end = windows[0].start, windows[-1].end
    assert start is not None
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
        start=start,
        end=end,
        n_windows=len(windows),
        n_alone=sum(not w.judgement.is_by_pooled_test for w in drifted),
        goes_on=goes_on,
        changed_share=max(shares),
        kinds=tuple(dict.fromkeys(str(kind) for w in drifted for kind in w.kinds)),
    )
