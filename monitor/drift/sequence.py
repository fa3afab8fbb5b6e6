"""Windows in a row: each judged by itself, and with those before it.

A lasting small shift shows when windows are taken together. After each window the last 2, 4, 8, 16 and
32 of them are pooled and tested as one. Every pooled test has a level of its own, and these sum to what
the false-alarm budget gives to them: the expected number of false alarms is a sum over tests, however
much these depend on each other, so the budget holds also for a small baseline that all windows share. A
test of m windows is made every m/4 windows only, which makes its level larger.

What is found is an episode: a shift has a first window and, once it is over, a last one. Both are those
of the clearest run, so that calm windows after a shift are calm, although tests that reach back into it
still see it. While each new window makes the run clearer, the episode goes on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from monitor.clusters import Baseline, ReplayedWindows, WindowSketch
from monitor.drift.judge import judge
from monitor.drift.judgement import Judgement, PooledTest, Verdict
from monitor.drift.learning import MOST_FIRST, STEP, learn
from monitor.drift.onset import LONGEST_RUN, clearest_run, course, onset
from monitor.drift.pooled import due_test, pooled_test
from monitor.drift.rules import Rules
from monitor.drift.run import SequenceWindow, Shift
from monitor.progress import steps

MOST_PAST: Final = 2 * LONGEST_RUN
"""So many past windows are made use of: those that drifted are left out of pooled tests."""
UNCLEAR: Final = 1.0
"""Of a statistic's standard deviations: a run that is by less than that clearer than another need not be."""
POOLED_SHARE: Final = 0.5
"""Of the false-alarm budget; single windows get the rest."""


@dataclass(frozen=True, eq=False)
class PastWindow:
    """A window that was judged before.

    Parameters
    ----------
    start
        When it started, in UTC.
    sketch
        Its sketch, by the same baseline.
    is_drift
        Whether it drifted by itself.
    began, ended
        Start and end of the shift that was found after it, in UTC; `ended` is None where that went on.
    """

    start: dt.datetime
    sketch: WindowSketch
    is_drift: bool
    began: dt.datetime | None = None
    ended: dt.datetime | None = None


@dataclass(frozen=True, eq=False)
class SequenceJudgement:
    """What is said of a window in a row.

    Parameters
    ----------
    judgement
        Of the window by itself, and with those before it.
    shift
        The shift that was found after this window; None where there was none.
    """

    judgement: Judgement
    shift: Shift | None


def judge_sequence(
    windows: Sequence[SequenceWindow],
    baseline: Baseline,
    *,
    rules: Rules,
    pooled_alpha: float | None,
    past: Sequence[SequenceWindow] = (),
    first: Sequence[SequenceWindow] | None = None,
) -> list[SequenceJudgement]:
    """Judge windows, each by itself and with those before it.

    Parameters
    ----------
    windows
        In the order of time, without gaps.
    baseline
        What they are held against.
    rules
        What makes a window drifted by itself.
    pooled_alpha
        The significance level of all pooled tests after one window together; None for no such tests.
        None are made either where windows have no numbers, and where thresholds decide.
    past
        Windows that were judged before, and end where the first of `windows` starts.
    first
        The first windows that were ever held against the baseline: they teach (see `learn`). By default
        those of `past` and `windows`. Without pooled tests nobody teaches: that a window is calm by itself
        does not say that nothing changed.
    """
    row, first = list(past), list(past if first is None else first)[:MOST_FIRST]
    together = None
    is_numbered = all(window.number is not None for window in (*past, *windows))
    if pooled_alpha is not None and is_numbered and not rules.thresholds:
        together = replace(rules, alpha=pooled_alpha)
    judged: list[SequenceJudgement] = []
    lessons = None if together is None else learn(first, baseline, rules.minimum_rows)
    for window in steps(windows, "judging windows"):
        alone = judge(
            window.sketch, baseline, rules=rules, statistics=window.statistics, lessons=lessons
        )
        row.append(replace(window, is_drift=alone.verdict is Verdict.DRIFT))
        in_row = _in_row(alone, row[-MOST_PAST - 1 :], baseline, together, lessons)
        row[-1] = replace(row[-1], shift=in_row.shift)
        if together is not None and len(first) < MOST_FIRST:
            first.append(row[-1])
            if len(first) % STEP == 0:
                lessons = learn(first, baseline, rules.minimum_rows)
        judged.append(in_row)
    return judged


