"""Windows in a row that shifted in the same way, as one shift: what is told once on a page.

An episode is dated by the tests that pool windows, and holds calm ones; a shift holds windows that are red
themselves, broken feeds and segments among them, and ends where their reason changes. Of one episode there is
one shift, with the same first and last day, unless the reason changes within it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.drift import ShiftKind
from monitor.reports.episodes import Episode, can_belong, episode_at, episodes_of
from monitor.reports.findings import FeatureSummary, Findings, WindowDrift
from monitor.reports.sentences import broken, drifted, overall, severity


@dataclass(frozen=True)
class Shift:
    """Windows in a row that shifted in the same way.

    Parameters
    ----------
    windows
        Those that show it, in the order of time, one or more.
    lead
        The one that shows it best.
    n_after
        How many windows of the feature with rows came after it.
    start, end
        When it was, from the start of its first window to the end of its last, calm ones at its ends among
        them; None for rows without times.
    """

    windows: tuple[WindowDrift, ...]
    lead: WindowDrift
    n_after: int
    start: dt.datetime | None
    end: dt.datetime | None


def shifts(windows: Sequence[WindowDrift]) -> tuple[Shift, ...]:
    """What shifted in these windows of one feature or segment, the most urgent first.

    A shift that the newest window still shows comes before those that are over, and then the clearest.
    """
    found = episodes_of(windows)
    held = [episode_at(found, window) for window in windows]
    runs: list[list[int]] = []
    shown = {id(w) for w in (*drifted(windows), *broken(windows))}
    for at, window in enumerate(windows):
        if id(window) in shown:
            run = _run_before(windows, held, runs, at)
            run.append(at)
            runs = _met(windows, held, runs, run)
    return tuple(sorted((_shift(windows, held, runs, run) for run in runs), key=_urgency))


def _run_before(
    windows: Sequence[WindowDrift], held: Sequence[Episode | None], runs: list[list[int]], at: int
) -> list[int]:
    """The run that this window goes on with; a new one where there is none.

    Calm, empty and broken windows between two of one episode do not part them.
    """
    for run in reversed(runs):
        last = run[-1]
        is_near = last == at - 1 or (held[at] is not None and held[last] is held[at])
        if is_near and _is_one_shift(windows[last], windows[at]):
            return run
    runs.append([])
    return runs[-1]


def _met(
    windows: Sequence[WindowDrift],
    held: Sequence[Episode | None],
    runs: list[list[int]],
    run: list[int],
) -> list[list[int]]:
    """The runs, where this one is one with those of its episode that its newest window reaches back into."""
    at = run[-1]
    met = [
        other
        for other in runs
        if other is not run
        and held[at] is not None
        and held[other[-1]] is held[at]
        and _reaches(windows[other[-1]], windows[at])
    ]
    if not met:
        return runs
    apart = [other for other in runs if other is not run and other not in met]
    return [*apart, sorted(i for part in (*met, run) for i in part)]


def _shift(
    windows: Sequence[WindowDrift],
    held: Sequence[Episode | None],
    runs: Sequence[Sequence[int]],
    run: Sequence[int],
) -> Shift:
    """A run of windows as a shift, which starts and ends with its episode where no other run does."""
    mine, last = tuple(windows[at] for at in run), run[-1]
    lead = min(mine, key=_telling)
    if kind_of(lead)[0] is ShiftKind.BROKEN_FEED:
        # Its episode is when the vectors drifted.
        return Shift(mine, lead, len(windows) - 1 - last, mine[0].start, mine[-1].end)
    start, end = _begin(mine), mine[-1].end
    same = [other for other in runs if held[other[0]] is held[last]]
    if (first_held := held[run[0]]) is not None and min(other[0] for other in same) == run[0]:
        start = first_held.start
    if (last_held := held[last]) is not None and max(other[-1] for other in same) == last:
        end = last_held.end
        last = max(at for at, episode in enumerate(held) if episode is last_held)
    # An empty window does not show that a shift is over.
    n_after = sum(can_belong(window) for window in windows[last + 1 :])
    return Shift(mine, lead, n_after, start, end)


def _begin(windows: Sequence[WindowDrift]) -> dt.datetime | None:
    known = [at for w in windows for at in (w.start, w.began) if at is not None]
    return min(known, default=None)


def report_shifts(report: Findings) -> tuple[tuple[Shift, FeatureSummary], ...]:
    """What shifted in the whole report, the most urgent first, each with its feature.

    Segments tell only where no feature as a whole shifted.
    """
    by_feature = {
        summary.name: (summary, tuple(w for w in report.windows if w.feature == summary.name))
        for summary in report.features
    }
    pairs = [
        (shift, summary) for summary, mine in by_feature.values() for shift in shifts(overall(mine))
    ]
    if not pairs:
        pairs = [
            (shift, summary)
            for summary, mine in by_feature.values()
            for value in dict.fromkeys(w.segment for w in mine if w.segment is not None)
            for shift in shifts([w for w in mine if w.segment == value])
        ]
    return tuple(sorted(pairs, key=lambda pair: _urgency(pair[0])))


def kind_of(window: WindowDrift) -> tuple[ShiftKind | None, str]:
    """The first word on a window's shift, and the cause that goes with it; "" where that is not known."""
    kind = window.kinds[0] if window.kinds else None
    cause = "" if window.change is None or kind is not window.change.kind else window.change.cause
    return kind, cause


