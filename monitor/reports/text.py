"""A drift report as plain text for a terminal."""

from __future__ import annotations

import math

from monitor.drift import ShiftKind, Verdict
from monitor.reports.findings import Findings, WindowDrift
from monitor.reports.sentences import (
    broken,
    drifted,
    episodes_in_words,
    headline,
    how_sure,
    overall,
    severity,
)
from monitor.reports.story import story
from monitor.reports.wording import count, number, p_value, percent, period, plain, prose

_COLUMNS = ("feature", "window", "rows", "failed", "jsd (floor)", "p", "verdict")
_RIGHT = {"rows", "failed", "jsd (floor)", "p"}


def summary(report: Findings) -> str:
    """An aligned table of all windows, notes, the strongest window in words, and the answer in a line.

    Parameters
    ----------
    report
        What is written; a `segment` column is added when it has segments.

    Returns
    -------
    Lines without a trailing line end, and without control characters from the data.
    """
    has_segments = any(w.segment is not None for w in report.windows)
    columns = [*_COLUMNS[:2], *(["segment"] if has_segments else []), *_COLUMNS[2:]]
    rows = [[_cells(window)[column] for column in columns] for window in report.windows]
    lines = _table(columns, rows) if rows else []
    for feature in report.features:
        windows = [w for w in overall(report.windows) if w.feature == feature.name]
        name = f"{plain(feature.name)}, " if len(report.features) > 1 else ""
        lines += [f"shift: {name}{shift}" for shift in episodes_in_words(windows)]
    lines += [f"note: {prose(note)}" for note in report.notes]
    strongest = _strongest(report)
    if strongest is not None:
        lines += ["", f"{_named(strongest, report)}:", *_story(strongest)]
    return "\n".join([*lines, *([""] if lines else []), _last_line(report, strongest)])


def _strongest(report: Findings) -> WindowDrift | None:
    windows = overall(report.windows)
    candidates = drifted(windows) or drifted(report.windows) or broken(windows)
    return min(candidates, key=severity, default=None)


def _story(window: WindowDrift) -> list[str]:
    points = story(window)
    width = max(len(point.question) for point in points)
    return [
        f"  {'' if i else point.question:{width}}  {answer}"
        for point in points
        for i, answer in enumerate(point.answers)
    ]


def _cells(window: WindowDrift) -> dict[str, str]:
    judgement = window.judgement
    score = judgement.scores["jsd"]
    jsd = "–" if math.isnan(score.value) else f"{number(score.value)} ({number(score.noise_floor)})"
    verdict = str(judgement.verdict)
    if pooled := judgement.deciding_pooled_test:
        verdict += f" (the last {pooled.n_windows} windows together)"
    elif judgement.n_rows_needed is not None:
        verdict += f" (needs {count(judgement.n_rows_needed)} rows)"
    if broken([window]) and judgement.verdict is not Verdict.DRIFT:
        verdict += f": {ShiftKind.BROKEN_FEED}"
    failed = count(window.n_failed)
    if window.n_failed:
        failed += f" ({percent(window.failure_rate)})"
    return {
        "feature": plain(window.feature),
        "window": period(window.start, window.end),
        "segment": "all" if window.segment is None else plain(window.segment),
        "rows": count(window.n_rows),
        "failed": failed,
        "jsd (floor)": jsd,
        "p": p_value(judgement.p_value),
        "verdict": verdict,
    }


def _table(columns: list[str], rows: list[list[str]]) -> list[str]:
    widths = [max(len(cell) for cell in cells) for cells in zip(columns, *rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if column in _RIGHT else cell.ljust(width)
            for column, cell, width in zip(columns, line, widths, strict=True)
        ).rstrip()
        for line in [columns, ["-" * width for width in widths], *rows]
    ]


def _last_line(report: Findings, worst: WindowDrift | None) -> str:
    if worst is None:
        return f"{headline(report)}."
    return f"{headline(report)}. Strongest: {_named(worst, report)}; {how_sure(worst)}"


def _named(window: WindowDrift, report: Findings) -> str:
    name = period(window.start, window.end)
    if len(report.features) > 1:
        name = f"{plain(window.feature)}, {name}"
    if window.segment is not None:
        name = f"{name}, segment {plain(window.segment)}"
    return name
