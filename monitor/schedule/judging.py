"""One scheduled window: its rows are read, embedded where need be, and judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor import frames
from monitor.clusters import Baseline, with_experience
from monitor.drift import MOST_FIRST, PastWindow
from monitor.errors import TooFewRowsError
from monitor.features import CustomFeature
from monitor.pipeline.embed import embed
from monitor.pipeline.fit import fit_baseline
from monitor.pipeline.gathered import MOST_SHOWN
from monitor.pipeline.judged import Judged, judge_frame, judge_pieces, judge_spread
from monitor.pipeline.rows import read_vectors
from monitor.rules import OF_TIME, RunRules
from monitor.schedule.outcomes import NoBaselineYet
from monitor.schedule.rolling import Rolling
from monitor.schedule.spread import SpreadWindow
from monitor.sources import Source, SqlSource, WindowReading, read_tables
from monitor.store import JudgedWindow, PastResult
from monitor.windows import Every, Window

if TYPE_CHECKING:
    import pyarrow as pa

    from monitor.cache import VectorCache
    from monitor.embedding import Executor, SpreadingExecutor
    from monitor.images import SourcePolicy

History = Callable[[str, str, dt.datetime, int], Sequence[PastResult]]
Earlier = Callable[[str, dt.datetime], Baseline | None]


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
        The window's length, which `rules.every` need not repeat.
    n_features
        How many features share the rate of false alarms; by default those given.
    rules
        The rules of the run; the false alarms are those of all features together.
    explain_columns, context
        As `fit_baseline` takes them, for a baseline that moves along.
    history
        Feature, baseline's id, time and number ─► the first and the last so many windows before that time, as
        `Store.history` gives them, which knows those that a person called harmless; without it each window
        is judged by itself alone. A baseline that moves along has another id for each window, so that its
        windows are never pooled; single ones then get all of the false alarms.
    earlier
        Feature and time ─► the last baseline that moves along and ended by then, as `Store.baseline_before`
        gives it: what it saw of how much windows differ, the next one knows, too.
    policy, cache, executor
        From where images are fetched, where their vectors are kept and where they are made, as `embed` takes
        them.
    """

    source: Source
    features: Mapping[str, CustomFeature]
    baselines: Mapping[str, Baseline] | Rolling
    every: Every | str
    n_features: int | None = None
    rules: RunRules = field(default_factory=RunRules)
    explain_columns: Sequence[str] = ()
    context: Sequence[str] = ()
    history: History | None = None
    earlier: Earlier | None = None
    policy: SourcePolicy | None = None
    executor: str | Executor = "local"
    cache: Path | VectorCache | None = None

    def __call__(self, feature_name: str, window: Window) -> JudgedWindow:
        """Read and judge one window of one feature.

        Raises
        ------
        MonitorError
            If its rows cannot be read, embedded or judged.
        NoBaselineYet
            If too few rows came before it for a baseline that moves along.
        """
        feature = self.features[feature_name]
        rows = WindowReading(
            self.source,
            window.start,
            window.end,
            columns=self._columns(feature),
            most_rows=MOST_SHOWN,
        )
        if isinstance(self.source, SqlSource) and feature.origin.is_missing_from(rows.columns):
            # A database does not wait for images to be embedded, and rows without vectors are small.
            rows.hold()
        baseline, baseline_range = self._baseline(feature, window)
        how: dict[str, Any] = {
            "timestamp_column": self.source.timestamp_column,
            "window": window,
            "history": {feature.name: self._past(feature, baseline, window)},
            "are_pooled": self.history is not None and not isinstance(self.baselines, Rolling),
        }
        rules, judged = self._rules_of_one, None
        spread = self._spread(feature, window) if rows.is_large else None
        if spread is not None:
            judged = judge_spread(spread.pieces, self._workers, baseline, rules, **how)
        if judged is None:
            spread = None
            tables = (self._with_vectors(table, feature) for table in rows.tables())
            judge = judge_pieces if rows.is_large else _judge_whole
            judged = judge(tables, baseline, rules, **how)
        (sketch,) = judged.sketches[feature.name]
        return JudgedWindow(
            report=judged.report,
            baseline=baseline,
            sketch=sketch,
            rows_seen=str(rows.seen if spread is None else spread.seen),
            baseline_range=baseline_range,
        )

    @property
    def _workers(self) -> SpreadingExecutor:
        from monitor.embedding import spreading
        from monitor.embedding.executors.executor import executor_of

        return spreading(executor_of(self.executor))

    def _spread(self, feature: CustomFeature, window: Window) -> SpreadWindow | None:
        """The window's rows for workers to read, if that is of use."""
        columns = self._columns(feature)
        return SpreadWindow.of(self.source, window, feature, columns, self._workers)

    @property
    def _rules_of_one(self) -> RunRules:
        """Each feature is judged by itself and gets its share of the false alarms."""
        n_features = self.n_features or len(self.features)
        rate = self.rules.max_false_alarms_per_year / n_features
        every = Every.parse(self.every)
        return replace(self.rules, every=every, max_false_alarms_per_year=rate)

    def _baseline(self, feature: CustomFeature, window: Window) -> tuple[Baseline, Window | None]:
        if not isinstance(self.baselines, Rolling):
            return self.baselines[feature.name], None
        span = self.baselines.rows_for(window)
        rows = self._rows(feature, span)
        try:
            baseline = self._fitted(feature, rows)
        except TooFewRowsError as error:
            if feature.origin.is_embedded and rows.num_rows >= error.least:
                raise  # images that cannot be had now may be later
            n = int(read_vectors(rows, feature).usable.sum())
            raise NoBaselineYet(
                f"{self.baselines} has {n:,} rows with vectors; a verdict needs "
                f"{max(error.least, self.rules.minimum_rows)}"
            ) from error
        earlier = None if self.earlier is None else self.earlier(feature.name, span.start)
        return (baseline if earlier is None else with_experience(baseline, earlier)), span

    def _fitted(self, feature: CustomFeature, rows: pa.Table) -> Baseline:
        return fit_baseline(
            rows,
            feature,
            timestamp_column=self.source.timestamp_column,
            every=self.every,
            timezone=self.rules.zone.key,
            segment_column=self.rules.segment_column,
            explain_columns=self.explain_columns,
            context=self.context,
            # One baseline a window: too often to embed changed images, and words, for each.
            learn_changes=False,
            vocabulary=(),
        )

    def _past(
        self, feature: CustomFeature, baseline: Baseline, window: Window
    ) -> Sequence[PastWindow]:
        if self.history is None:
            return ()
        # More than `MOST_PAST` of the last ones; one number for both keeps the question simple.
        entries = self.history(feature.name, baseline.id, window.start, MOST_FIRST)
        return [_past(entry, baseline) for entry in entries]

    def _rows(self, feature: CustomFeature, window: Window) -> pa.Table:
        tables = read_tables(self.source, window.start, window.end, self._columns(feature))
        # Each by itself: one file may bring its vectors, the next one images only.
        return frames.join([self._with_vectors(table, feature) for table in tables])

    def _with_vectors(self, table: pa.Table, feature: CustomFeature) -> pa.Table:
        if not feature.origin.is_missing_from(table.column_names):
            return table
        return embed(
            table,
            feature,
            policy=self.policy,
            cache=self.cache,
            executor=self.executor,
            progress=False,
        )

    def _context_of(self, feature: CustomFeature) -> Sequence[str]:
        """A baseline that stands still knows its contexts."""
        if isinstance(self.baselines, Rolling):
            return self.context
        context = self.baselines[feature.name].context
        return () if context is None else context.names

    def _columns(self, feature: CustomFeature) -> Sequence[str]:
        segment = self.rules.segment_column
        columns = [
            frames.ROW,
            self.source.timestamp_column,
            *feature.required_columns,
            *feature.origin.columns,
            *feature.origin.written_columns,
            *self.explain_columns,
            *(name for name in self._context_of(feature) if name not in OF_TIME),
            *([] if segment is None else [segment]),
        ]
        return list(dict.fromkeys(columns))


def _judge_whole(tables: Iterable[pa.Table], *arguments: Any, **rules: Any) -> Judged:
    return judge_frame(frames.join(list(tables)), *arguments, **rules)


def _past(entry: PastResult, baseline: Baseline) -> PastWindow:
    """A stored window as later ones see it."""
    if entry.is_harmless:
        # As if nothing had come: neither is it pooled, nor does an episode reach into it.
        nothing = baseline.sketch(np.zeros((0, baseline.width), np.float32), {})
        return PastWindow(entry.window.start, nothing, is_drift=False)
    return entry.window
