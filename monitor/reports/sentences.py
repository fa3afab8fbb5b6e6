"""A report in a sentence: whether, when, what and how sure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from monitor.drift import Judgement, Outcome, PooledTest, ShiftKind, Verdict
from monitor.drift.battery import subtest_named
from monitor.drift.significance import telling
from monitor.reports.episodes import episodes_of
from monitor.reports.findings import Findings, WindowDrift
from monitor.reports.wording import (
    MISSING,
    number,
    one_in,
    p_equals,
    percent,
    period,
    plain,
    plural,
    prose,
)

_MOST_PERIODS = 4


def headline(report: Findings) -> str:
    """The answer in a few words, such as "3 of 10 windows drifted".

    Windows of all rows decide; segments are only named when nothing else drifted.
    """
    windows = overall(report.windows)
    if len(report.features) > 1 and windows:
        return _headline_of_features(report, windows)
    if report.windows and not windows:
        return headline_of(report.windows)
    if not drifted(windows) and (n := len(drifted(report.windows))):
        return f"Drift in {plural(n, 'segment')} only"
    return headline_of(windows)


def headline_of(windows: Sequence[WindowDrift]) -> str:
    """The same for these windows of one feature."""
    n, n_drifted = len(windows), len(drifted(windows))
    n_open = sum(w.judgement.verdict is Verdict.INCONCLUSIVE for w in windows)
    n_broken = sum(w.judgement.verdict is not Verdict.DRIFT for w in broken(windows))
    if n == 0:
        return "No windows to judge"
    if n == 1:
        if n_broken:
            return "Broken feed"
        return {
            Verdict.DRIFT: "Drift found",
            Verdict.NO_DRIFT: "No drift found",
            Verdict.INCONCLUSIVE: "No verdict: too few rows with vectors",
        }[windows[0].judgement.verdict]
    if n_drifted:
        more = f", {n_broken:,} more with a broken feed" if n_broken else ""
        return f"{n_drifted:,} of {n:,} windows drifted{more}"
    if n_broken:
        return f"Broken feed in {n_broken:,} of {n:,} windows"
    if n_open == n:
        return f"No verdict: all {n:,} windows have too few rows with vectors"
    if n_open:
        return f"No drift in {plural(n - n_open, 'window')}, {n_open:,} inconclusive"
    return f"No drift in {n:,} windows"


def _headline_of_features(report: Findings, windows: Sequence[WindowDrift]) -> str:
    names = {w.feature for w in drifted(windows)}
    n = len(report.features)
    if names:
        return f"Drift in {len(names)} of {n} features"
    if segments := drifted(report.windows):
        return f"Drift in {plural(len(segments), 'segment')} only"
    if feeds := {w.feature for w in broken(windows)}:
        return f"Broken feed in {len(feeds)} of {n} features"
    if all(w.judgement.verdict is Verdict.INCONCLUSIVE for w in windows):
        return "No verdict: every window has too few rows with vectors"
    return f"No drift in {n} features"


def overall(windows: Iterable[WindowDrift]) -> tuple[WindowDrift, ...]:
    """The windows of all rows, without those of segments."""
    return tuple(w for w in windows if w.segment is None)


def drifted(windows: Iterable[WindowDrift]) -> tuple[WindowDrift, ...]:
    """The windows that drifted."""
    return tuple(w for w in windows if w.judgement.verdict is Verdict.DRIFT)


def broken(windows: Iterable[WindowDrift]) -> tuple[WindowDrift, ...]:
    """The windows with a broken feed, whatever their verdict."""
    return tuple(w for w in windows if ShiftKind.BROKEN_FEED in w.kinds)


def mark(judgement: Judgement) -> str:
    """The name of the shape that stands for a verdict."""
    return "together" if judgement.deciding_pooled_test else str(judgement.verdict)


def severity(window: WindowDrift) -> tuple[bool, bool, float, float]:
    """A key that sorts the most drifted window first.

    By verdict, by whether the window drifts by itself, by p-value, and by JSD above its noise.
    """
    judgement = window.judgement
    pooled = judgement.deciding_pooled_test
    p = judgement.p_value if pooled is None else pooled.p_value
    score = judgement.scores["jsd"]
    excess = score.value - score.noise_ceiling
    return (
        judgement.verdict is not Verdict.DRIFT,
        pooled is not None,
        2.0 if math.isnan(p) else p,
        0.0 if math.isnan(excess) else -excess,
    )


def when(windows: Sequence[WindowDrift]) -> str:
    """When the drifted ones of these windows are, neighbours joined: "5–7 Mar 2026, 9 Mar 2026"."""
    runs: list[list[WindowDrift]] = []
    for window in drifted(windows):
        if runs and window.start is not None and runs[-1][-1].end == window.start:
            runs[-1].append(window)
        else:
            runs.append([window])
    if not runs:
        return MISSING
    # Of many, the longest; in the order of time.
    longest = sorted(range(len(runs)), key=lambda i: -len(runs[i]))[:_MOST_PERIODS]
    shown = [period(runs[i][0].start, runs[i][-1].end) for i in sorted(longest)]
    if left := len(runs) - len(shown):
        shown.append(f"and {plural(left, 'more period')}")
    return _capital("; ".join(shown))


def episodes_in_words(windows: Sequence[WindowDrift]) -> tuple[str, ...]:
    """The shifts of more than one window, with their first and last: "2–11 Aug 2017, 10 windows"."""
    starts = {w.start for w in windows}
    return tuple(
        f"{period(episode.start, episode.end)}, {plural(episode.n_windows, 'window')}"
        # One that began before these windows has more of them.
        + ("" if episode.start in starts else " of it here")
        + (", goes on" if episode.goes_on else "")
        for episode in episodes_of(windows)
        if episode.n_windows > 1
    )


def how_sure(window: WindowDrift) -> str:
    """The odds of this verdict under no drift, or the user's rule that made it."""
    judgement = window.judgement
    if judgement.verdict is Verdict.INCONCLUSIVE:
        return sentence(prose(judgement.reason))
    if judgement.thresholds:
        return (
            f"Your own thresholds decide: {prose(judgement.reason)}; {p_equals(judgement.p_value)} is only "
            "for information."
        )
    if pooled := judgement.deciding_pooled_test:
        alone = (
            ""
            if math.isnan(judgement.p_value)
            else f" This window alone: {p_equals(judgement.p_value)}."
        )
        return (
            f"{p_equals(pooled.p_value)} for {_together(pooled)}, {plural(pooled.n_rows, 'row')}. Without "
            f"drift at most {one_in(pooled.alpha)} of such tests says drift "
            f"(alpha = {pooled.alpha:.2g}).{alone}"
        )
    return (
        f"{p_equals(judgement.p_value)}. At most {one_in(judgement.alpha)} windows without drift is called "
        f"drifted (alpha = {judgement.alpha:.2g})."
    )


