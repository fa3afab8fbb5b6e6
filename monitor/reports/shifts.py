"""Windows in a row that shifted in the same way, as one shift: what is told once on a page.

No episode: an episode is dated by the tests that pool windows, and holds calm ones; a shift holds windows
that are red themselves, broken feeds and segments among them, and ends where their reason changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.drift import ShiftKind
from monitor.reports.findings import FeatureSummary, Findings, WindowDrift
from monitor.reports.sentences import broken, drifted, overall, severity


@dataclass(frozen=True)
class Shift:
    """Windows in a row that shifted in the same way.

    Parameters
    ----------
    windows
        In the order of time, one or more.
    lead
        The one that shows it best.
    n_after
        How many windows of the feature came after them.
    """

    windows: tuple[WindowDrift, ...]
    lead: WindowDrift
    n_after: int


def shifts(windows: Sequence[WindowDrift]) -> tuple[Shift, ...]:
    """What shifted in these windows of one feature or segment, the most urgent first.

    A shift that the newest window still shows comes before those that are over, and then the clearest.
    """
    runs: list[list[int]] = []
    shown = {id(w) for w in (*drifted(windows), *broken(windows))}
    for at, window in enumerate(windows):
        if id(window) not in shown:
            continue
        before = windows[runs[-1][-1]] if runs else None
        is_next = before is not None and runs[-1][-1] == at - 1
        if is_next and before is not None and _is_one_shift(before, window):
            runs[-1].append(at)
        else:
            runs.append([at])
    made = [
        Shift(
            tuple(windows[at] for at in run),
            min((windows[at] for at in run), key=_telling),
            len(windows) - 1 - run[-1],
        )
        for run in runs
    ]
    return tuple(sorted(made, key=_urgency))


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
    if ShiftKind.BROKEN_FEED in (kind, its_kind):
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
