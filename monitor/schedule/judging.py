"""One scheduled window: its rows are read, embedded where need be, and judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor import frames
from monitor.clusters import Baseline
from monitor.clusters.sketch import WindowSketch
from monitor.drift import LONGEST, PastWindow, Verdict
from monitor.features import CustomFeature
from monitor.pipeline import detect_drift, embed, fit_baseline
from monitor.pipeline.rows import (
    count_failures,
    read_vectors,
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
    rules
        What `detect_drift` takes by the same names, such as `segment_column` and
        `max_false_alarms_per_year`; the false alarms are those of all features together.
    explain_columns
        As `fit_baseline` takes them, for a baseline that moves along.
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
    rules: Mapping[str, Any] = field(default_factory=dict)
    explain_columns: Sequence[str] = ()
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
            **self._rules_of_one,
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

    @property
    def _rules_of_one(self) -> dict[str, Any]:
        """Each feature is judged by itself and gets its share of the false alarms."""
        n_features = self.n_features or len(self.features)
        rate = self.rules.get("max_false_alarms_per_year", 1.0) / n_features
        return dict(self.rules) | {"max_false_alarms_per_year": rate}

    def _baseline(self, feature: CustomFeature, period: Period) -> tuple[Baseline, Period | None]:
        if not isinstance(self.baselines, Rolling):
            return self.baselines[feature.name], None
        span = self.baselines.rows_for(period)
        fitted = fit_baseline(
            self._rows(feature, span),
            feature,
            timestamp_column=self.source.timestamp_column,
            every=self.every,
            segment_column=self.rules.get("segment_column"),
            explain_columns=self.explain_columns,
        )
        return fitted, span

    def _past(
        self, feature: CustomFeature, baseline: Baseline, period: Period
    ) -> Sequence[PastWindow]:
        if self.history is None:
            return ()
        # Windows that drifted are left out of pooled tests, so that these reach twice as far.
        found = self.history(feature.name, baseline.id, period.start, 2 * LONGEST)
        return [
            PastWindow(
                window.start,
                sketch,
                window.judgement.verdict is Verdict.DRIFT
                and not window.judgement.is_by_pooled_test,
            )
            for window, sketch in found
            if window.start is not None
        ]

    def _rows(self, feature: CustomFeature, period: Period) -> pa.Table:
        table = read_window(self.source, period.start, period.end, self._columns(feature))
        if feature.origin.is_missing_from(table.column_names):
            table = embed(table, feature, policy=self.policy, cache=self.cache, progress=False)
        return table

    def _columns(self, feature: CustomFeature) -> Sequence[str]:
        wanted = [
            self.source.timestamp_column,
            *feature.required_columns,
            *feature.origin.columns,
            *feature.origin.written_columns,
        ]
        segment = self.rules.get("segment_column")
        explaining = [*self.explain_columns, *([segment] if segment else [])]
        return [*wanted, *(name for name in explaining if name not in wanted)]