def distance(window: WindowDrift) -> str:
    """The window's JSD beside what chance gives."""
    score = window.judgement.scores["jsd"]
    return f"JSD {number(score.value)}, where chance alone gives {number(score.noise_floor)}"


def flagged(judgement: Judgement) -> tuple[Outcome, ...]:
    """The tests that carry a drift verdict, the one that is easiest to picture first."""
    if judgement.verdict is not Verdict.DRIFT or not judgement.tests:
        return ()
    deciding = judgement.deciding_pooled_test or judgement
    return telling(deciding.tests, deciding.alpha)


def causes(window: WindowDrift) -> tuple[str, ...]:
    """What changed in a drifted window, one sentence for each test that shows it."""
    judgement = window.judgement
    if pooled := judgement.deciding_pooled_test:
        # The counts of those windows are not kept, only what the tests say of them.
        changes = join([subtest_named(test.name).sees for test in flagged(judgement)])
        return (f"It shows only in {_together(pooled)}: {changes}.",)
    return tuple(subtest_named(test.name).sentence(judgement) for test in flagged(judgement))


def sentence(text: str) -> str:
    """`text` with a capital letter, and a full stop unless it ends like a sentence.

    Examples
    --------
    >>> sentence("is this an image?"), sentence("an image..."), sentence("two images")
    ('Is this an image?', 'An image.', 'Two images.')
    """
    if not text or text.endswith(("?", "!", "…")):
        return _capital(text)
    return _capital(text).rstrip(".") + "."


def title(window: WindowDrift) -> str:
    """Which window this is, in a few words."""
    span = period(window.start, window.end)
    return _capital(span) if window.segment is None else f"{plain(window.segment)}, {span}"


def join(parts: Sequence[str]) -> str:
    """Parts as people list them: "a, b and c"."""
    return " and ".join([*([", ".join(parts[:-1])] if parts[:-1] else []), *parts[-1:]])


def _together(pooled: PooledTest) -> str:
    return f"the last {pooled.n_windows} windows together"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def changed_rows(window: WindowDrift) -> str:
    """The share of a window's rows that changed; – where it drifts only with others and no row shows it."""
    change = window.change
    if change is None or (window.judgement.is_by_pooled_test and change.low <= 0):
        return "–"
    return percent(change.share)
