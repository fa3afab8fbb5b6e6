"""A drift report as plain text for a terminal."""

from __future__ import annotations

import math
from typing import Final

from monitor.drift import ShiftKind, Verdict
from monitor.reports.answer import answer
from monitor.reports.findings import FeatureSummary, Findings
from monitor.reports.notes import telling_notes, window_notes
from monitor.reports.sentences import broken, changed_rows, episodes_in_words, headline, overall
from monitor.reports.shifts import Run, Shift, report_shifts, runs
from monitor.reports.story import step_in_words
from monitor.reports.wording import count, number, p_value, percent, period, plain, prose

_COLUMNS = ("feature", "window", "rows", "failed", "changed", "jsd (floor)", "p", "verdict")
_RIGHT = {"rows", "failed", "changed", "jsd (floor)", "p"}
_MOST_ALSO: Final = 5
_MOST_NOTES: Final = 4


def summary(report: Findings) -> str:
    """An aligned table of all windows, notes that matter, the main shift in words, the answer.

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
    rows = [[_cells(run)[column] for column in columns] for run in runs(report.windows)]
    lines = _table(columns, rows) if rows else []
    for of_feature in report.features:
        windows = [w for w in overall(report.windows) if w.feature == of_feature.name]
        name = f"{plain(of_feature.name)}, " if len(report.features) > 1 else ""
        lines += [f"shift: {name}{shift}" for shift in episodes_in_words(windows)]
        lines += [f"note: {name}{prose(note)}" for note in window_notes(windows, _MOST_NOTES)]
    lines += [f"note: {prose(note)}" for note in telling_notes(report.notes)]
    shifts = report_shifts(report)
    for shift, feature in shifts[:1]:
        lines += ["", *_story(shift, feature, len(report.features) > 1)]
    if also := [_also(shift, feature) for shift, feature in shifts[1 : 1 + _MOST_ALSO]]:
        lines += ["", *also]
    return "\n".join([*lines, *([""] if lines else []), f"{headline(report)}."])


def _story(shift: Shift, feature: FeatureSummary, several: bool) -> list[str]:
    words = answer(shift, noun=feature.noun)
    parts = {
        "why": words.why,
        "how much": (words.how_much,),
        "since when": (words.since,),
        "how sure": (words.how_sure,),
        "what now": [f"{i}. {step_in_words(step)}" for i, step in enumerate(words.steps, 1)],
    }
    name = f"{plain(feature.name)}: " if several else ""
    return [
        f"{name}{words.headline}",
        *(
            f"  {'' if i else part:10}  {line}"
            for part, answers in parts.items()
            for i, line in enumerate(line for line in answers if line)
        ),
    ]


def _also(shift: Shift, feature: FeatureSummary) -> str:
    span = period(shift.start, shift.end)
    words = answer(shift, noun=feature.noun)
    return f"also: {words.headline} ({plain(feature.name)}, {span})"


def _cells(run: Run) -> dict[str, str]:
    window, judgement = run.first, run.first.judgement
    score = judgement.scores["jsd"]
    jsd = "–" if math.isnan(score.value) else f"{number(score.value)} ({number(score.noise_floor)})"
    verdict = str(judgement.verdict)
    if pooled := judgement.deciding_pooled_test:
        verdict += f" (the last {pooled.n_windows} windows together)"
    elif window.n_rows == 0:
        verdict += " (no rows, as always then)" if window.is_closed else " (no rows arrived)"
    elif judgement.n_rows_needed is not None:
        verdict += f" (needs {count(judgement.n_rows_needed)} rows)"
    if window.kinds and judgement.verdict is Verdict.DRIFT:
        verdict += f": {', '.join(window.kinds)}"
    elif broken([window]):
        verdict += f": {ShiftKind.BROKEN_FEED}"
    failed = count(window.n_failed)
    if window.n_failed:
        failed += f" ({percent(window.failure_rate)})"
    return {
        "feature": plain(window.feature),
        "window": period(window.start, run.last.end) + (f" ({run.n} windows)" if run.n > 1 else ""),
        "segment": "all" if window.segment is None else plain(window.segment),
        "rows": count(window.n_rows),
        "failed": failed,
        "changed": changed_rows(window),
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


def in_short(report: Findings) -> str:
    """The report in a few lines, for a prompt: the answer, each shift, and how to see more."""
    rows = [
        f"  {_also(shift, feature).removeprefix('also: ')}"
        for shift, feature in report_shifts(report)[:_MOST_ALSO]
    ]
    return "\n".join(
        [
            f"<DriftReport: {headline(report)}>",
            *rows,
            "  .to_html(path) shows it, .to_frame() has a row for each window, .windows[i] the rest",
        ]
    )
