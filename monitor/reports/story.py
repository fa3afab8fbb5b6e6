"""One window in plain words: what it looks like, since when, how large, how sure, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.drift import FailureShift, Outcome, QualityShift, Score, ShiftKind, Verdict
from monitor.drift.battery import subtest_named
from monitor.drift.causes.kinds import moved_clearly
from monitor.reports.findings import WindowDrift
from monitor.reports.next_steps import NextStep
from monitor.reports.sentences import causes, how_sure, join, sentence
from monitor.reports.wording import (
    count,
    figure,
    moment,
    number,
    percent,
    plain,
    plural,
    prose,
    redacted,
)

_KINDS: Final = {
    ShiftKind.BROKEN_FEED: "a broken feed",
    ShiftKind.TECHNICAL: "a technical change",
    ShiftKind.NEW_CONTENT: "new content",
    ShiftKind.CONTENT_LOST: "content lost",
    ShiftKind.NEW_MIX: "a new mix of known content",
    ShiftKind.NEW_LOOK: "a new look of most images",
}
_LEAST_GAP: Final = 0.01
"""A rise in the share of images without a pixel statistic that is worth a word."""


@dataclass(frozen=True)
class Point:
    """A question about a window, and its answers: sentences, the main one first."""

    question: str
    answers: tuple[str, ...]


def story(window: WindowDrift) -> tuple[Point, ...]:
    """What is said of a window, in the order in which people ask."""
    judgement = window.judgement
    if judgement.verdict is Verdict.DRIFT:
        points = [
            Point("What it looks like", (looks_like(window), *causes(window))),
            Point("Why", tuple(reasons(window))),
            Point("Since when", since(window)),
            Point("How large", how_large(window)),
            Point("How sure", (how_sure(window),)),
        ]
    elif judgement.verdict is Verdict.NO_DRIFT:
        points = [
            Point("Verdict", tuple(sentence(text) for text in _calm_verdict(window))),
            Point("How sure", (how_sure(window),)),
            Point("What would show", would_show(window)),
            Point("What else", tuple(reasons(window))),
        ]
    else:
        points = [
            Point("Verdict", (f"None. {sentence(prose(judgement.reason))}",)),
            Point("What it needs", rows_needed(window)),
            Point("What else", tuple(reasons(window))),
        ]
    points.append(Point("What now", tuple(map(step_in_words, window.next_steps))))
    return tuple(point for point in points if point.answers)


def step_in_words(step: NextStep) -> str:
    """A step and its command on one line."""
    text = sentence(step.text)
    return f"{text.rstrip('.')}: {step.command}" if step.command else text


def looks_like(window: WindowDrift) -> str:
    """The kinds of the shift, as in "A quality change and new content."."""
    if not window.kinds:
        return "A shift."
    cause = "" if window.change is None or not window.change.cause else f": {window.change.cause}"
    return sentence(join([_KINDS[kind] for kind in window.kinds]) + prose(cause))


def since(window: WindowDrift) -> tuple[str, ...]:
    """When the shift began, as its best estimate; nothing for rows without times."""
    if window.began is None or window.start is None:
        return ()
    if window.began >= window.start:
        return ("It began in this window.",)
    return (f"Since {moment(window.began)}.",)


def how_large(window: WindowDrift) -> tuple[str, ...]:
    """The share of rows that changed, and the JSD with its interval beside its noise floor."""
    judgement = window.judgement
    answers = []
    if pooled := judgement.deciding_pooled_test:
        answers.append(
            f"As if {percent(pooled.changed_share)} of the rows of these {pooled.n_windows} windows had "
            "been swapped for unrelated images."
        )
    elif (change := window.change) is not None:
        answers.append(
            f"About {percent(change.share)} of the rows changed "
            f"({percent(change.low)} to {percent(change.high)})."
        )
    elif judgement.tests:
        answers.append(
            f"As if {percent(min(judgement.changed_share, 1.0))} of the rows had been swapped for "
            "unrelated images."
        )
    score = judgement.scores["jsd"]
    if not math.isnan(score.value):
        answers.append(
            f"JSD {number(score.value)}{_interval(score)}; chance alone gives "
            f"{number(score.noise_floor)}."
        )
    return tuple(answers)


def would_show(window: WindowDrift) -> tuple[str, ...]:
    """The smallest change that would have been found in a calm window."""
    judgement = window.judgement
    if not judgement.tests or judgement.thresholds:
        return ()
    if shares := _detectable(judgement.tests):
        return (f"In 8 of 10 such windows a change would be found if {shares}.",)
    return ("In so few rows even a complete change would often not be found.",)


def rows_needed(window: WindowDrift) -> tuple[str, ...]:
    """How many rows an inconclusive window, or its baseline, lacks."""
    judgement = window.judgement
    if judgement.n_rows_needed is None:
        return ()
    needs = f"{plural(judgement.n_rows_needed, 'row')} with vectors"
    for side, histogram in (
        ("the window", judgement.window_histogram),
        ("the baseline", judgement.baseline_histogram),
    ):
        n = int(histogram.sum())
        if n < judgement.n_rows_needed:
            left = judgement.n_rows_needed - n
            return (f"At least {needs}: {side} has {count(n)}, so {count(left)} more.",)
    return (f"At least {needs}.",)


def moved_quality(window: WindowDrift) -> tuple[QualityShift, ...]:
    """The pixel statistics that moved clearly in a drifted window, the strongest first."""
    if window.judgement.verdict is not Verdict.DRIFT:
        return ()
    if window.change is not None and window.change.kind is not ShiftKind.TECHNICAL:
        return ()  # receipts are bright: that explains nothing
    clear = [shift for shift in window.quality if moved_clearly(shift)]
    return tuple(sorted(clear, key=lambda shift: -abs(shift.effect)))


def risen_failures(window: WindowDrift) -> tuple[FailureShift, ...]:
    """The reasons for missing vectors that are clearly more frequent than in the baseline."""
    alpha = window.judgement.alpha
    return tuple(
        shift
        for shift in window.failure_shifts
        if shift.p_value <= alpha and shift.window_share > shift.baseline_share
    )


def _calm_verdict(window: WindowDrift) -> tuple[str, ...]:
    judgement = window.judgement
    is_broken = ShiftKind.BROKEN_FEED in window.kinds
    reason = "no drift" if judgement.thresholds else f"no drift: {prose(judgement.reason)}"
    return (reason, *(("the feed looks broken, though",) if is_broken else ()))


def reasons(window: WindowDrift) -> Iterator[str]:
    """What carries a shift: metadata, pixels, failures, in sentences."""
    for explanation in window.explanations:
        if explanation.strength > 0:
            yield sentence(prose(redacted(explanation.sentence)))
    for shift in moved_quality(window):
        yield sentence(_quality_sentence(shift))
    yield from risen_in_words(window)


def risen_in_words(window: WindowDrift) -> Iterator[str]:
    """Which reasons for missing vectors are more frequent than in the baseline, in sentences."""
    for risen in risen_failures(window):
        yield (
            f"Rows without a vector because of {plain(risen.reason)} rose from "
            f"{percent(risen.baseline_share)} to {percent(risen.window_share)} of all rows."
        )


def _quality_sentence(shift: QualityShift) -> str:
    field = plain(shift.field.replace("_", " "))
    before, after = figure(shift.baseline_median), figure(shift.window_median)
    if before == after:
        change = f"the spread of the images' {field} changed; the median stayed at {before}"
    elif shift.direction == "other":
        change = (
            f"the spread of the images' {field} changed; the median went from {before} to {after}"
        )
    else:
        verb = "rose" if shift.direction == "up" else "fell"
        change = f"the images' median {field} {verb} from {before} to {after}"
    if shift.window_missing - shift.baseline_missing >= _LEAST_GAP:
        change += f"; {percent(shift.window_missing)} of the images have none"
    return change


def _interval(score: Score) -> str:
    if math.isnan(score.low) or math.isnan(score.high):
        return ""
    return f", without the noise of sampling {number(score.low)} to {number(score.high)}"


def _detectable(tests: Sequence[Outcome]) -> str:
    return " or ".join(
        f"{percent(test.detectable)} of the rows were {subtest_named(test.name).detectable_change}"
        for test in tests
        if not math.isnan(test.detectable)
    )
