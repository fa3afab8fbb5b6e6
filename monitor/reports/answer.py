"""A shift as a person with one minute reads it: what, how much, since when, how sure, and what now."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from monitor.drift import ShiftKind, Verdict
from monitor.reports.findings import WindowDrift
from monitor.reports.next_steps import NextStep, filler, lacking, next_steps
from monitor.reports.sentences import causes, sentence
from monitor.reports.shifts import Shift, kind_of
from monitor.reports.story import how_large, moved_quality, reasons, risen_in_words
from monitor.reports.wording import (
    count,
    day,
    moment,
    percent,
    period,
    plain,
    plural,
    prose,
)

_FRACTIONS: Final = (
    (3 / 4, "three quarters"), (2 / 3, "two thirds"), (1 / 2, "half"), (1 / 3, "a third"),
    (1 / 4, "a quarter"), (1 / 5, "a fifth"), (1 / 10, "a tenth"),
)  # fmt: skip
_NEAR, _ALL, _NEARLY_ALL = 0.025, 0.97, 0.9
_MOST_NAMES: Final = 3
_CERTAIN, _VERY_SURE = 1e-6, 1e-4
_RARE: Final = 1e-9
_SMALL_SHARE: Final = 0.095
_PREDICATES: Final = {
    "red and blue swapped": "have red and blue swapped",
    "overlaid with a logo": "have something drawn over them, such as a logo",
}


@dataclass(frozen=True)
class Answer:
    """A shift in words; each part is text that is safe to show.

    Parameters
    ----------
    headline
        In a sentence without a full stop.
    why
        What shows it, the main reason first.
    how_much, since, how_sure
        In a sentence each; "" where nothing is known.
    steps
        What to do.
    """

    headline: str
    why: tuple[str, ...]
    how_much: str
    since: str
    how_sure: str
    steps: tuple[NextStep, ...]


def answer(shift: Shift, *, noun: str = "image") -> Answer:
    """The shift in words; `noun` is what a row of the feature is."""
    window = shift.lead
    whole = replace(window, began=shift.start)
    return Answer(
        headline=headline_of_window(whole, noun=noun),
        why=tuple(_why(window))[:2],
        how_much=_how_much(window, noun),
        since=_since(shift),
        how_sure=how_sure_in_words(window),
        steps=next_steps(whole, until=shift.end, noun=noun),
    )


def headline_of_window(window: WindowDrift, *, noun: str = "image") -> str:
    """What happened in a window, in plain words, such as "Half of 4 Feb's images are unlike your baseline".

    Examples
    --------
    >>> share_in_words(0.49), share_in_words(0.99), share_in_words(0.15)
    ('half', 'all', '15 %')
    """
    return _capital(_headline(window, _images(window, noun), noun))


def _headline(window: WindowDrift, images: str, noun: str) -> str:
    kind, cause = kind_of(window)
    if window.judgement.deciding_pooled_test is not None and kind is not ShiftKind.BROKEN_FEED:
        return f"{images} differ a little from your baseline{_names(window)}"
    share = math.nan if window.change is None else window.change.share
    part = f"{share_in_words(share)} of {images}" if share > 0 else images
    names = _names(window)
    if kind is ShiftKind.BROKEN_FEED:
        return _broken(window, noun)
    if kind is ShiftKind.TECHNICAL:
        if cause.endswith((" rose", " fell")):
            return f"{prose(cause)} in {part}"
        return f"{part} {_predicate(cause)}"
    if kind is ShiftKind.NEW_CONTENT:
        return f"{part} are unlike your baseline{names}"
    if kind is ShiftKind.CONTENT_LOST:
        lost = sum(group.share for group in window.vanished)
        gone = f"{share_in_words(lost)} of your baseline" if lost > 0 else "some of your baseline"
        return f"{gone} is missing from {images}{names}"
    if kind is ShiftKind.NEW_MIX:
        return f"{images} are what you know, in another mix{names}"
    if kind is ShiftKind.NEW_LOOK:
        return f"{part} look different from your baseline{names}"
    return f"{images} differ from your baseline{names}"


def share_in_words(share: float) -> str:
    """A share of rows as people say it."""
    if share >= _ALL:
        return "all"
    if share >= _NEARLY_ALL:
        return "nearly all"
    for value, words in _FRACTIONS:
        if abs(share - value) <= _NEAR * min(1.0, 4 * value):
            return words
    return f"{share:.0%}".replace("%", " %") if share >= 0.01 else "a few"


def how_sure_in_words(window: WindowDrift) -> str:
    """How sure the verdict is, and how often chance alone would give it."""
    judgement = window.judgement
    if judgement.verdict is not Verdict.DRIFT:
        p = min((shift.p_value for shift in window.failure_shifts), default=math.nan)
        return "" if math.isnan(p) else f"{_sureness(p, judgement.alpha)}."
    if judgement.thresholds:
        return f"Your own threshold decides: {prose(judgement.reason)}."
    pooled = judgement.deciding_pooled_test
    p, alpha = (
        (judgement.p_value, judgement.alpha) if pooled is None else (pooled.p_value, pooled.alpha)
    )
    what = "windows" if pooled is None else f"groups of {pooled.n_windows} windows"
    often = f"1 of {_rounded(1 / p)}" if p > _RARE else "fewer than 1 of a billion"
    return f"{_sureness(p, alpha)}: chance alone makes {often} {what} look like this."


def _sureness(p: float, alpha: float) -> str:
    if p <= _CERTAIN:
        return "Practically certain"
    if p <= _VERY_SURE:
        return "Very sure"
    return "Sure" if p <= alpha / 3 else "Fairly sure"


def _rounded(n: float) -> str:
    """A count with two significant digits."""
    digits = max(0, math.floor(math.log10(n)) - 1)
    return count(round(n / 10**digits) * 10**digits)


def _images(window: WindowDrift, noun: str) -> str:
    """Which images these are, such as "5 Mar's images"."""
    if window.segment is not None:
        when = "" if window.start is None else f" of {period(window.start, window.end)}"
        return f"{plain(window.segment)}'s {noun}s{when}"
    if window.start is None or window.end is None:
        return f"the {noun}s"
    if window.judgement.deciding_pooled_test is not None:
        return f"{noun}s since {moment(window.began or window.start)}"
    span = period(window.start, window.end)
    if span == day(window.start):
        return f"{day(window.start, year=False)}'s {noun}s"
    return f"the {noun}s of {span}"


def _names(window: WindowDrift) -> str:
    groups = window.vanished if kind_of(window)[0] is ShiftKind.CONTENT_LOST else window.groups
    # A name may be several words, and two groups may share some of them.
    said = (plain(word) for group in groups if group.name for word in group.name.split(", "))
    names = list(dict.fromkeys(said))
    return f": {', '.join(names[:_MOST_NAMES])}" if names else ""


def _predicate(cause: str) -> str:
    """What images of a technical change are, or have.

    >>> _predicate("cropped or squashed"), _predicate("red and blue swapped or inverted")
    ('are cropped or squashed', 'have red and blue swapped or are inverted')
    """
    names = cause.split(" or ")
    if not any(name in _PREDICATES for name in names):
        return f"are {prose(cause) or 'technically changed'}"
    return " or ".join(_PREDICATES.get(name) or f"are {prose(name)}" for name in names)


def _broken(window: WindowDrift, noun: str) -> str:
    span = period(window.start, window.end)
    if window.n_rows == 0:
        return f"nothing arrived for {span}"
    rows = _images(window, "row")
    if window.n_failed and window.failure_rate > window.most_repeated:
        return f"{share_in_words(window.failure_rate)} of {rows} have {lacking(window, noun)}"
    return f"one {filler(noun)} fills {share_in_words(window.most_repeated)} of {rows}"


def _why(window: WindowDrift) -> Iterable[str]:
    """The reasons, those first that say most of this kind of shift."""
    kind, cause = kind_of(window)
    if kind is ShiftKind.TECHNICAL and cause and not moved_quality(window):
        yield f"They moved the way your baseline's images do when these are {prose(cause)}."
    if kind is ShiftKind.BROKEN_FEED:
        yield from (sentence(prose(note)) for note in window.notes)
        yield from risen_in_words(window)
        return
    yield from list(reasons(window))[: 1 if kind is ShiftKind.TECHNICAL else 2]
    shown = causes(window)
    if kind is ShiftKind.NEW_CONTENT:
        # What is unlike anything known tells more than which clusters it happens to fall into.
        shown = tuple(sorted(shown, key=lambda text: "novel" not in text))
    if kind is not ShiftKind.TECHNICAL:
        yield from shown


def _how_much(window: WindowDrift, noun: str) -> str:
    change = window.change
    if kind_of(window)[0] is ShiftKind.BROKEN_FEED:
        if not window.n_failed:
            return ""
        return f"{plural(window.n_failed, 'row')} of {count(window.n_rows)} have {lacking(window, noun)}."
    if change is None or window.judgement.deciding_pooled_test is not None:
        return how_large(window)[0]
    share, low, high = (_whole_percent(value) for value in (change.share, change.low, change.high))
    return f"About {share} of the {noun}s (between {low} and {high})."


def _whole_percent(share: float) -> str:
    return percent(share) if share < _SMALL_SHARE else f"{share:.0%}".replace("%", " %")


def _since(shift: Shift) -> str:
    if shift.start is None or shift.end is None:
        return ""
    if shift.n_after == 0:
        if shift.start == shift.windows[-1].start:
            return f"{_capital(period(shift.start, shift.end))}, the newest window."
        return f"Since {moment(shift.start)}, and still so in the newest window."
    over = period(shift.start, shift.end)
    return f"{_capital(over)}. The {_after(shift.n_after)} since then {_show(shift.n_after)} it no more."


def _after(n: int) -> str:
    return "window" if n == 1 else plural(n, "window")  # "the window since then"


def _show(n: int) -> str:
    return "shows" if n == 1 else "show"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