def _in_row(
    alone: Judgement,
    row: Sequence[SequenceWindow],
    baseline: Baseline,
    together: Rules | None,
    lessons: ReplayedWindows | None,
) -> SequenceJudgement:
    """What is said of the last window of the row, by itself judged as `alone`."""
    last = len(row) - 1
    if row[-1].is_drift:
        return SequenceJudgement(alone, Shift(last - onset(row, baseline)))
    if together is None or row[-1].sketch.n == 0:
        return SequenceJudgement(alone, None)
    known = _newest(row[:-1])
    shift = None if known is None else _followed(known, row, baseline)
    if shift is not None and not shift.until:
        whole = pooled_test(row[last - shift.since :], baseline, rules=together, lessons=lessons)
        if whole is not None and whole.is_drift:
            return SequenceJudgement(_together(alone, whole), shift)
        shift = None
    made = due_test(row, baseline, rules=together, lessons=lessons)
    if made is None:
        return SequenceJudgement(alone, shift)
    test, pooled = made
    if not test.is_drift:
        return SequenceJudgement(replace(alone, pooled_test=test), shift)
    first, end = clearest_run([row[at] for at in pooled], baseline)
    shift = Shift(last - pooled[first], last - pooled[end])
    if shift.until:
        reason = (
            f"{test.n_windows} windows together have drifted (p = {test.p_value:.2g}), up to "
            f"{shift.until} before this one, which is calm"
        )
        return SequenceJudgement(replace(alone, pooled_test=test, reason=reason), shift)
    return SequenceJudgement(_together(alone, test), shift)


@dataclass(frozen=True)
class _Known:
    """A shift that was found before: the positions of its first and last window; whether it went on."""

    first: int
    last: int
    is_open: bool


def _newest(row: Sequence[SequenceWindow]) -> _Known | None:
    n_filled_since = 0
    for at in range(len(row) - 1, -1, -1):
        if (shift := row[at].shift) is not None:
            is_open = not (shift.until or n_filled_since)
            return _Known(max(at - shift.since, 0), at - shift.until, is_open)
        n_filled_since += row[at].sketch.n > 0
    return None


def _followed(known: _Known, row: Sequence[SequenceWindow], baseline: Baseline) -> Shift | None:
    """Where the shift stands after the last window; None where nothing new is to be said.

    A shift that goes on is over when its run is by `UNCLEAR` less clear than it was: that few windows look
    calm may be chance. One that is over goes on when its run is clearer than ever, as long as it has not
    been over for longer than it was.
    """
    last = len(row) - 1
    length = known.last - known.first + 1
    if not known.is_open and last - known.last > length:
        return None
    near = max(known.first, last - LONGEST_RUN + 1)
    clarities = course(row[near:], baseline)
    end = near + max(clarities, key=clarities.__getitem__)
    missing = max(clarities.values()) - clarities[last - near]
    if end == last or (known.is_open and missing <= UNCLEAR):
        first = onset(row, baseline) if near == known.first else known.first
        return Shift(last - min(first, known.last))
    # Windows that still counted as part of it are told to be none.
    return Shift(last - known.first, last - end) if known.is_open and end < known.last else None


def _together(alone: Judgement, pooled: PooledTest) -> Judgement:
    """A window that is calm by itself has drifted with those before it."""
    return replace(
        alone,
        pooled_test=pooled,
        is_by_pooled_test=True,
        verdict=Verdict.DRIFT,
        reason=(
            f"the last {pooled.n_windows} windows together have drifted (p = {pooled.p_value:.2g}); this one "
            "alone is too small to show it"
        ),
    )
