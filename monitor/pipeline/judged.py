"""Rows and a baseline ─► a report, whether they are all in memory or come in pieces."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.clusters import Baseline, WindowSketch
from monitor.drift import DISTANCES, Distance, PastWindow
from monitor.errors import InvalidInputError, TimestampError
from monitor.pipeline.budget import AlarmBudget, thresholds_in_words
from monitor.pipeline.causes import Causes
from monitor.pipeline.feature_run import FeatureRun
from monitor.pipeline.gathered import MOST_HELD
from monitor.pipeline.notes import feature_notes, lessons_note, twice_notes
from monitor.pipeline.pieces import Gatherer, gathered
from monitor.pipeline.spread import RowsSomewhere, gathered_by_workers
from monitor.pipeline.windowed import WindowedRows, rows_of_frame
from monitor.reports import DriftReport, WindowDrift
from monitor.rules import RunRules
from monitor.windows import Window

if TYPE_CHECKING:
    import pyarrow as pa

    from monitor.embedding import SpreadingExecutor

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Judged:
    """A report, and what it was made from.

    Parameters
    ----------
    report
        The report.
    sketches
        By feature, the statistics of each window, in the order of time.
    instants
        (rows of the frame,) datetime64[us] in UTC, when each row happened; None without times.
    """

    report: DriftReport
    sketches: Mapping[str, Sequence[WindowSketch]]
    instants: NDArray[np.datetime64] | None = None


def judge_frame(
    frame: Any,
    baseline: Baseline | Sequence[Baseline],
    rules: RunRules,
    *,
    timestamp_column: str | None,
    window: Window | None = None,
    history: Mapping[str, Sequence[PastWindow]] | None = None,
    are_pooled: bool = True,
) -> Judged:
    """What `detect_drift` does, by rules that are one value.

    Without `are_pooled` windows are not looked at together, and single ones get all of the false alarms.
    """
    baselines = _checked(baseline, rules, timestamp_column)
    rows = rows_of_frame(frame, baselines, rules, timestamp_column, window)
    judged = judge_rows(rows, baselines, rules, history=history, are_pooled=are_pooled)
    return replace(judged, instants=rows.instants)


def judge_pieces(
    pieces: Iterable[pa.Table],
    baseline: Baseline | Sequence[Baseline],
    rules: RunRules,
    *,
    timestamp_column: str | None,
    window: Window | None = None,
    history: Mapping[str, Sequence[PastWindow]] | None = None,
    are_pooled: bool = True,
) -> Judged:
    """What `judge_frame` does, while one piece at a time is in memory.

    Verdicts are those of all rows, to the bit. Which of them changed is read off `MOST_SHOWN` rows with
    vectors of each window, drawn by their place among all. `Judged.instants` is None.

    Parameters
    ----------
    pieces
        Plain Arrow tables, in the order of the rows; one at least.
    """
    baselines = _checked(baseline, rules, timestamp_column)
    rows = gathered(pieces, baselines, rules, timestamp_column, window)
    return judge_rows(rows, baselines, rules, history=history, are_pooled=are_pooled)


def judge_spread(
    pieces: Sequence[RowsSomewhere],
    executor: SpreadingExecutor,
    baseline: Baseline | Sequence[Baseline],
    rules: RunRules,
    *,
    timestamp_column: str | None,
    window: Window | None = None,
    history: Mapping[str, Sequence[PastWindow]] | None = None,
    are_pooled: bool = True,
) -> Judged | None:
    """What `judge_pieces` does, where workers read the pieces: sums of them come back.

    The rows that are drawn of each window come back as well, when all of these are known. None where
    `gathered_by_workers` gives None. Segments are of one window only.

    Parameters
    ----------
    pieces
        In the order of the rows; one at least.
    executor
        Whose workers read them.
    """
    baselines = _checked(baseline, rules, timestamp_column)
    gatherer = Gatherer(baselines, rules, timestamp_column, window, keeps_rows=False)
    rows = gathered_by_workers(pieces, gatherer, executor)
    if rows is None:
        return None
    return judge_rows(rows, baselines, rules, history=history, are_pooled=are_pooled)


def judge_tables(
    tables: Iterable[pa.Table],
    baseline: Baseline | Sequence[Baseline],
    rules: RunRules,
    *,
    timestamp_column: str | None,
    window: Window | None = None,
    history: Mapping[str, Sequence[PastWindow]] | None = None,
) -> Judged:
    """What `judge_frame` does with rows that come in plain Arrow tables; at most `MOST_HELD` are held.

    Segments of several windows are the exception: they are judged one after the other, from all rows.
    """
    coming, first, n = iter(tables), [], 0
    are_held = rules.segment_column is not None and window is None and rules.every is not None
    for table in coming:
        first.append(table)
        n += table.num_rows
        if n > MOST_HELD and not are_held:
            break
    judge = judge_frame if n <= MOST_HELD or are_held else judge_pieces
    rows = frames.join(first) if judge is judge_frame else chain(_taken(first), coming)
    return judge(
        rows, baseline, rules, timestamp_column=timestamp_column, window=window, history=history
    )


def _taken(tables: list[pa.Table]) -> Iterator[pa.Table]:
    """The tables, each forgotten when the next is asked for."""
    while tables:
        yield tables.pop(0)


_ALL_TIME: Final = dt.datetime.min.replace(tzinfo=dt.UTC)


def judge_rows(
    rows: WindowedRows,
    baselines: Sequence[Baseline],
    rules: RunRules,
    *,
    history: Mapping[str, Sequence[PastWindow]] | None,
    are_pooled: bool,
) -> Judged:
    """The windows and segments of all features, judged."""
    budget = AlarmBudget.share_out(rules, len(baselines), len(rows.segments), are_pooled=are_pooled)
    notes = [
        thresholds_in_words(rules.thresholds, (*DISTANCES, *rules.distances))
        if rules.thresholds
        else budget.note,
        *rows.notes,
    ]
    entries: list[WindowDrift] = []
    summaries, sketches = [], {}
    for of_feature in baselines:
        of_rows = rows.feature(of_feature)
        run = FeatureRun(Causes(of_rows.placed, of_rows.examples, rules.zone), rules, budget)
        windows = of_rows.windows
        judged = run.judge_windows(windows, (history or {}).get(of_feature.name, ()))
        entries += judged
        if rules.segment_column is not None:
            parts = [
                run.judge_segment(part, rules.segment_column, value)
                for value, part in of_rows.segments
            ]
            # By window again, as they are shown; they come segment by segment.
            entries += sorted(parts, key=lambda entry: entry.start or _ALL_TIME)
        summaries.append(run.summary())
        sketches[of_feature.name] = [placed_window.sketch for placed_window in windows]
        sizes = [placed_window.sketch.n for placed_window in windows]
        notes += feature_notes(of_rows.placed, sizes, rules.grid, budget.window)
        notes += twice_notes(of_feature, judged)
        if n_lessons := max((entry.judgement.n_lessons for entry in judged), default=0):
            notes.append(lessons_note(of_feature.name, n_lessons))
    report = DriftReport(
        features=tuple(summaries),
        windows=tuple(entries),
        every=None if rules.every is None else str(rules.every),
        segment_column=rules.segment_column,
        notes=tuple(notes),
        timezone=rules.zone.key,
    )
    for entry in entries:
        logger.debug(
            "%s, %s, %s: %s", entry.feature, entry.start, entry.segment, entry.judgement.reason
        )
    logger.info("judged %d windows and segments, %d notes", len(entries), len(notes))
    return Judged(report, sketches)


def _checked(
    baseline: Baseline | Sequence[Baseline], rules: RunRules, timestamp_column: str | None
) -> tuple[Baseline, ...]:
    baselines = checked_baselines(baseline)
    if rules.every is not None and timestamp_column is None:
        raise TimestampError(
            f"every='{rules.every}' needs to know when each row happened: give timestamp_column too"
        )
    _refuse_same_names(rules.distances)
    return baselines


def checked_baselines(baseline: Baseline | Sequence[Baseline]) -> tuple[Baseline, ...]:
    """One baseline or several, as several.

    Raises
    ------
    InvalidInputError
        If there is none, one is no baseline, or two are of one feature.
    """
    baselines = tuple(baseline) if isinstance(baseline, list | tuple) else (baseline,)
    if not baselines:
        raise InvalidInputError("no baseline was given: fit one with monitor.fit_baseline")
    checked = []
    for value in baselines:
        if not isinstance(value, Baseline):
            raise InvalidInputError(
                f"expected a Baseline, got {type(value).__name__}: fit one with monitor.fit_baseline, or "
                "read one with monitor.Baseline.load(path)"
            )
        checked.append(value)
    names = [value.name for value in checked]
    if len(set(names)) < len(names):
        raise InvalidInputError(
            f"two baselines are of one feature ({', '.join(names)}): give one per feature"
        )
    return tuple(checked)


def _refuse_same_names(own: Sequence[Distance]) -> None:
    names = [distance.name for distance in (*DISTANCES, *own)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidInputError(
            f"two distances are called {twice[0]!r}; built in are "
            f"{', '.join(distance.name for distance in DISTANCES)}: give yours another name"
        )