def is_technical(window: WindowDrift) -> bool:
    """Whether a window's images were changed by what is between camera and model."""
    return window.change is not None and window.change.kind is ShiftKind.TECHNICAL


def _is_one_shift(before: WindowDrift, window: WindowDrift) -> bool:
    """Whether two neighbours shifted in the same way, or the later one's shift began with the earlier."""
    (kind, cause), (its_kind, its_cause) = kind_of(before), kind_of(window)
    # A cause that is not told from another on one day may be on the next.
    is_one_cause = not set(cause.split(" or ")).isdisjoint(its_cause.split(" or "))
    if kind is its_kind and is_one_cause:
        return True
    return _reaches(before, window)


def _reaches(before: WindowDrift, window: WindowDrift) -> bool:
    """Whether the later one's shift began with the earlier one, or before it."""
    if ShiftKind.BROKEN_FEED in (kind_of(before)[0], kind_of(window)[0]):
        return False
    began, start = window.began, before.start
    return began is not None and start is not None and began <= start


def _telling(window: WindowDrift) -> tuple[bool, float, tuple[bool, bool, float, float]]:
    is_together = window.judgement.deciding_pooled_test is not None
    share = 0.0 if window.change is None or is_together else window.change.share
    return is_together, -share, severity(window)


def _urgency(shift: Shift) -> tuple[bool, tuple[bool, bool, float, float]]:
    return shift.n_after > 0, severity(shift.lead)


@dataclass(frozen=True)
class Run:
    """A window, or neighbours without a row of which the same is said.

    Parameters
    ----------
    first, last
        The same for a single window.
    n
        How many windows they are.
    """

    first: WindowDrift
    last: WindowDrift
    n: int = 1


def runs(windows: Sequence[WindowDrift]) -> tuple[Run, ...]:
    """The windows in their order, where neighbours without a row are one."""
    made: list[Run] = []
    for window in windows:
        if made and _is_same_silence(made[-1].last, window):
            made[-1] = Run(made[-1].first, window, made[-1].n + 1)
        else:
            made.append(Run(window, window))
    return tuple(made)


def _is_same_silence(before: WindowDrift, window: WindowDrift) -> bool:
    """Whether neither has a row, and the same is said of both."""
    return (
        before.n_rows == window.n_rows == 0
        and (before.feature, before.segment) == (window.feature, window.segment)
        and before.kinds == window.kinds
        and before.judgement.verdict is window.judgement.verdict
        and before.judgement.reason == window.judgement.reason
    )
