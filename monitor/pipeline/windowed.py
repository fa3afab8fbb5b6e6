"""A frame's rows in their windows, and in the windows' segments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.clusters import Baseline
from monitor.frames import Times
from monitor.pipeline.examples import RowExamples
from monitor.pipeline.notes import segment_notes, time_notes
from monitor.pipeline.placed import PlacedRows, PlacedWindow
from monitor.pipeline.rows import Segments
from monitor.progress import steps
from monitor.rules import RunRules
from monitor.windows import Cut, Grid, Window, WindowRows, cut, utc


@dataclass(frozen=True, eq=False)
class FeatureRows:
    """The rows of one feature.

    Parameters
    ----------
    placed
        Those that are in memory.
    examples
        The same rows, as examples.
    windows
        In the order of time.
    segments
        The values of the segment column, and the rows of each in each window.
    """

    placed: PlacedRows
    examples: RowExamples
    windows: Sequence[PlacedWindow]
    segments: Iterable[tuple[str, PlacedWindow]]


@dataclass(frozen=True, eq=False)
class WindowedRows:
    """The rows of all features.

    Parameters
    ----------
    feature
        Those of the feature of a baseline.
    segments
        The names of the segments.
    notes
        What must be known of times and segments, in sentences.
    instants
        (n,) datetime64[us] in UTC, when each row happened, where all are in memory.
    """

    feature: Callable[[Baseline], FeatureRows]
    segments: tuple[str, ...]
    notes: tuple[str, ...]
    instants: NDArray[np.datetime64] | None = None


def rows_of_frame(
    frame: Any,
    baselines: Sequence[Baseline],
    rules: RunRules,
    timestamp_column: str | None,
    window: Window | None,
) -> WindowedRows:
    """The rows of `frame`: all in `window`, or else in the windows that `rules` cut."""
    times = None if timestamp_column is None else frames.read_times(frame, timestamp_column)
    all_rows = np.arange(frames.n_rows(frame))
    in_time = cut_rows(all_rows, times, rules.grid) if window is None else _one(window, all_rows)
    segments = None
    if rules.segment_column is not None:
        segments = Segments.read(frame, rules.segment_column, known_segments(baselines))

    def feature(baseline: Baseline) -> FeatureRows:
        placed = PlacedRows.read(frame, baseline, times)
        return FeatureRows(
            placed,
            RowExamples(frame, placed.feature, times),
            [placed.window(span) for span in in_time.windows],
            () if segments is None else _parts(placed, in_time.windows, segments),
        )

    return WindowedRows(
        feature,
        () if segments is None else segments.names,
        (*time_notes(times, in_time), *segment_notes(segments)),
        None if times is None else times.values,
    )


def known_segments(baselines: Sequence[Baseline]) -> set[str]:
    """The segments that baselines know."""
    return {name for baseline in baselines for name in baseline.segments}


def _parts(
    placed: PlacedRows, spans: Sequence[WindowRows], segments: Segments
) -> Iterator[tuple[str, PlacedWindow]]:
    """Segment by segment: what is worked out of a segment's own baseline serves all of its windows."""
    by_value: dict[str, list[WindowRows]] = {}
    for span in spans:
        for value, part in split(span, segments.values):
            by_value.setdefault(value, []).append(part)
    for value in steps(sorted(by_value), "judging segments"):
        for part in by_value[value]:
            yield value, placed.window(part)


def split(span: WindowRows, values: NDArray[np.object_]) -> Iterator[tuple[str, WindowRows]]:
    """The rows of each segment, by the value of each row of the frame; None is in no segment."""
    of_span = values[span.rows]
    for value in sorted(set(of_span.tolist()) - {None}):
        yield value, WindowRows(span.window, span.rows[of_span == value])


def cut_rows(all_rows: NDArray[np.int64], times: Times | None, grid: Grid | None) -> Cut:
    """The windows of rows with these times: those of the grid, or else one of all that have a time."""
    if times is None:
        return _one(None, all_rows)
    dated = np.flatnonzero(~np.isnat(times.values))
    if len(dated) == 0:
        # One empty window, which is inconclusive: no window at all would look like no drift.
        return _one(None, dated)
    if grid is not None:
        return cut(times.values, grid)
    instants = times.values[dated]
    # Half-open: the last row lies inside.
    end = instants.max() + np.timedelta64(1, "us")
    return _one(Window(utc(instants.min()), utc(end)), dated)


def _one(window: Window | None, rows: NDArray[np.int64]) -> Cut:
    return Cut([WindowRows(window, rows)], rows[:0], 0)
