"""A drift report ─► what the page shows: which windows in full, which rows as pictures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from monitor.clusters import Example
from monitor.drift import ClusterShift, Verdict
from monitor.drift.significance import telling
from monitor.failures import describe
from monitor.images import SourcePolicy
from monitor.reports.changed import changed_examples, changed_views
from monitor.reports.findings import FeatureSummary, Findings, WindowDrift
from monitor.reports.gallery import Pictures
from monitor.reports.sentences import drifted, overall, severity
from monitor.reports.thumbnails import collect_thumbnails
from monitor.reports.timeline import has_chart, timeline
from monitor.reports.views import (
    ClusterView,
    Detail,
    FailureRow,
    FeatureView,
    Page,
    Row,
    SegmentView,
)
from monitor.reports.wording import period

MAX_DETAILS: Final = 12
"""Windows shown in full, over all features; the table and the JSON hold every one."""
_LEAST_DETAILS, _SEGMENT_DETAILS, _N_OPEN = 3, 4, 2
_TOP_CLUSTERS = 5
_PICTURES, _FIRST_PICTURES, _NOVEL_PICTURES = 4, 2, 8
_MOST_ROWS, _MAX_SEGMENT_ROWS = 60, 60
_WIDE, _NARROW = 1000, 400


@dataclass(frozen=True)
class _Choice:
    """What is shown of a feature, before any picture is fetched."""

    summary: FeatureSummary
    windows: tuple[WindowDrift, ...]
    segments: tuple[WindowDrift, ...]
    detailed: tuple[WindowDrift, ...]
    detailed_segments: tuple[WindowDrift, ...]


def build_page(report: Findings, *, policy: SourcePolicy | None, thumbnails: bool) -> Page:
    """What the page shows of `report`; fetches its pictures unless `thumbnails` is False."""
    choices = [_choose(report, summary) for summary in report.features]
    sources = [example.source for example in _examples(choices) if example.source]
    pictures = Pictures(collect_thumbnails(sources, policy) if thumbnails else {})
    return Page(
        report=report,
        features=tuple(_feature(i, choice, pictures) for i, choice in enumerate(choices)),
        pictures=tuple(pictures.data),
        has_examples=bool(sources),
    )


def _choose(report: Findings, summary: FeatureSummary) -> _Choice:
    mine = [w for w in report.windows if w.feature == summary.name]
    windows = overall(mine)
    segments = tuple(w for w in mine if w.segment is not None)
    most = max(_LEAST_DETAILS, MAX_DETAILS // len(report.features))
    detailed = sorted(drifted(windows), key=severity)[:most]
    if not detailed:
        # Even where nothing drifted, one comparison shows what was looked at.
        judged = [w for w in windows if w.judgement.verdict is Verdict.NO_DRIFT]
        detailed = sorted(judged, key=severity)[:1]
    return _Choice(
        summary=summary,
        windows=windows,
        segments=segments,
        detailed=tuple(detailed),
        detailed_segments=tuple(sorted(drifted(segments), key=severity)[:_SEGMENT_DETAILS]),
    )


def _examples(choices: Sequence[_Choice]) -> Iterator[Example]:
    """The rows that may be shown as pictures, those that matter most first."""
    for choice in choices:
        yield from chain.from_iterable(c[:_PICTURES] for c in choice.summary.examples)
    worst_first = sorted(
        (w for choice in choices for w in (*choice.detailed, *choice.detailed_segments)),
        key=severity,
    )
    # A few of each window before more of any.
    for window in worst_first:
        yield from changed_examples(window)
    for part in (slice(0, _FIRST_PICTURES), slice(_FIRST_PICTURES, _PICTURES)):
        for window in worst_first:
            yield from window.novel_examples[2 * part.start : 2 * part.stop]
            for shift in _ordered(window)[0][:_TOP_CLUSTERS]:
                yield from _of_cluster(window.examples, shift.cluster)[part]


def _of_cluster(examples: Sequence[tuple[Example, ...]], cluster: int) -> tuple[Example, ...]:
    return examples[cluster] if cluster < len(examples) else ()


def _ordered(window: WindowDrift) -> tuple[list[ClusterShift], str]:
    """The clusters, the one that changed most first, and what that means."""
    judgement = window.judgement
    if any(test.name == "mix" for test in telling(judgement.tests, judgement.alpha)):
        by_part = sorted(judgement.clusters, key=lambda s: -s.contribution)
        return by_part, "the largest part of the JSD first"

    def moved(shift: ClusterShift) -> float:
        return 0.0 if math.isnan(shift.movement) else shift.movement * shift.window_share

    by_movement = sorted(judgement.clusters, key=lambda s: -moved(s))
    return by_movement, "the one whose rows moved most first, as chance may explain their shares"


def _feature(index: int, choice: _Choice, pictures: Pictures) -> FeatureView:
    name = f"f{index}"
    summary = choice.summary
    targets = {id(w): f"{name}-w{i}" for i, w in enumerate(choice.detailed)}
    targets |= {id(w): f"{name}-s{i}" for i, w in enumerate(choice.detailed_segments)}

    def detail(window: WindowDrift, is_open: bool) -> Detail:
        shifts, order = _ordered(window)
        top = shifts[:_TOP_CLUSTERS]
        return Detail(
            id=targets[id(window)],
            window=window,
            is_open=is_open,
            clusters=tuple(
                ClusterView(
                    shift=s,
                    before=pictures.gallery(_of_cluster(summary.examples, s.cluster), _PICTURES),
                    after=pictures.gallery(_of_cluster(window.examples, s.cluster), _PICTURES),
                )
                for s in top
            ),
            others=tuple(shifts[_TOP_CLUSTERS:]),
            order=order,
            # Groups of what changed hold the novel rows too.
            novel=pictures.gallery(() if window.groups else window.novel_examples, _NOVEL_PICTURES),
            changed=changed_views(window, pictures),
        )

    def opens(i: int, window: WindowDrift) -> bool:
        is_only = len(choice.windows) == 1
        return is_only or (i < _N_OPEN and window.judgement.verdict is Verdict.DRIFT)

    links = [targets.get(id(w)) for w in choice.windows]
    charts = [
        timeline(choice.windows, width, targets=links) if has_chart(choice.windows) else None
        for width in (_WIDE, _NARROW)
    ]
    rows = [Row(w, link) for w, link in zip(choice.windows, links, strict=True)]
    folds = len(rows) > _MOST_ROWS
    drifted_segments = sorted(drifted(choice.segments), key=severity)
    return FeatureView(
        id=name,
        summary=summary,
        windows=choice.windows,
        rows=tuple(row for row in rows if not (folds and _is_quiet(row.window))),
        quiet_rows=tuple(row for row in rows if folds and _is_quiet(row.window)),
        wide=charts[0],
        narrow=charts[1],
        details=tuple(detail(w, opens(i, w)) for i, w in enumerate(choice.detailed)),
        segments=_segments(choice.segments),
        segment_rows=tuple(
            Row(w, targets.get(id(w))) for w in drifted_segments[:_MAX_SEGMENT_ROWS]
        ),
        segment_details=tuple(detail(w, False) for w in choice.detailed_segments),
        n_segment_rows=len(drifted_segments),
        failures=_failures(summary, choice.windows),
        baseline=tuple(
            pictures.gallery(_of_cluster(summary.examples, k), _PICTURES)
            for k in range(len(summary.histogram))
        ),
    )


def _is_quiet(window: WindowDrift) -> bool:
    return window.judgement.verdict is Verdict.NO_DRIFT


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
