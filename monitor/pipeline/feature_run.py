"""One feature of a frame, window by window: its rows placed in clusters, judged and explained."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.clusters import (
    Baseline,
    BaselineStatistics,
    WindowSketch,
    count_values,
    largest_repeated_share,
)
from monitor.drift import (
    LONGEST,
    ColumnExplanation,
    Judgement,
    PastWindow,
    PooledTest,
    Rules,
    Verdict,
    explain,
    failure_shifts,
    judge,
    onset,
    pooled_tests,
    quality_shifts,
    resolve_thresholds,
    shift_kinds,
)
from monitor.features import CustomFeature
from monitor.frames import Times, Vectors
from monitor.pipeline.levels import Levels
from monitor.pipeline.rows import (
    RowExamples,
    count_failures,
    read_quality,
    read_vectors,
    segment_values,
    utc,
)
from monitor.reports import FeatureSummary, WindowDrift
from monitor.windows import Every, Window

MOST_NOVEL = 0.2
"""Where more of the baseline lies beyond its novelty radius, clusters were fitted on too few rows."""
REPEATED_SHARE, REPEATED_ROWS = 0.05, 10
"""So many equal vectors in a window are worth a note: a broken feed serves one placeholder image."""


@dataclass(frozen=True, eq=False)
class _Part:
    """The rows of a window that have vectors."""

    window: Window
    rows: NDArray[np.int64]  # in the frame
    at: NDArray[np.int64]  # among the rows with vectors
    failures: dict[str, int]
    sketch: WindowSketch


@dataclass(frozen=True, eq=False)
class FeatureRun:
    """One feature's rows, assigned to the clusters of its baseline."""

    baseline: Baseline
    vectors: Vectors
    position: NDArray[np.int64]  # of each frame row among the usable ones, −1 for the others
    scaled: NDArray[np.float32]
    labels: NDArray[np.int64]
    distances: NDArray[np.float32]
    quality: NDArray[np.float32] | None  # one row per frame row
    columns: dict[str, NDArray[np.object_]]  # metadata, one value per frame row
    missing_columns: tuple[str, ...]
    examples: RowExamples
    rules: Rules
    thresholds: Mapping[str, float | str]  # as they were given
    levels: Levels

    @classmethod
    def open(
        cls,
        frame: Any,
        baseline: Baseline,
        times: Times | None,
        rules: Rules,
        thresholds: Mapping[str, float | str],
        levels: Levels,
    ) -> FeatureRun:
        """Read the feature's columns of `frame`, and place its rows."""
        feature = CustomFeature.from_dict(dict(baseline.feature))
        vectors = read_vectors(frame, feature, width=baseline.width)
        baseline.check_fingerprint(vectors.fingerprint)
        scaled, labels, distances = baseline.assign(vectors.matrix)
        position = np.full(len(vectors.usable), -1, dtype=np.int64)
        position[vectors.usable] = np.arange(len(scaled))
        there = set(frames.column_names(frame))
        return cls(
            baseline=baseline,
            vectors=vectors,
            position=position,
            scaled=scaled,
            labels=labels,
            distances=distances,
            quality=None if baseline.quality is None else read_quality(frame, feature),
            columns={
                name: segment_values(frame, name, most=None)
                for name in baseline.columns
                if name in there
            },
            missing_columns=tuple(name for name in baseline.columns if name not in there),
            examples=RowExamples(frame, feature, times),
            rules=rules,
            thresholds=thresholds,
            levels=levels,
        )

    def summary(self) -> FeatureSummary:
        """What the report says of the feature and its baseline."""
        feature, baseline = self.examples.feature, self.baseline
        variation = baseline.statistics.variation
        means = baseline.statistics.sketch.cluster_means
        return FeatureSummary(
            name=baseline.name,
            source_column=feature.origin.source_column,
            column=feature.origin.column,
            baseline_id=baseline.id,
            fingerprint=baseline.fingerprint,
            n_fit=baseline.n_fit,
            histogram=baseline.histogram.counts,
            n_held_out=baseline.statistics.n_held_out,
            n_novel=baseline.statistics.n_held_out_novel,
            mean_moments=tuple(baseline.statistics.mean_moments.tolist()),
            whitened_moments=tuple(baseline.statistics.whitened_moments.tolist()),
            correlation=None if variation is None else variation.mix.correlation,
            unevenness=1.0 if variation is None else variation.unevenness,
            cluster_products=tuple(tuple(row) for row in (means @ means.T).tolist()),
            distance_positions=tuple(baseline.distance_positions.tolist()),
            failures=baseline.histogram.failures,
            examples=baseline.examples,
            choice=baseline.choice,
            time_range=baseline.time_range,
            segment_column=baseline.segment_column,
        )

    def notes(self, every: Every | None) -> list[str]:
        """What must be known to read this feature's verdicts, in sentences."""
        found = [self._variation_note()]
        known = self.baseline.statistics.variation
        if known is not None and every is not None and Every.parse(known.every) != every:
            found.append(
                f"the natural variation of feature {self.baseline.name!r} was learned from windows of "
                f"{known.every}, other than these: fit the baseline with the same every"
            )
        novel_share = self.baseline.statistics.novel_share
        if novel_share > MOST_NOVEL:
            found.append(
                f"{novel_share:.0%} of the baseline's own rows count as novel for feature "
                f"{self.baseline.name!r}, so new content is hard to see: {self.baseline.n_fit} rows are "
                f"few for {self.baseline.n_clusters} clusters; give more rows, or set n_clusters to a "
                "smaller number"
            )
        if self.baseline.fingerprint and not self.vectors.fingerprint:
            found.append(
                f"the vectors of feature {self.baseline.name!r} do not say which encoder made them, so "
                f"it was not checked against the baseline's, {self.baseline.fingerprint}"
            )
        if self.missing_columns:
            found.append(
                f"the frame has no column {', '.join(self.missing_columns)}, which the baseline of feature "
                f"{self.baseline.name!r} would explain shifts by"
            )
        return found

    def _variation_note(self) -> str:
        variation = self.baseline.statistics.variation
        if variation is None:
            return (
                f"for feature {self.baseline.name!r} rows are taken as independent: its baseline does "
                "not know how windows vary without drift (fit it with timestamp_column on 5 windows or "
                "more), so that traffic which varies from day to day may be called drifted too often"
            )
        mix = variation.mix
        return (
            f"feature {self.baseline.name!r} is judged against the natural variation of "
            f"{len(variation.sizes)} windows of {variation.every} of its baseline: rows of one window "
            f"are alike with a correlation of {mix.correlation:.2g}"
            + ("; each day of the week is held against its own" if self.baseline.seasons else "")
        )

    def windows(
        self, windows: Sequence[Window], every: Every | None, past: Sequence[PastWindow]
    ) -> list[WindowDrift]:
        """All windows, each by itself and with those before it; `past` comes before the first."""
        parts = [self._part(window) for window in windows]
        references = [self._reference(window, every) for window in windows]
        judgements = [
            judge(part.sketch, self.baseline, rules=self.rules, reference=reference)
            for part, reference in zip(parts, references, strict=True)
        ]
        past = past[-2 * LONGEST :]
        sketches = [one.sketch for one in past] + [part.sketch for part in parts]
        starts = [one.start for one in past] + [
            None if window.start is None else utc(window.start) for window in windows
        ]
        known = [start for start in starts if start is not None]
        are_in_a_row = every is not None and len(known) == len(starts)
        if every is not None and are_in_a_row and self.levels.pooled and not self.rules.thresholds:
            drifted = [one.is_drift for one in past]
            drifted += [found.verdict is Verdict.DRIFT for found in judgements]
            numbers = every.number(
                np.array([start.replace(tzinfo=None) for start in known], "datetime64[us]")
            )
            tests = pooled_tests(
                sketches,
                numbers.tolist(),
                drifted,
                self.baseline,
                rules=replace(self.rules, alpha=self.levels.pooled),
            )[len(past) :]
            judgements = [
                found if pooled is None else _with_pooled_test(found, pooled)
                for found, pooled in zip(judgements, tests, strict=True)
            ]
        told = []
        for i, (part, found) in enumerate(zip(parts, judgements, strict=True)):
            began = None
            if found.verdict is Verdict.DRIFT:
                began = starts[onset(sketches[: len(past) + i + 1], self.baseline)]
            told.append(self._told(part, found, began=began))
        return told

    def _reference(self, window: Window, every: Every | None) -> BaselineStatistics:
        """What a window is compared with: its own day of the week, where the days differ."""
        if every is None or window.start is None or window.end is None or not self.baseline.seasons:
            return self.baseline.statistics
        known = self.baseline.seasons[0].variation
        if known is None or Every.parse(known.every) != every:
            return self.baseline.statistics
        # Its middle: a civil day of a zone may start on the day before in UTC.
        middle = utc(window.start) + (utc(window.end) - utc(window.start)) / 2
        number = every.number(np.array([middle.replace(tzinfo=None)], "datetime64[us]"))
        return self.baseline.statistics_of(int(number[0]))

    def segment(self, window: Window, column: str, value: str) -> WindowDrift:
        """One segment of a window."""
        part = self._part(window)
        reference = self.baseline.segments.get(value)
        rules = replace(self.rules, alpha=self.levels.segment)
        if reference is not None and self.thresholds:
            limits = resolve_thresholds(
                self.thresholds, reference, rules.distances, minimum_rows=rules.minimum_rows
            )
            rules = replace(rules, thresholds=limits)
        judgement = judge(part.sketch, self.baseline, rules=rules, reference=reference)
        return self._told(part, self._unless_incomparable(judgement, value, column), segment=value)

    def _part(self, window: Window) -> _Part:
        at = self.position[window.rows]
        rows, at = window.rows[at >= 0], at[at >= 0]
        failures = count_failures(self.vectors.failures[window.rows])
        sketch = self.baseline.sketch_assigned(
            self.scaled[at], self.labels[at], self.distances[at], failures
        )
        return _Part(window, rows, at, failures, sketch)

    def _told(
        self,
        part: _Part,
        judgement: Judgement,
        *,
        segment: str | None = None,
        began: dt.datetime | None = None,
    ) -> WindowDrift:
        """The judgement with its causes and examples."""
        baseline, window = self.baseline, part.window
        labels, distances = self.labels[part.at], self.distances[part.at]
        repeated = largest_repeated_share(self.scaled[part.at])
        is_placeholder = self._is_broken_feed(repeated, len(part.at))
        notes: tuple[str, ...] = ()
        if is_placeholder:
            seen = (
                f"{repeated:.0%} of the rows hold one and the same vector (in the baseline at most "
                f"{baseline.most_repeated:.0%}): is the feed serving a placeholder image?"
            )
            notes = (seen,)
        held = baseline.histogram
        # A segment has always differed from the whole, whose failures and pixels alone are known.
        is_whole = segment is None
        n_baseline = held.n_failed + baseline.n_rows
        lost = (
            failure_shifts(held.failures, n_baseline, part.failures, len(window.rows))
            if is_whole
            else ()
        )
        pixels = (
            quality_shifts(baseline.quality, baseline.quality.count(self.quality[part.rows]))
            if is_whole and baseline.quality and self.quality is not None and len(part.rows)
            else ()
        )
        is_drift = judgement.verdict is Verdict.DRIFT
        far = np.argsort(-distances, kind="stable")
        far = far[distances[far] > baseline.novelty_radius]
        return WindowDrift(
            feature=baseline.name,
            start=None if window.start is None else utc(window.start),
            end=None if window.end is None else utc(window.end),
            segment=segment,
            failures=part.failures,
            judgement=judgement,
            examples=self.examples.per_cluster(part.rows, labels, distances, baseline.n_clusters),
            novel_examples=self.examples.first(part.rows[far], distances[far]),
            most_repeated=repeated,
            began=began,
            kinds=shift_kinds(judgement, pixels, lost, is_placeholder=is_placeholder),
            quality=pixels,
            failure_shifts=lost,
            explanations=self._explain(part) if is_drift and segment is None else (),
            notes=notes,
        )

    def _explain(self, part: _Part) -> tuple[ColumnExplanation, ...]:
        labels = self.labels[part.at]
        tables = {
            name: count_values(values[part.rows].tolist(), labels, self.baseline.columns[name])
            for name, values in self.columns.items()
        }
        return explain(self.baseline.columns, tables) if tables else ()

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

    def _is_broken_feed(self, repeated: float, n_rows: int) -> bool:
        return (
            repeated > max(REPEATED_SHARE, 2 * self.baseline.most_repeated)
            and repeated * n_rows >= REPEATED_ROWS
        )


def _with_pooled_test(judgement: Judgement, pooled: PooledTest) -> Judgement:
    """A window that is calm by itself has drifted when the last windows together have."""
    is_empty = judgement.window_histogram.sum() == 0
    if judgement.verdict is Verdict.DRIFT or not pooled.is_drift or is_empty:
        return replace(judgement, pooled_test=pooled)
    return replace(
        judgement,
        pooled_test=pooled,
        is_by_pooled_test=True,
        verdict=Verdict.DRIFT,
        reason=(
            f"the last {pooled.n_windows} windows together have drifted (p = {pooled.p_value:.2g}); this one "
            "alone is too small to show it"
        ),
    )
