"""An action in words, as plain text and as Markdown."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from monitor.alerts.alert import Event, Message, MessageKind
from monitor.alerts.rule import FEWER_IS_WORSE, SHARES, AlertRule
from monitor.alerts.rules import Action
from monitor.drift import ClusterShift, Verdict
from monitor.redaction import shorten
from monitor.reports import WindowDrift
from monitor.reports.markdown import harmless
from monitor.reports.sentences import causes, distance, how_sure, sentence
from monitor.reports.wording import count, number, one_in, p_equals, percent, period, plural, prose
from monitor.windows import UTC

_LONGEST_WORD: Final = 80
_LONGEST_READ: Final = 2_000
_RAREST: Final = 1e-9
_CHANGED: Final = 0.05
"""Clusters are named below this p-value, which is adjusted over all of them."""
_MOST_CLUSTERS = _MOST_SEGMENTS = _MOST_REASONS = _MOST_NAMES = 5
_MARKUP: Final = re.compile(r"([\\*_\[\]#~|])")

_Word = Callable[[object], str]


def compose(action: Action, *, link: str | None = None, zone: ZoneInfo = UTC) -> Message:
    """What people are told of `action`.

    Parameters
    ----------
    action
        Of `evaluate`.
    link
        The template of an address, as `AlertsConfig.link`.
    zone
        Whose days are named.

    Returns
    -------
    Verdict, score beside its noise floor, p-value in words, the clusters that changed and the first
    cause. Features, segments and names from the data are cut to 80 characters on one line; addresses
    in them lose user names, passwords and queries.
    """
    address = None if link is None else _filled(link, action)
    text = [*_sentences(action, zone, _word), *([address] if address else [])]
    shown = ["", f"[Report]({address})"] if address else []
    markdown = [
        f"**{_escaped(_title(action, zone, _span))}**",
        *[f"- {_escaped(line)}" for line in _sentences(action, zone, _span)],
        *shown,
    ]
    return Message(
        title=_title(action, zone, _word),
        text="\n".join(text),
        markdown=f"{markdown[0]}\n\n" + "\n".join(markdown[1:]),
        kind=_kind(action),
    )


def trial_message(channel: str) -> Message:
    """What `monitor alerts test` sends to a channel of this name.

    Examples
    --------
    >>> trial_message("team").title
    'Test of the channel team'
    """
    words = "Alerts of monitor arrive here. This one is a test: nothing has drifted."
    title = f"Test of the channel {_word(channel)}"
    return Message(title, words, words, MessageKind.TEST)


def _word(text: object) -> str:
    """A word from the data: one short line."""
    return shorten(harmless(str(text)[:_LONGEST_READ]), _LONGEST_WORD)


def _span(text: object) -> str:
    return f"`{_word(text)}`"


def _escaped(line: str) -> str:
    """Markdown of a sentence of ours; what stands between backticks is kept."""
    parts = line.split("`")
    return "`".join(part if i % 2 else _MARKUP.sub(r"\\\1", part) for i, part in enumerate(parts))


def _kind(action: Action) -> MessageKind:
    if action.event is Event.RESOLVED:
        return MessageKind.RESOLVED
    return MessageKind(str(action.alert.severity))


def _title(action: Action, zone: ZoneInfo, word: _Word) -> str:
    alert = action.alert
    where = word(alert.feature)
    if alert.segment is not None:
        where = f"{where}, {word(alert.segment)}"
    when = _period(alert.window_start, alert.window_end, zone)
    if action.event is Event.RESOLVED:
        return f"Resolved: {where}, {word(alert.rule)}, {when}"
    what = str(alert.severity).capitalize()
    if action.event is Event.ESCALATED:
        what = f"Now {alert.severity}"
    return f"{what}: {where}, {word(alert.rule)}, {when}"


def _sentences(action: Action, zone: ZoneInfo, word: _Word) -> list[str]:
    window, rule, reading = action.window, action.rule, action.reading
    if rule is None or window is None or reading is None:
        return [sentence(_prose(f"{action.why}, so the alert ends"))]
    lines = []
    if action.event is Event.RESOLVED:
        calm = plural(rule.resolve_after, "window")
        lines.append(
            f"Calm for {calm}, the last of them {_period(window.start, window.end, zone)}."
        )
    lines.append(
        f"Verdict: {window.judgement.verdict}. {_rule_in_words(rule, reading.value, reading.threshold)}"
    )
    lines += _evidence(window)
    if action.segments:
        shown = ", ".join(word(segment) for segment in action.segments[:_MOST_SEGMENTS])
        lines.append(
            f"Segments that break the rule, too: {shown}{_more(action.segments, _MOST_SEGMENTS)}."
        )
    return lines


def _evidence(window: WindowDrift) -> list[str]:
    judgement = window.judgement
    lines = [_looks_like(window)] if window.kinds else []
    if judgement.verdict is Verdict.INCONCLUSIVE:
        lines.append(sentence(_prose(judgement.reason)))
    else:
        # The p-value of the window alone decides nothing where thresholds or windows together do.
        is_alone = not judgement.thresholds and judgement.deciding_pooled_test is None
        odds = _odds(judgement.p_value, judgement.alpha) if is_alone else _prose(how_sure(window))
        lines += [f"{distance(window)}.", odds]
    if judgement.verdict is Verdict.DRIFT:
        lines += causes(window)[:1]
        changed = [shift for shift in judgement.clusters if shift.p_value <= _CHANGED]
        changed.sort(key=lambda shift: (-shift.contribution, shift.cluster))
        if changed:
            changes = "; ".join(_change(shift) for shift in changed[:_MOST_CLUSTERS])
            lines.append(f"Clusters that changed: {changes}{_more(changed, _MOST_CLUSTERS)}.")
    return [*lines, _rows(window), *(_prose(note) for note in window.notes)]


def _looks_like(window: WindowDrift) -> str:
    """What happened, such as "Looks like new content: receipts, about 28 of 99 rows."."""
    change = window.change
    cause = "" if change is None else change.cause
    shown = [_word(name) for name in ((cause, *window.names) if cause else window.names)]
    words = ", ".join(str(kind) for kind in window.kinds)
    if shown:
        words += f": {', '.join(shown[:_MOST_NAMES])}{_more(tuple(shown), _MOST_NAMES)}"
    if change is not None:
        n = int(window.judgement.window_histogram.sum())
        words += f", about {round(change.share * n):,} of {plural(n, 'row')}"
    return f"Looks like {words}."


def _prose(text: str) -> str:
    """A sentence that may quote the config or the data, on one line."""
    return prose(harmless(text))


def _rule_in_words(rule: AlertRule, value: float, threshold: float) -> str:
    if rule.metric in ("verdict", "p_value") and rule.is_calibrated:
        return f"The rule alerts on drift at the level alpha = {threshold:.2g}."
    side = "at most" if rule.metric in FEWER_IS_WORSE else "at least"
    if rule.is_calibrated and rule.metric != "broken_feed":
        side = "above its noise ceiling,"
    since = ""
    if rule.days_before is not None:
        since = f" has changed, in {plural(rule.days_before, 'day')}, by"
    name = rule.metric.replace("_", " ")
    value_in_words, limit = _written(rule.metric, value), _written(rule.metric, threshold)
    return f"The rule: {name}{since} {value_in_words}; alerts {side} {limit}."


def _written(metric: str, value: float) -> str:
    if metric in SHARES or metric == "broken_feed":
        return f"{value * 100:.1f} %".replace("-", "−")
    if metric.startswith("n_"):
        return f"{value:,.0f}".replace("-", "−")
    return f"{value:.2g}".replace("-", "−") if metric == "p_value" else number(value)


def _odds(p_value: float, alpha: float) -> str:
    if math.isnan(p_value):
        return "No p-value."
    if p_value >= 0.5:
        words = "Most windows without drift look like this one, or more unusual"
    else:
        rarer = "less than " if p_value < _RAREST else ""
        rarity = count(round(1 / max(p_value, _RAREST)))
        words = f"Without drift {rarer}1 window in {rarity} looks this unusual"
    return f"{words} ({p_equals(p_value)}; drift is said from {one_in(alpha)} on)."


def _change(shift: ClusterShift) -> str:
    verb = "rose" if shift.window_share > shift.baseline_share else "fell"
    return (
        f"{shift.cluster} {verb} from {percent(shift.baseline_share)} to "
        f"{percent(shift.window_share)}"
    )


def _period(start: dt.datetime | None, end: dt.datetime | None, zone: ZoneInfo) -> str:
    if start is None or end is None:
        return period(start, end)
    return period(start.astimezone(zone), end.astimezone(zone))


def _rows(window: WindowDrift) -> str:
    rows = plural(window.n_rows, "row")
    if not window.n_failed:
        return f"{rows}, all with a vector." if window.n_rows else "No rows."
    often = sorted(window.failures.items(), key=lambda item: (-item[1], item[0]))
    reasons = ", ".join(f"{n:,} {reason.replace('_', ' ')}" for reason, n in often[:_MOST_REASONS])
    failed = f"{window.n_failed:,} ({percent(window.failure_rate)}) without a vector"
    return f"{rows}, {failed}: {reasons}{_more(often, _MOST_REASONS)}."


def _more(items: tuple[object, ...] | list[ClusterShift] | list[tuple[str, int]], most: int) -> str:
    return f" and {len(items) - most} more" if len(items) > most else ""


def _filled(link: str, action: Action) -> str:
    alert = action.alert
    values = {
        "feature": alert.feature,
        "segment": alert.segment or "",
        "rule": alert.rule,
        "start": alert.window_start.astimezone(dt.UTC).isoformat(),
        "end": alert.window_end.astimezone(dt.UTC).isoformat(),
    }
    # Lone halves of surrogate pairs, which a cell may hold, have no bytes.
    return link.format(
        **{key: quote(value, safe="", errors="replace") for key, value in values.items()}
    )
