"""One feature of a frame: its windows and their segments, judged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.clusters import Baseline, BaselineStatistics, WindowSketch
from monitor.drift import (
    DISTANCES,
    MOST_FIRST,
    MOST_PAST,
    Judgement,
    PastWindow,
    Rules,
    SequenceWindow,
    Shift,
    Verdict,
    judge,
    judge_sequence,
    resolve_thresholds,
)
from monitor.pipeline.budget import AlarmBudget
from monitor.pipeline.causes import Causes
from monitor.pipeline.contexts import context_notes
from monitor.pipeline.placed import PlacedWindow
from monitor.progress import steps
from monitor.reports import FeatureSummary, WindowDrift
from monitor.rules import RunRules


@dataclass(frozen=True, eq=False)
class FeatureRun:
    """Judges the windows of one feature.

    Parameters
    ----------
    causes
        Says what moved, over the feature's rows.
    rules
        The rules of the run.
    budget
        The feature's part of the false alarms.
    """

    causes: Causes
    rules: RunRules
    budget: AlarmBudget

    @property
    def baseline(self) -> Baseline:
        """What windows are compared with."""
        return self.causes.placed.baseline

    def judge_windows(
        self, windows: Sequence[PlacedWindow], past: Sequence[PastWindow]
    ) -> list[WindowDrift]:
        """All windows, each by itself and with those before it.

        Parameters
        ----------
        windows
            In the order of time.
        past
            The windows before the first of them, or the first `MOST_FIRST` and the last `MOST_PAST` of these.
        """
        sequence = [self._sequence_window(window) for window in windows]
        before = self._past_windows(past)
        past = past[-MOST_PAST:]
        judged = judge_sequence(
            sequence,
            self.baseline,
            rules=self._drift_rules(self.budget.window, self.baseline.statistics),
            pooled_alpha=self.budget.pooled,
            past=before[-MOST_PAST:],
            first=before[:MOST_FIRST],
        )
        spans = [window.span for window in windows]
        starts = [
            *(window.start for window in past),
            *(None if span is None else span.start for span in spans),
        ]
        ends = [*starts[1 : len(past) + 1], *(None if span is None else span.end for span in spans)]
        entries = []
        pairs = list(zip(windows, judged, strict=True))
        for at, (window, verdict) in enumerate(steps(pairs, "looking for causes"), len(past)):
            judgement = verdict.judgement
            is_closed = self._is_closed(window)
            if window.n_rows == 0:
                judgement = replace(judgement, reason=_without_rows(is_closed))
            began, ended = None, None
            if verdict.shift is not None:
                began = starts[max(at - verdict.shift.since, 0)]
                ended = ends[at - verdict.shift.until] if verdict.shift.until else None
            entry = self.causes.of(window, judgement, shift=(began, ended), is_closed=is_closed)
            if self.baseline.context is not None:
                notes = context_notes(window.sketch.contexts, self.baseline.context)
                entry = replace(entry, notes=(*entry.notes, *notes))
            entries.append(entry)
        return entries

    def judge_segment(self, window: PlacedWindow, column: str, value: str) -> WindowDrift:
        """One segment of a window."""
        reference = self.baseline.segments.get(value)
        rules = self._drift_rules(self.budget.segment, reference or self.baseline.statistics)
        judgement = judge(window.sketch, self.baseline, rules=rules, statistics=reference)
        judgement = self._unless_incomparable(judgement, value, column)
        return self.causes.of(window, judgement, segment=value)

    def summary(self) -> FeatureSummary:
        """What the report says of the feature and its baseline."""
        feature, baseline = self.causes.placed.feature, self.baseline
        variation = baseline.statistics.variation
        means = baseline.statistics.sketch.cluster_means
        return FeatureSummary(
            name=baseline.name,
            source_column=feature.origin.source_column,
            column=feature.origin.column,
            noun=feature.origin.noun,
            baseline_id=baseline.id,
            fingerprint=baseline.fingerprint,
            n_fit=baseline.n_fit,
            histogram=baseline.histogram.counts,
            n_held_out=baseline.statistics.n_held_out,
            n_novel=baseline.statistics.sketch.n_novel,
            mean_moments=tuple(baseline.statistics.mean_moments.tolist()),
            whitened_moments=tuple(baseline.statistics.whitened_moments.tolist()),
            kernel_moments=tuple(baseline.statistics.kernel_moments.tolist()),
            correlation=None if variation is None else variation.mix.correlation,
            unevenness=1.0 if variation is None else variation.unevenness,
            cluster_products=tuple(tuple(row) for row in (means @ means.T).tolist()),
            distance_positions=tuple(baseline.distance_positions.tolist()),
            failures=baseline.histogram.failures,
            examples=baseline.examples,
            cluster_names=tuple(name.text for name in baseline.names),
            choice=baseline.choice,
            time_range=baseline.time_range,
            segment_column=baseline.segment_column,
        )

    def _drift_rules(self, alpha: float, reference: BaselineStatistics) -> Rules:
        distances = (*DISTANCES, *self.rules.distances)
        limits = resolve_thresholds(
            self.rules.thresholds, reference, distances, minimum_rows=self.rules.minimum_rows
        )
        return Rules(alpha, self.rules.minimum_rows, self.rules.minimum_change, limits, distances)

    def _sequence_window(self, window: PlacedWindow) -> SequenceWindow:
        grid, span = self.rules.grid, window.span
        if grid is None or span is None:
            return SequenceWindow(
                window.sketch, self._statistics_of(None, window.sketch), number=None
            )
        # Its middle: a window that was given may begin an hour before the grid's.
        day = grid.number(span.middle)
        statistics = self._statistics_of(day, window.sketch)
        return SequenceWindow(window.sketch, statistics, grid.number(span.start))

    def _past_windows(self, past: Sequence[PastWindow]) -> list[SequenceWindow]:
        grid = self.rules.grid
        numbers = [None if grid is None else grid.number(window.start) for window in past]
        return [
            SequenceWindow(
                window.sketch,
                self._statistics_of(number, window.sketch),
                number,
                is_drift=window.is_drift,
                shift=_shift_of(window, past[: at + 1]),
            )
            for at, (window, number) in enumerate(zip(past, numbers, strict=True))
        ]

    def _is_closed(self, window: PlacedWindow) -> bool:
        """Whether it has no rows at a time of the week at which the baseline never has any."""
        grid, span = self.rules.grid, window.span
        if window.n_rows or grid is None or span is None:
            return False
        has_same_windows = grid.every.per_week == self.baseline.windows_per_week
        return has_same_windows and self.baseline.is_closed(grid.number(span.middle))

    def _statistics_of(self, number: int | None, sketch: WindowSketch) -> BaselineStatistics:
        """What a window is compared with: its own mix of contexts, or day of the week where days differ."""
        if self.baseline.context is not None:
            return self.baseline.statistics_in(sketch.contexts)
        grid = self.rules.grid
        if grid is None:
            return self.baseline.statistics
        return self.baseline.statistics_of(number, str(grid.every))

    def _unless_incomparable(
        self, judgement: Judgement, segment: str, segment_column: str
    ) -> Judgement:
        """A segment has always differed from the whole: without its own baseline no verdict is due."""
        if self.baseline.segment_column != segment_column:
            why = f"the baseline was not fitted with segment_column={segment_column!r}"
        elif segment not in self.baseline.segments:
            why = "the baseline has no rows of this segment"
        else:
            return judgement
        return replace(
            judgement,
            verdict=Verdict.INCONCLUSIVE,
            reason=f"{why}; the distances are to the whole baseline",
            p_value=math.nan,
        )


def _shift_of(window: PastWindow, row: Sequence[PastWindow]) -> Shift | None:
    """The shift that was found after the last window of the row, which is `window`."""
    began, ended = window.began, window.ended
    if began is None:
        return None
    since = sum(began <= other.start for other in row) - 1
    until = 0 if ended is None else sum(ended <= other.start for other in row)
    return Shift(max(since, until), until)


def _without_rows(is_closed: bool) -> str:
    if is_closed:
        return "no rows, as always at this time of the week in the baseline"
    return "no rows at all: nothing arrived for this window"
