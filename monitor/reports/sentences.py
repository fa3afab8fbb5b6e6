"""A report in a sentence: whether, when, what and how sure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from monitor.drift import Judgement, PooledTest, SubTest, Verdict
from monitor.drift.significance import SEES, telling
from monitor.reports.findings import Findings, WindowDrift
from monitor.reports.wording import (
    MISSING,
    moment,
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
    if n == 0:
        return "No windows to judge"
    if n == 1:
        return {
            Verdict.DRIFT: "Drift found",
            Verdict.NO_DRIFT: "No drift found",
            Verdict.INCONCLUSIVE: "No verdict: too few rows with vectors",
        }[windows[0].judgement.verdict]
    if n_drifted:
        return f"{n_drifted:,} of {n:,} windows drifted"
    if n_open == n:
        return f"No verdict: all {n:,} windows have too few rows with vectors"
    if n_open:
        return f"No drift in {n - n_open:,} windows, {n_open:,} inconclusive"
    return f"No drift in {n:,} windows"


def _headline_of_features(report: Findings, windows: Sequence[WindowDrift]) -> str:
    names = {w.feature for w in drifted(windows)}
    n = len(report.features)
    if names:
        return f"Drift in {len(names)} of {n} features"
    if segments := drifted(report.windows):
        return f"Drift in {plural(len(segments), 'segment')} only"
    if all(w.judgement.verdict is Verdict.INCONCLUSIVE for w in windows):
        return "No verdict: every window has too few rows with vectors"
    return f"No drift in {n} features"


def overall(windows: Iterable[WindowDrift]) -> tuple[WindowDrift, ...]:
    """The windows of all rows, without those of segments."""
    return tuple(w for w in windows if w.segment is None)


def drifted(windows: Iterable[WindowDrift]) -> tuple[WindowDrift, ...]:
    """The windows that drifted."""
    return tuple(w for w in windows if w.judgement.verdict is Verdict.DRIFT)


def mark(found: Judgement) -> str:
    """The name of the shape that stands for a verdict."""
    return "together" if found.deciding_pooled_test else str(found.verdict)


def severity(window: WindowDrift) -> tuple[bool, bool, float, float]:
    """A key that sorts the most drifted window first.

    By verdict, by whether the window drifts by itself, by p-value, and by JSD above its noise.
    """
    found = window.judgement
    pooled = found.deciding_pooled_test
    p = found.p_value if pooled is None else pooled.p_value
    score = found.scores["jsd"]
    excess = score.value - score.noise_ceiling
    return (
        found.verdict is not Verdict.DRIFT,
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


def still(windows: Sequence[WindowDrift], *, but: WindowDrift) -> tuple[str, ...]:
    """Since when the newest window drifts, if it is not `but` and earlier ones are part of its shift."""
    newest = windows[-1]
    if newest is but or newest.began is None or newest.start is None:
        return ()
    if newest.began >= newest.start:
        return ()
    return (f"The newest window is part of a shift since {moment(newest.began)}.",)


def how_sure(window: WindowDrift) -> str:
    """The odds of this verdict under no drift, or the user's rule that made it."""
    found = window.judgement
    if found.verdict is Verdict.INCONCLUSIVE:
        return sentence(prose(found.reason))
    if found.thresholds:
        return f"By your thresholds: {prose(found.reason)}; {p_equals(found.p_value)} is for information."
    if pooled := found.deciding_pooled_test:
        alone = (
            "" if math.isnan(found.p_value) else f" This window alone: {p_equals(found.p_value)}."
        )
        return (
            f"{p_equals(pooled.p_value)} for {_together(pooled)}, {plural(pooled.n_rows, 'row')}. Without "
            f"drift such a test says drift at most {one_in(pooled.alpha)} times "
            f"(alpha = {pooled.alpha:.2g}).{alone}"
        )
    return (
        f"{p_equals(found.p_value)}. A window without drift is called drifted at most "
        f"{one_in(found.alpha)} times (alpha = {found.alpha:.2g})."
    )


def distance(window: WindowDrift) -> str:
    """The window's JSD beside what chance gives."""
    score = window.judgement.scores["jsd"]
    return f"JSD {number(score.value)}, where chance alone gives {number(score.noise_floor)}"


def flagged(found: Judgement) -> tuple[SubTest, ...]:
    """The tests that carry a drift verdict, the one that is easiest to picture first."""
    if found.verdict is not Verdict.DRIFT or not found.tests:
        return ()
    made_by = found.deciding_pooled_test or found
    return telling(made_by.tests, made_by.alpha)


def causes(window: WindowDrift) -> tuple[str, ...]:
    """What changed in a drifted window, one sentence per test that saw it."""
    found = window.judgement
    if pooled := found.deciding_pooled_test:
        # Their own counts are not kept, only what the tests say of them.
        seen = join([SEES[test.name] for test in flagged(found)])
        return (f"It shows only in {_together(pooled)}, by {seen}.",)
    say = {
        "mix": _mix_cause,
        "novelty": _novelty_cause,
        "mean": _mean_cause,
        "whitened_mean": _fine_cause,
    }
    return tuple(say[test.name](found) for test in flagged(found))


def kind_of_movement(found: Judgement) -> str:
    """Whether the mean moved by other content or by another appearance, in words."""
    shown = found.deciding_pooled_test or found
    content, appearance = shown.content_shift, shown.appearance_shift
    if content > 2 * appearance:
        return "mostly content: the clusters have other shares"
    if appearance > 2 * content:
        return "mostly appearance: rows look different inside the same clusters"
    return "content and appearance both: other shares, and other looks inside the clusters"


def sentence(text: str) -> str:
    """`text` with a capital and a full stop."""
    return _capital(text).rstrip(".") + "." if text else ""


def title(window: WindowDrift) -> str:
    """Which window this is, in a few words."""
    named = period(window.start, window.end)
    return _capital(named) if window.segment is None else f"{plain(window.segment)}, {named}"


def join(parts: Sequence[str]) -> str:
    """Parts as people list them: "a, b and c"."""
    return " and ".join([*([", ".join(parts[:-1])] if parts[:-1] else []), *parts[-1:]])


def _together(pooled: PooledTest) -> str:
    return f"the last {pooled.n_windows} windows together"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _mix_cause(found: Judgement) -> str:
    most = max(found.clusters, key=lambda shift: shift.contribution)
    verb = "rose" if most.window_share > most.baseline_share else "fell"
    return (
        f"The clusters have other shares; most of all, cluster {most.cluster} {verb} from "
        f"{percent(most.baseline_share)} to {percent(most.window_share)} of the rows."
    )


def _novelty_cause(found: Judgement) -> str:
    return (
        f"{percent(found.novel_share)} of the rows are novel, unlike anything in the baseline "
        f"({percent(found.baseline_novel_share)} there)."
    )


def _mean_cause(found: Judgement) -> str:
    return f"The vectors moved together, {kind_of_movement(found)}."


def _fine_cause(found: Judgement) -> str:
    return "The vectors moved in directions where the baseline hardly varies."
