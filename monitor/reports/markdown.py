"""A drift report as a few lines of Markdown, for chats and pull requests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from monitor.reports.findings import FeatureSummary, Findings, WindowDrift
from monitor.reports.sentences import (
    broken,
    drifted,
    episodes_in_words,
    headline,
    headline_of,
    overall,
    severity,
)
from monitor.reports.story import story
from monitor.reports.wording import number, p_value, period, plain, plural, redacted

_MOST_WINDOWS, _MOST_STORIES = 8, 3
_LONGEST_NAME: Final = 80
# Chats read <…> as links and @… as people; a bare address becomes a link to what a stranger wrote.
_HARMLESS: Final = str.maketrans({"<": "‹", ">": "›", "@": "＠", "`": "'", "|": "¦"})
_MARKUP = re.compile(r"([\\*_\[\]#~])")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,30}://", re.IGNORECASE)


def markdown(report: Findings) -> str:
    """The answer, the strongest window of each drifted feature in words, and a table of drifted windows.

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
    n_stories = 0
    for summary in report.features:
        mine = tuple(w for w in report.windows if w.feature == summary.name)
        worst = drifted(overall(mine)) or drifted(mine) or broken(overall(mine))
        if len(report.features) > 1:
            parts.append(f"{_about(summary, overall(mine))}: {_text(headline_of(overall(mine)))}")
        if worst and n_stories < _MOST_STORIES:
            n_stories += 1
            parts.append(_strongest(min(worst, key=severity)))
        if episodes := episodes_in_words(overall(mine))[:_MOST_WINDOWS]:
            parts.append(f"Shifts: {'; '.join(episodes)}")
        if worst:
            parts.append(_table(worst))
    return "\n\n".join(parts)


def _about(summary: FeatureSummary, windows: Sequence[WindowDrift]) -> str:
    name = _name(summary.name)
    if not windows or windows[0].start is None:
        return name
    return f"{name}, {period(windows[0].start, windows[-1].end)}"


def _strongest(window: WindowDrift) -> str:
    lines = [f"Strongest: **{period(window.start, window.end)}**{_segment(window)}", ""]
    lines += [f"- {point.question}: {_text(' '.join(point.answers))}" for point in story(window)]
    return "\n".join(lines)


def _table(windows: Sequence[WindowDrift]) -> str:
    worst = sorted(windows, key=severity)[:_MOST_WINDOWS]
    lines = [
        "| window | looks like | JSD | noise floor | p |",
        "|---|---|---:|---:|---:|",
        *(_line(window) for window in windows if window in worst),
    ]
    if left := len(windows) - len(worst):
        lines += ["", f"and {plural(left, 'more window')} that drifted less"]
    return "\n".join(lines)


def _line(window: WindowDrift) -> str:
    judgement = window.judgement
    pooled = judgement.deciding_pooled_test
    score = judgement.scores["jsd"]
    p = p_value(judgement.p_value)
    if pooled is not None:
        p = f"{p_value(pooled.p_value)} (last {pooled.n_windows} windows)"
    cells = (
        f"{period(window.start, window.end)}{_segment(window)}",
        ", ".join(window.kinds) or "–",
        number(score.value),
        number(score.noise_floor),
        p,
    )
    return f"| {' | '.join(cells)} |"


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
