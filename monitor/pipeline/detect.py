"""Frame with vectors + baseline ─► drift report."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.clusters import Baseline, largest_repeated_share
from monitor.drift import MINIMUM_ROWS, Judgement, Verdict, judge
from monitor.errors import InvalidInputError, TimestampError
from monitor.features import CustomFeature
from monitor.frames import Times, Vectors
from monitor.pipeline.rows import (
    RowExamples,
    count_failures,
    read_vectors,
    segment_values,
    utc,
    vector_column,
)
from monitor.reports import DriftReport, FeatureSummary, WindowDrift
from monitor.windows import Every, Window, cut

ONE_SHOT_ALPHA = 0.01
"""The level of a verdict that belongs to no schedule, so that no rate of false alarms follows from it."""
MOST_ALPHA = 0.05
"""The highest level that follows from a rate of false alarms."""
MOST_NOVEL = 0.2
"""Where more of the baseline lies beyond its novelty radius, clusters were fitted on too few rows."""
REPEATED_SHARE, REPEATED_ROWS = 0.05, 10
"""So many equal vectors in a window are worth a note: a broken feed serves one placeholder image."""


def detect_drift(
    frame: Any,
    baseline: Baseline | Sequence[Baseline],
    *,
    timestamp_column: str | None = None,
    every: str | None = None,
    segment_column: str | None = None,
    max_false_alarms_per_year: float = 1.0,
    alpha: float | None = None,
    minimum_rows: int = MINIMUM_ROWS,
) -> DriftReport:
    """Judge production rows against a baseline, window by window.

    Parameters
    ----------
    frame
        Holds the feature's column of vectors, from `embed` or from elsewhere.
    baseline
        One baseline, or one per feature.
    timestamp_column
        When each row happened; needed for `every`. Rows without a time are counted in a note.
    every
        The window's length: `"1d"`, `"6h"`, `"30min"`, `"1w"`, `"1mo"`; windows are half-open and in
        UTC. By default all rows are one window.
    segment_column
        A metadata column; each of its values is judged too, against the same value in the baseline.
        That must have been fitted with this column; otherwise, and for values that are new, distances
        are to the whole baseline and the verdict is inconclusive.
    max_false_alarms_per_year
        How many windows without drift may be called drifted in a year of such windows, over all
        features and segments, on average. It sets alpha; without `every` alpha is 0.01 over all
        features and segments. Segments together get half of it, whole windows the other half.
    alpha
        The level of one feature in one window or segment, in (0, 1), instead of the above.
    minimum_rows
        Windows with fewer vectors are inconclusive.

    Raises
    ------
    MissingColumnError, TimestampError, FingerprintMismatchError, InvalidInputError
        If columns are missing, times cannot be read, or the vectors come from another encoder.

    Examples
    --------
    >>> import monitor, numpy as np, pandas as pd
    >>> points = monitor.VectorFeature(name="points", column="vector", n_clusters=3)
    >>> rng = np.random.default_rng(0)
    >>> calm = pd.DataFrame({"vector": list(rng.normal(size=(400, 16)))})
    >>> moved = pd.DataFrame({"vector": list(rng.normal(size=(200, 16)) + 1)})
    >>> report = monitor.detect_drift(moved, monitor.fit_baseline(calm, points))
    >>> report.to_frame()["verdict"].tolist()
    ['drift']
    """
    baselines = (
        tuple(baseline) if isinstance(baseline, list | tuple) else (cast(Baseline, baseline),)
    )
    _check_arguments(baselines, every, timestamp_column, max_false_alarms_per_year, minimum_rows)
    times = None if timestamp_column is None else frames.read_times(frame, timestamp_column)
    windows = _windows(frame, times, every)
    segments = None if segment_column is None else segment_values(frame, segment_column)
    n_segments = 0 if segments is None else len(set(segments.tolist()))
    level, segment_level = _levels(
        every, alpha, max_false_alarms_per_year, len(baselines), n_segments
    )
    entries: list[WindowDrift] = []
    runs = [_FeatureRun.open(frame, one, times, minimum_rows) for one in baselines]
    for judged in runs:
        overall = [judged.window(window, level) for window in windows]
        by_segment = (
            []
            if segments is None or segment_column is None
            else [
                judged.window(part, segment_level, segment=value, segment_column=segment_column)
                for window in windows
                for value, part in _split(window, segments)
            ]
        )
        entries += overall + by_segment
    return DriftReport(
        features=tuple(run.summary() for run in runs),
        windows=tuple(entries),
        every=every,
        segment_column=segment_column,
        notes=_report_notes(
            times, (level, segment_level), every, max_false_alarms_per_year, alpha, n_segments
        )
        + tuple(note for run in runs for note in run.notes()),
    )


@dataclass(frozen=True, eq=False)
class _FeatureRun:
    """One feature's rows, assigned to the clusters of its baseline."""

    baseline: Baseline
    vectors: Vectors
    position: NDArray[np.int64]  # of each frame row among the usable ones, −1 for the others
    scaled: NDArray[np.float32]
    labels: NDArray[np.int64]
    distances: NDArray[np.float32]
    examples: RowExamples
    minimum_rows: int

    @classmethod
    def open(
        cls, frame: Any, baseline: Baseline, times: Times | None, minimum_rows: int
    ) -> _FeatureRun:
        feature = CustomFeature.from_dict(dict(baseline.feature))
        vectors = read_vectors(frame, feature, width=baseline.width)
        baseline.check_fingerprint(vectors.fingerprint)
        scaled, labels, distances = baseline.assign(vectors.matrix)
        position = np.full(len(vectors.usable), -1, dtype=np.int64)
        position[vectors.usable] = np.arange(len(scaled))
        return cls(
            baseline,
            vectors,
            position,
            scaled,
            labels,
            distances,
            RowExamples(frame, feature, times),
            minimum_rows,
        )

    def summary(self) -> FeatureSummary:
        """What the report says of the feature and its baseline."""
        feature, baseline = self.examples.feature, self.baseline
        return FeatureSummary(
            name=baseline.name,
            source_column=getattr(feature, "source_column", None),
            column=vector_column(feature),
            baseline_id=baseline.id,
            fingerprint=baseline.fingerprint,
            n_fit=baseline.n_fit,
            histogram=baseline.histogram.counts,
            failures=baseline.histogram.failures,
            examples=baseline.examples,
            choice=baseline.choice,
            time_range=baseline.time_range,
            segment_column=baseline.segment_column,
        )

    def notes(self) -> list[str]:
        """What must be known to read this feature's verdicts, in sentences."""
        found = []
        held = self.baseline.reference.sketch
        if held.n_novel > MOST_NOVEL * held.n:
            found.append(
                f"{held.n_novel / held.n:.0%} of the baseline's own rows count as novel for feature "
                f"{self.baseline.name!r}, so new content is hard to see: {self.baseline.n_fit} rows are "
                f"few for {self.baseline.n_clusters} clusters; give more rows, or set n_clusters to a "
                "smaller number"
            )
        if self.baseline.fingerprint and not self.vectors.fingerprint:
            found.append(
                f"the vectors of feature {self.baseline.name!r} do not say which encoder made them, so "
                f"it was not checked against the baseline's, {self.baseline.fingerprint}"
            )
        return found

    def window(
        self,
        window: Window,
        alpha: float,
        *,
        segment: str | None = None,
        segment_column: str | None = None,
    ) -> WindowDrift:
        """The judgement of one window, or of one segment of it."""
        at = self.position[window.rows]
        rows, at = window.rows[at >= 0], at[at >= 0]
        labels, distances = self.labels[at], self.distances[at]
        failures = count_failures(self.vectors.failures[window.rows])
        judgement = judge(
            self.baseline.sketch_assigned(self.scaled[at], labels, distances, failures),
            self.baseline,
            alpha=alpha,
            reference=None if segment is None else self.baseline.segments.get(segment),
            minimum_rows=self.minimum_rows,
        )
        if segment is not None:
            judgement = self._unless_incomparable(judgement, segment, segment_column)
        repeated = largest_repeated_share(self.scaled[at])
        notes: tuple[str, ...] = ()
        if self._is_broken_feed(repeated, len(at)):
            seen = (
                f"{repeated:.0%} of the rows hold one and the same vector (in the baseline at most "
                f"{self.baseline.most_repeated:.0%}): is the feed serving a placeholder image?"
            )
            notes = (seen,)
        far = np.argsort(-distances, kind="stable")
        far = far[distances[far] > self.baseline.novelty_radius]
        return WindowDrift(
            feature=self.baseline.name,
            start=None if window.start is None else utc(window.start),
            end=None if window.end is None else utc(window.end),
            segment=segment,
            failures=failures,
            judgement=judgement,
            examples=self.examples.per_cluster(rows, labels, distances, self.baseline.n_clusters),
            novel_examples=self.examples.first(rows[far], distances[far]),
            most_repeated=repeated,
            notes=notes,
        )

    def _unless_incomparable(
        self, judgement: Judgement, segment: str, segment_column: str | None
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


def _check_arguments(
    baselines: Sequence[Baseline],
    every: str | None,
    timestamp_column: str | None,
    max_false_alarms_per_year: float,
    minimum_rows: int,
) -> None:
    if not baselines:
        raise InvalidInputError("no baseline was given: fit one with monitor.fit_baseline")
    for one in baselines:
        if not isinstance(one, Baseline):
            raise InvalidInputError(
                f"expected a Baseline, got {type(one).__name__}: fit one with monitor.fit_baseline, or "
                "read one with monitor.Baseline.load(path)"
            )
    names = [one.name for one in baselines]
    if len(set(names)) < len(names):
        raise InvalidInputError(
            f"two baselines are of one feature ({', '.join(names)}): give one per feature"
        )
    if every is not None and timestamp_column is None:
        raise TimestampError(
            f"every={every!r} needs to know when each row happened: give timestamp_column too"
        )
    if not max_false_alarms_per_year > 0:
        raise InvalidInputError(
            f"max_false_alarms_per_year={max_false_alarms_per_year} must be above 0: a test that never "
            "errs never speaks"
        )
    if minimum_rows < 2:
        raise InvalidInputError(f"minimum_rows={minimum_rows} must be 2 or more")


def _levels(
    every: str | None,
    alpha: float | None,
    max_false_alarms_per_year: float,
    n_features: int,
    n_segments: int,
) -> tuple[float, float]:
    """The level of one feature in one whole window, and in one segment of it."""
    if alpha is not None:
        if not 0 < alpha < 1:
            raise InvalidInputError(f"alpha={alpha} must lie between 0 and 1, for example 0.01")
        return alpha, alpha
    in_all = ONE_SHOT_ALPHA
    if every is not None:
        in_all = min(max_false_alarms_per_year * Every.parse(every).years, MOST_ALPHA)
    of_feature = in_all / n_features
    if n_segments == 0:
        return of_feature, of_feature
    return of_feature / 2, of_feature / 2 / n_segments


def _windows(frame: Any, times: Times | None, every: str | None) -> list[Window]:
    if times is None:
        return [Window(None, None, np.arange(frames.n_rows(frame)))]
    dated = np.flatnonzero(~np.isnat(times.values))
    if len(dated) == 0:
        # One empty window, which is inconclusive: no window at all would look like no drift.
        return [Window(None, None, dated)]
    if every is not None:
        return cut(times.values, Every.parse(every))
    instants = times.values[dated]
    # Half-open: the last row lies inside.
    return [Window(instants.min(), instants.max() + np.timedelta64(1, "us"), dated)]


def _split(window: Window, segments: NDArray[np.object_]) -> Iterator[tuple[str, Window]]:
    values = segments[window.rows]
    for value in sorted(set(values.tolist())):
        yield value, Window(window.start, window.end, window.rows[values == value])


def _report_notes(
    times: Times | None,
    levels: tuple[float, float],
    every: str | None,
    max_false_alarms_per_year: float,
    alpha: float | None,
    n_segments: int,
) -> tuple[str, ...]:
    level, segment_level = levels
    note = f"a window is called drifted at p ≤ {level:.2g}"
    if n_segments:
        note += f", one of the {n_segments} segments at p ≤ {segment_level:.2g}"
    if alpha is None and every is not None:
        # A level has a ceiling, so that long windows may be judged more strictly than was asked for.
        rate = min(max_false_alarms_per_year, MOST_ALPHA / Every.parse(every).years)
        alarms = "alarm" if rate == 1 else "alarms"
        note += f"; together that allows {rate:.3g} false {alarms} a year over all features"
    notes = [
        note,
        "p-values take rows as independent; natural variation from day to day is not accounted for yet",
    ]
    if times is not None:
        if times.note:
            notes.append(times.note)
        n_undated = int(np.isnat(times.values).sum())
        if n_undated:
            notes.append(f"{n_undated} rows have no readable time and are in no window")
    return tuple(notes)
