"""A drift report ─► what the page shows: which windows in full, which rows as pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from monitor.clusters import Example
from monitor.drift import Verdict
from monitor.failures import describe
from monitor.images import SourcePolicy
from monitor.images.remembered import remembered_policy
from monitor.reports.answer import answer
from monitor.reports.changed import changed_examples
from monitor.reports.details import PICTURES, cluster_examples, detail, of_cluster
from monitor.reports.episodes import dated
from monitor.reports.findings import FeatureSummary, Findings, WindowDrift
from monitor.reports.gallery import Pictures
from monitor.reports.scene import scene, scene_examples
from monitor.reports.sentences import broken, drifted, mark, overall, severity
from monitor.reports.shifts import Shift, report_shifts, runs, shifts
from monitor.reports.thumbnails import Thumbnail, collect_thumbnails
from monitor.reports.timeline import has_chart, timeline
from monitor.reports.views import Detail, FailureRow, FeatureView, Page, Row, SegmentView, ShiftView
from monitor.reports.wording import period

MAX_DETAILS: Final = 12
"""Windows shown in full, over all features; the table and the JSON hold every one."""
MAX_SHIFTS: Final = 6
"""Shifts on the first screen: the first in full, the others in a line."""
_LEAST_DETAILS, _SEGMENT_DETAILS = 3, 4
_FIRST_PICTURES, _NOVEL_PICTURES = 2, 8
_MOST_ROWS, _MAX_SEGMENT_ROWS = 60, 60
_WIDE, _NARROW = 1000, 400
_MAP_POINTS: Final = 20_000
"""Points of a side in all maps of a page, so that these stay below a quarter of a megabyte."""
_MOST_MAP_POINTS: Final = 5_000


@dataclass(frozen=True)
class _Choice:
    """What is shown of a feature, before any picture is fetched."""

    summary: FeatureSummary
    windows: tuple[WindowDrift, ...]
    segments: tuple[WindowDrift, ...]
    shifts: tuple[Shift, ...]
    detailed: tuple[WindowDrift, ...]
    detailed_segments: tuple[WindowDrift, ...]


def build_page(report: Findings, *, policy: SourcePolicy | None, thumbnails: bool) -> Page:
    """What the page shows of `report`; fetches its pictures unless `thumbnails` is False.

    Without a policy, the images of a column are fetched under the one that this process embedded them
    under, if it did.
    """
    choices = [_choose(report, summary) for summary in report.features]
    has_examples = any(example.source for example in _examples(choices))
    pictures = Pictures(_fetched(choices, policy) if thumbnails else {})
    n_details = sum(len(c.detailed) + len(c.detailed_segments) for c in choices)
    most_points = min(_MOST_MAP_POINTS, _MAP_POINTS // max(n_details, 1))
    targets = _targets(choices)
    return Page(
        report=report,
        features=tuple(
            _feature(i, choice, pictures, targets, most_points) for i, choice in enumerate(choices)
        ),
        shifts=tuple(
            ShiftView(
                feature=summary.name,
                span=period(shift.start, shift.end),
                mark=mark(shift.lead.judgement),
                answer=answer(shift, noun=summary.noun),
                scene=scene(shift.lead, pictures),
                target=targets.get(id(shift.lead)),
            )
            for shift, summary in report_shifts(report)[:MAX_SHIFTS]
        ),
        pictures=tuple(pictures.data),
        has_examples=has_examples,
        blank=pictures.blank,
    )


def _choose(report: Findings, summary: FeatureSummary) -> _Choice:
    mine = [w for w in report.windows if w.feature == summary.name]
    windows = overall(mine)
    segments = tuple(w for w in mine if w.segment is not None)
    most = max(_LEAST_DETAILS, MAX_DETAILS // len(report.features))
    all_shifts = shifts(windows)
    # One of each shift before more of any.
    shown = {id(w): w for w in (shift.lead for shift in all_shifts)}
    shown |= {id(w): w for w in sorted((*drifted(windows), *broken(windows)), key=severity)}
    detailed = sorted(list(shown.values())[:most], key=severity)
    if not detailed:
        # Even where nothing drifted, one comparison shows what was looked at.
        judged = [w for w in windows if w.judgement.verdict is Verdict.NO_DRIFT]
        detailed = sorted(judged, key=severity)[:1]
    return _Choice(
        summary=summary,
        windows=windows,
        segments=segments,
        shifts=all_shifts,
        detailed=tuple(detailed),
        detailed_segments=tuple(sorted(drifted(segments), key=severity)[:_SEGMENT_DETAILS]),
    )


def _targets(choices: Sequence[_Choice]) -> dict[int, str]:
    """The id of the block of each window that is shown in full."""
    return {
        id(window): f"f{i}-{letter}{j}"
        for i, choice in enumerate(choices)
        for letter, windows in (("w", choice.detailed), ("s", choice.detailed_segments))
        for j, window in enumerate(windows)
    }


def _fetched(choices: Sequence[_Choice], policy: SourcePolicy | None) -> dict[str, Thumbnail]:
    """The pictures of all features, each under the policy for its column."""
    large = {e.source for c in choices for e in _scenes([c]) if e.source}
    by_column: dict[str | None, list[_Choice]] = {}
    for choice in choices:
        column = choice.summary.source_column if policy is None else None
        by_column.setdefault(column, []).append(choice)
    fetched: dict[str, Thumbnail] = {}
    for column, of_column in by_column.items():
        sources = [example.source for example in _examples(of_column) if example.source]
        sources = [source for source in sources if source not in fetched]
        fetched |= collect_thumbnails(sources, policy or remembered_policy(column), large=large)
    return fetched


def _scenes(choices: Sequence[_Choice]) -> Iterator[Example]:
    for choice in choices:
        for shift in choice.shifts[:MAX_SHIFTS]:
            rows, nearest = scene_examples(shift.lead)
            yield from (*rows, *nearest)


def _examples(choices: Sequence[_Choice]) -> Iterator[Example]:
    """The rows that may be shown as pictures, those that matter most first."""
    yield from _scenes(choices)
    worst_first = sorted(
        (w for choice in choices for w in (*choice.detailed, *choice.detailed_segments)),
        key=severity,
    )
    for window in worst_first:
        yield from scene_examples(window)[0]
    # A few of each window before more of any.
    for window in worst_first:
        yield from changed_examples(window)
    for choice in choices:
        yield from chain.from_iterable(c[:PICTURES] for c in choice.summary.examples)
    for part in (slice(0, _FIRST_PICTURES), slice(_FIRST_PICTURES, PICTURES)):
        for window in worst_first:
            yield from window.novel_examples[2 * part.start : 2 * part.stop]
            yield from cluster_examples(window, part)


def _feature(
    index: int,
    choice: _Choice,
    pictures: Pictures,
    targets: dict[int, str],
    most_points: int,
) -> FeatureView:
    summary = choice.summary

    # Each is told with the begin of its episode, as the shift above it is.
    told = {id(w): whole for w, whole in zip(choice.windows, dated(choice.windows), strict=True)}

    def in_full(windows: Sequence[WindowDrift]) -> tuple[Detail, ...]:
        return tuple(
            detail(summary, told.get(id(w), w), pictures, targets[id(w)], most_points=most_points)
            for w in windows
        )

    links = [targets.get(id(w)) for w in choice.windows]
    charts = [
        timeline(choice.windows, width, targets=links) if has_chart(choice.windows) else None
        for width in (_WIDE, _NARROW)
    ]
    rows = _rows(choice.windows, targets)
    folds = len(rows) > _MOST_ROWS
    drifted_segments = sorted(drifted(choice.segments), key=severity)
    return FeatureView(
        id=f"f{index}",
        summary=summary,
        windows=choice.windows,
        rows=tuple(row for row in rows if not (folds and _is_quiet(row.window))),
        quiet_rows=tuple(row for row in rows if folds and _is_quiet(row.window)),
        wide=charts[0],
        narrow=charts[1],
        details=in_full(choice.detailed),
        segments=_segments(choice.segments),
        segment_rows=tuple(
            Row(w, targets.get(id(w)), w) for w in drifted_segments[:_MAX_SEGMENT_ROWS]
        ),
        segment_details=in_full(choice.detailed_segments),
        n_segment_rows=len(drifted_segments),
        failures=_failures(summary, choice.windows),
        baseline=tuple(
            pictures.gallery(of_cluster(summary.examples, k), PICTURES)
            for k in range(len(summary.histogram))
        ),
    )


def _rows(windows: Sequence[WindowDrift], targets: dict[int, str]) -> list[Row]:
    """A line for each window; neighbours without any row, which say the same, share one."""
    return [Row(run.first, targets.get(id(run.first)), run.last, run.n) for run in runs(windows)]


def _is_quiet(window: WindowDrift) -> bool:
    return window.judgement.verdict is Verdict.NO_DRIFT and not window.kinds


def _segments(windows: Sequence[WindowDrift]) -> tuple[SegmentView, ...]:
    by_name: dict[str, list[WindowDrift]] = {}
    for window in windows:
        by_name.setdefault(str(window.segment), []).append(window)
    views = [SegmentView(name, tuple(of)) for name, of in by_name.items()]
    return tuple(sorted(views, key=lambda view: (severity(view.worst), view.name)))


def _failures(summary: FeatureSummary, windows: Sequence[WindowDrift]) -> tuple[FailureRow, ...]:
    total: Counter[str] = Counter()
    for window in windows:
        total.update(window.failures)
    reasons = sorted({*total, *summary.failures}, key=lambda r: (-total[r], r))
    rows = []
    for reason in reasons:
        worst = max(windows, key=lambda w: w.failures.get(reason, 0), default=None)
        rows.append(
            FailureRow(
                reason=reason,
                meaning=describe(reason),
                n_rows=total[reason],
                n_baseline=summary.failures.get(reason, 0),
                worst=period(worst.start, worst.end) if worst and total[reason] else "",
            )
        )
    return tuple(rows)
