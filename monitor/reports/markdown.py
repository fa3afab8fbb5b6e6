"""A drift report as a few lines of Markdown, for chats and pull requests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from monitor.redaction import shorten
from monitor.reports.answer import answer
from monitor.reports.findings import FeatureSummary, Findings, WindowDrift
from monitor.reports.notes import telling_notes, window_notes
from monitor.reports.sentences import (
    broken,
    changed_rows,
    drifted,
    episodes_in_words,
    headline,
    headline_of,
    overall,
    severity,
)
from monitor.reports.shifts import Shift, report_shifts
from monitor.reports.wording import p_value, period, plain, plural, redacted

_MOST_WINDOWS, _MOST_SHIFTS, _MOST_NOTES = 8, 4, 4
_LONGEST_NAME: Final = 80
_LONGEST_NOTE: Final = 400
# Chats read <…> as links and @… as people; a bare address becomes a link to what a stranger wrote.
_HARMLESS: Final = str.maketrans({"<": "‹", ">": "›", "@": "＠", "`": "'", "|": "¦"})
_MARKUP = re.compile(r"([\\*_\[\]#~])")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,30}://", re.IGNORECASE)


def markdown(report: Findings) -> str:
    """The answer, what shifted and what to do about it, drifted windows in a table, and notes that matter.

    Names and sentences that may hold text from the data are no links, mentions or markup.

    Parameters
    ----------
    report
        What is written. Of segments, only those that drifted are named.

    Returns
    -------
    Lines without a trailing line end.
    """
    parts = [f"**{_text(headline(report))}**"]
    if len(report.features) == 1:
        parts[0] += f" – {_about(report.features[0], overall(report.windows))}"
    shifts = report_shifts(report)
    parts += [
        _shift(shift, feature, i == 0) for i, (shift, feature) in enumerate(shifts[:_MOST_SHIFTS])
    ]
    for summary in report.features:
        mine = tuple(w for w in report.windows if w.feature == summary.name)
        worst = drifted(overall(mine)) or drifted(mine) or broken(overall(mine))
        if len(report.features) > 1:
            parts.append(f"{_about(summary, overall(mine))}: {_text(headline_of(overall(mine)))}")
        if episodes := episodes_in_words(overall(mine))[:_MOST_WINDOWS]:
            parts.append(f"Shifts: {'; '.join(episodes)}")
        if worst:
            parts.append(_table(worst))
        if notes := window_notes(overall(mine), _MOST_NOTES):
            parts.append(_quoted(notes))
    if notes := telling_notes(report.notes)[:_MOST_NOTES]:
        parts.append(_quoted(notes))
    return "\n\n".join(parts)


def _quoted(notes: Sequence[str]) -> str:
    return "\n".join(f"> {_text(shorten(note, _LONGEST_NOTE))}" for note in notes)


def _about(summary: FeatureSummary, windows: Sequence[WindowDrift]) -> str:
    name = _name(summary.name)
    if not windows or windows[0].start is None:
        return name
    return f"{name}, {period(windows[0].start, windows[-1].end)}"


def _shift(shift: Shift, feature: FeatureSummary, in_full: bool) -> str:
    words = answer(shift, noun=feature.noun)
    span = period(shift.start, shift.end)
    lines = [f"**{_text(words.headline)}** ({span})"]
    if not in_full:
        return lines[0]
    facts = (
        ("Why", " ".join(words.why)),
        ("How much", words.how_much),
        ("Since when", words.since),
        ("How sure", words.how_sure),
    )
    lines += ["", *(f"- {question}: {_text(text)}" for question, text in facts if text)]
    if words.steps:
        lines += ["", "What now:", ""]
    for i, step in enumerate(words.steps, 1):
        command = f": `{harmless(step.command)}`" if step.command else ""
        lines.append(f"{i}. {_text(step.text.rstrip('.'))}{command or '.'}")
    return "\n".join(lines)


def _table(windows: Sequence[WindowDrift]) -> str:
    worst = sorted(windows, key=severity)[:_MOST_WINDOWS]
    lines = [
        "| window | what | changed | p |",
        "|---|---|---:|---:|",
        *(_line(window) for window in windows if window in worst),
    ]
    if left := len(windows) - len(worst):
        lines += ["", f"and {plural(left, 'more window')} that drifted less"]
    return "\n".join(lines)


def _line(window: WindowDrift) -> str:
    judgement = window.judgement
    pooled = judgement.deciding_pooled_test
    p = p_value(judgement.p_value)
    if pooled is not None:
        p = f"{p_value(pooled.p_value)} (last {pooled.n_windows} windows)"
    cells = (
        f"{period(window.start, window.end)}{_segment(window)}",
        _what(window),
        changed_rows(window),
        p,
    )
    return f"| {' | '.join(cells)} |"


def _what(window: WindowDrift) -> str:
    """The kinds of a window's shift, its cause, and the names of what changed."""
    cause = "" if window.change is None else window.change.cause
    more = [_text(plain(text)) for text in (cause, *window.names) if text]
    return (", ".join(window.kinds) or "–") + (f": {', '.join(more)}" if more else "")


def _segment(window: WindowDrift) -> str:
    return "" if window.segment is None else f", segment {_name(window.segment)}"


def harmless(text: str) -> str:
    """A text from the data that is no link, mention or tag; Markdown's own signs are left.

    Examples
    --------
    >>> harmless("<@everyone> https://me:secret@example.com/a?token=b")
    '‹＠everyone› example.com/a?…'
    >>> harmless("_https://a.example 1https://b.example")
    '_a.example 1b.example'
    """
    return _SCHEME.sub("", redacted(text)).translate(_HARMLESS)


def _name(text: str) -> str:
    """A name from the data, as code."""
    return f"`{plain(harmless(text))[:_LONGEST_NAME] or ' '}`"


def _text(line: str) -> str:
    """A sentence, which may quote names from the data."""
    return _MARKUP.sub(r"\\\1", harmless(line))
