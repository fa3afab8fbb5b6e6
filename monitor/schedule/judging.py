"""One scheduled window: its rows are read, embedded where need be, and judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monitor import frames
from monitor.clusters import Baseline
from monitor.clusters.sketch import WindowSketch
from monitor.drift import LONGEST, MINIMUM_CHANGE, Judgement, PastWindow, Verdict
from monitor.features import CustomFeature, ImageEmbedding
from monitor.pipeline import detect_drift, embed, fit_baseline
from monitor.pipeline.rows import (
    count_failures,
    failure_column,
    quality_column,
    read_vectors,
    vector_column,
)
from monitor.reports import WindowDrift
from monitor.sources import RowsSeen, Source, read_window
from monitor.store import JudgedWindow, Period

if TYPE_CHECKING:
    import pyarrow as pa

    from monitor.cache import VectorCache
    from monitor.images import SourcePolicy

History = Callable[[str, str, dt.datetime, int], Sequence[tuple[WindowDrift, WindowSketch]]]


@dataclass(frozen=True)
class Rolling:
    """A baseline that moves along: the rows of [start − offset − window, start − offset).

    Parameters
    ----------
    window
        How much time it spans.
    offset
        How long before the judged window it ends, ≥ 0.
    """

    window: dt.timedelta
    offset: dt.timedelta

    def rows_for(self, period: Period) -> Period:
        """The range of the baseline's rows for a window."""
        end = period.start - self.offset
        return Period(end - self.window, end)


@dataclass(frozen=True, eq=False)
class WindowJudge:
    """Judges the windows of several features.

    Parameters
    ----------
    source
        Where the rows come from.
    features
        By name.
    baselines
        By name, or the rule of a baseline that moves along.
    every
        The window's length, for the level.
    n_features
        How many features share the rate of false alarms; by default those given.
    segment_column, max_false_alarms_per_year, alpha, minimum_rows
        As `detect_drift` takes them; the false alarms are those of all features together.
    history
        Feature, baseline's id, time and number ─► so many windows before that time, as `Store.history`
        gives them; without it each window is judged by itself alone.
    policy, cache
        From where images are fetched, and where their vectors are kept, as `embed` takes them.
    """

    source: Source
    features: Mapping[str, CustomFeature]
    baselines: Mapping[str, Baseline] | Rolling
    every: str
    n_features: int | None = None
    segment_column: str | None = None
    max_false_alarms_per_year: float = 1.0
    alpha: float | None = None
    minimum_rows: int = 30
    history: History | None = None
    policy: SourcePolicy | None = None
    cache: Path | VectorCache | None = None

    def __call__(self, feature_name: str, period: Period) -> JudgedWindow:
        """Read and judge one window of one feature.

        Raises
        ------
        MonitorError
            If its rows cannot be read, embedded or judged.
        """
        feature = self.features[feature_name]
        rows = self._rows(feature, period)
        baseline, baseline_range = self._baseline(feature, period)
        report = detect_drift(
            rows,
            baseline,
            timestamp_column=self.source.timestamp_column,
            every=self.every,
            window=(period.start, period.end),
            segment_column=self.segment_column,
            # Each feature is judged by itself and gets its share.
            max_false_alarms_per_year=self.max_false_alarms_per_year
            / (self.n_features or len(self.features)),
            alpha=self.alpha,
            minimum_rows=self.minimum_rows,
            history={feature.name: self._past(feature, baseline, period)},
        )
        vectors = read_vectors(rows, feature, width=baseline.width)
        times = frames.read_times(rows, self.source.timestamp_column).values
        return JudgedWindow(
            report=report,
            baseline=baseline,
            sketch=baseline.sketch(vectors.matrix, count_failures(vectors.failures)),
            rows_seen=str(RowsSeen.of(times)),
            baseline_range=baseline_range,
        )

    def _baseline(self, feature: CustomFeature, period: Period) -> tuple[Baseline, Period | None]:
        if not isinstance(self.baselines, Rolling):
            return self.baselines[feature.name], None
        span = self.baselines.rows_for(period)
        fitted = fit_baseline(
            self._rows(feature, span),
            feature,
            timestamp_column=self.source.timestamp_column,
            segment_column=self.segment_column,
        )
        return fitted, span

    def _past(
        self, feature: CustomFeature, baseline: Baseline, period: Period
    ) -> Sequence[PastWindow]:
        if self.history is None:
            return ()
        # Windows that drifted are left out of longer looks, so that these reach twice as far.
        found = self.history(feature.name, baseline.id, period.start, 2 * LONGEST)
        return [
            PastWindow(window.start, sketch, _drifted_alone(window.judgement))
            for window, sketch in found
            if window.start is not None
        ]

    def _rows(self, feature: CustomFeature, period: Period) -> pa.Table:
        table = read_window(self.source, period.start, period.end, self._columns(feature))
        if isinstance(feature, ImageEmbedding) and feature.column not in table.column_names:
            table = embed(table, feature, policy=self.policy, cache=self.cache, progress=False)
        return table

    def _columns(self, feature: CustomFeature) -> Sequence[str]:
        wanted = [
            self.source.timestamp_column,
            *feature.required_columns,
            vector_column(feature),
            failure_column(feature),
            quality_column(feature),
        ]
        return [*wanted, *([self.segment_column] if self.segment_column else [])]


def _drifted_alone(judgement: Judgement) -> bool:
    """Whether a window drifted by itself, not only together with those before it."""
    if judgement.verdict is not Verdict.DRIFT:
        return False
    effect, look = judgement.effect, judgement.look
    if look is None or not look.is_drift or effect is None:
        return True
    return judgement.p_value <= judgement.alpha and effect.changed_share >= MINIMUM_CHANGE
