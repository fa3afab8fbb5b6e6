"""Rows in pieces: counted and summed by window one after the other, and some of them kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.clusters import Baseline
from monitor.frames import CHUNK_ROWS, Times
from monitor.pipeline.examples import LONGEST_SOURCE, RowExamples
from monitor.pipeline.facts import GatheredWindow
from monitor.pipeline.notes import segment_notes, time_notes
from monitor.pipeline.placed import PlacedRows, PlacedWindow
from monitor.pipeline.row_sample import RowSample
from monitor.pipeline.rows import (
    COMPOUND,
    MOST_SEGMENTS,
    Segments,
    most_frequent,
    segment_values,
)
from monitor.pipeline.windowed import (
    FeatureRows,
    WindowedRows,
    cut_rows,
    known_segments,
    split,
)
from monitor.rules import OF_TIME, RunRules
from monitor.windows import Cut, Grid, Window, WindowRows

if TYPE_CHECKING:
    import pyarrow as pa

MOST_SHOWN: Final = 20_000
"""So many rows of a window are kept whole to tell which of them changed: twenty for each of the baseline's
known rows, which they are told apart from. 40 MB of vectors 512 wide."""
MOST_HELD: Final = 100_000
"""So many rows of all windows together are kept whole, but `LEAST_SHOWN` of each at least."""
LEAST_SHOWN: Final = 1_000
"""As many as the baseline's known rows."""
_KEYS_OF_SEGMENT: Final = 2**14


def gathered(
    pieces: Iterable[pa.Table],
    baselines: Sequence[Baseline],
    rules: RunRules,
    timestamp_column: str | None,
    window: Window | None,
) -> WindowedRows:
    """Rows that come in pieces, in their windows.

    Parameters
    ----------
    pieces
        Plain tables, one at least; what one lacks is empty in it, as in tables that `frames.join` joins.
    baselines
        Of the features.
    rules
        How windows are cut, and which column the segments are in; these are of one window only.
    timestamp_column
        When each row happened.
    window
        All rows are in it; None where `rules` cut them, or all are one window.
    """
    times = _Times(rules.grid, window, has_times=timestamp_column is not None)
    counts: Counter[str] = Counter()
    known = known_segments(baselines)
    features = {
        baseline.name: _Feature(baseline, rules.segment_column, known) for baseline in baselines
    }
    for piece in _small(pieces):
        of_piece = None if timestamp_column is None else frames.read_times(piece, timestamp_column)
        labelled = _with_labels(piece, times.n)
        if rules.segment_column is not None:
            counts.update(segment_values(piece, rules.segment_column).tolist())
        for feature in features.values():
            feature.add(labelled, of_piece, times.windows_of(piece, of_piece), times.n)
        times.add(piece, of_piece)
    spans, notes = times.spans()
    names: tuple[str, ...] = ()
    if rules.segment_column is not None:
        # Of one feature, as all have the same rows.
        counted = next(iter(features.values())).segments
        judged = {value: counts[value] for value in counts if value in counted}
        names = tuple(sorted(most_frequent(judged, known)))
        n_compound = counts[COMPOUND] if COMPOUND in names else 0
        no_rows = np.empty(0, dtype=object)
        n_left_out = len(counts) - len(names)
        segments = Segments(rules.segment_column, no_rows, names, n_left_out, n_compound)
        notes = (*notes, *segment_notes(segments))
    return WindowedRows(
        lambda baseline: features[baseline.name].rows(spans, timestamp_column, names), names, notes
    )


class _Times:
    """When rows happened, eight bytes for each; nothing is kept where all are in one window."""

    def __init__(self, grid: Grid | None, window: Window | None, *, has_times: bool) -> None:
        self.n = 0
        self._grid = grid
        self._window = window
        self._is_cut = has_times and window is None
        self._instants: list[NDArray[np.datetime64]] = []
        self._n_undated = 0
        self._note: str | None = None

    def windows_of(self, piece: pa.Table, times: Times | None) -> dict[int, NDArray[np.int64]]:
        """By the number of each window, the rows of the piece that are in it; 0 where there is one."""
        if times is None or not self._is_cut:
            return {0: np.arange(piece.num_rows)}
        dated = np.flatnonzero(~np.isnat(times.values))
        if self._grid is None or len(dated) == 0:
            return {0: dated} if len(dated) else {}
        numbers = self._grid.numbers(times.values[dated])
        return {int(at): dated[numbers == at] for at in np.unique(numbers)}

    def add(self, piece: pa.Table, times: Times | None) -> None:
        """Note a piece's times."""
        self.n += piece.num_rows
        if times is None:
            return
        self._note = self._note or times.note
        if self._is_cut:
            self._instants.append(times.values)
        else:
            self._n_undated += int(np.isnat(times.values).sum())

    def spans(self) -> tuple[list[tuple[int, Window | None]], tuple[str, ...]]:
        """The windows in the order of time, each with its number, and what must be known of them."""
        if not self._is_cut:
            undated = Times(np.full(self._n_undated, np.datetime64("NaT", "us")), self._note)
            return [(0, self._window)], tuple(time_notes(undated, Cut([], np.empty(0, int), 0)))
        times = Times(np.concatenate(self._instants), self._note)
        in_time = cut_rows(np.arange(self.n), times, self._grid)
        windows = [span.window for span in in_time.windows]
        numbers = [
            0 if self._grid is None or window is None else self._grid.number(window.start)
            for window in windows
        ]
        return list(zip(numbers, windows, strict=True)), tuple(time_notes(times, in_time))


class _Feature:
    """One feature's rows, piece by piece."""

    def __init__(self, baseline: Baseline, segment_column: str | None, known: set[str]) -> None:
        self._baseline = baseline
        self._segment_column = segment_column
        self._known = known
        self._windows: dict[int, GatheredWindow] = {}
        self._samples: dict[int, RowSample] = {}
        self._parts: dict[str, GatheredWindow] = {}
        self._present: set[str] = set()
        self._wanted: set[str] = set()
        self._no_rows: pa.Table = None

    @property
    def segments(self) -> Set[str]:
        """Those that were counted: of a column with very many values not all."""
        return self._parts.keys()

    def add(
        self,
        piece: pa.Table,
        times: Times | None,
        windows: Mapping[int, NDArray[np.int64]],
        n_before: int,
    ) -> None:
        """A piece before which there were `n_before` rows, and which of them are in which window."""
        filled = self._filled(piece)
        placed = PlacedRows.read(filled, self._baseline, times)
        examples = RowExamples(filled, placed.feature, times)
        kept = _without_images(filled, placed.feature.origin.source_column)
        self._no_rows = kept.slice(0, 0)
        for number, rows in windows.items():
            if number not in self._windows:
                self._windows[number] = GatheredWindow(self._baseline.n_clusters)
                self._samples[number] = RowSample(self._most, self._baseline.random_state)
            span = WindowRows(None, rows)
            window = self._windows[number].add(placed, span, examples)
            self._samples[number].add(kept.take(window.rows), n_before + window.rows)
            if self._segment_column is not None:
                for value, part in split(span, segment_values(filled, self._segment_column)):
                    if (of_value := self._part(value)) is not None:
                        of_value.add(placed, part, examples)
        if sum(map(len, self._samples.values())) > 2 * MOST_HELD:
            self._lower()

    def rows(
        self,
        spans: Sequence[tuple[int, Window | None]],
        timestamp_column: str | None,
        segments: Sequence[str],
    ) -> FeatureRows:
        """Those of the windows `spans`, each with its number; `segments` are the ones that are judged."""
        # Rows of no window count among them, so that the rest is the same in whatever pieces they came.
        self._lower()
        judged = dict(spans)
        tables = {at: sample.table() for at, sample in self._samples.items() if at in judged}
        table = frames.join([*tables.values(), self._no_rows])
        table = table.drop_columns(sorted(self._wanted - self._present))
        times = None if timestamp_column is None else frames.read_times(table, timestamp_column)
        placed = PlacedRows.read(table, self._baseline, times)
        ends = np.cumsum([len(of_window) for of_window in tables.values()])
        places = {
            number: np.arange(end - len(tables[number]), end)
            for number, end in zip(tables, ends, strict=True)
        }
        windows = []
        for number, window in spans:
            shown = placed.window(WindowRows(window, places.get(number, np.arange(0))))
            if number in self._windows:
                shown = self._of_all(self._windows[number], shown, placed)
            windows.append(shown)
        parts = []
        if self._segment_column is not None:
            ((_, window),) = spans
            values = segment_values(table, self._segment_column)
            for value in segments:
                rows = WindowRows(window, np.flatnonzero(values == value))
                parts.append((value, self._of_all(self._parts[value], placed.window(rows), placed)))
        return FeatureRows(placed, RowExamples(table, placed.feature, times), windows, parts)

    @property
    def _most(self) -> int:
        """How many rows of each window are kept whole."""
        return min(MOST_SHOWN, max(MOST_HELD // max(len(self._samples), 1), LEAST_SHOWN))

    def _lower(self) -> None:
        """As there are more windows, fewer rows of each are kept."""
        for sample in self._samples.values():
            sample.lower(self._most)

    def _of_all(
        self, whole: GatheredWindow, shown: PlacedWindow, placed: PlacedRows
    ) -> PlacedWindow:
        """A window of rows that are shown, with the statistics of all."""
        return replace(
            shown,
            n_rows=whole.n_rows,
            failures=whole.failures,
            sketch=whole.sketch(has_quality=placed.quality is not None),
            facts=whole.facts(placed.columns),
        )

    def _part(self, value: str) -> GatheredWindow | None:
        """The segment; None where there are so many that this one will not be judged."""
        if value not in self._parts:
            n_others = len(self._parts.keys() - self._known)
            if value not in self._known and n_others >= MOST_SEGMENTS:
                return None
            self._parts[value] = GatheredWindow(self._baseline.n_clusters, _KEYS_OF_SEGMENT)
        return self._parts[value]

    def _filled(self, piece: pa.Table) -> pa.Table:
        """The piece with all columns that are read: what this one lacks, another may have."""
        import pyarrow as pa

        if not self._wanted:
            from monitor.features import CustomFeature

            feature = CustomFeature.from_dict(dict(self._baseline.feature))
            context = self._baseline.context
            self._wanted = {
                *feature.origin.columns,
                *feature.origin.written_columns,
                *self._baseline.columns,
                *(() if context is None else context.names),
                *(() if self._segment_column is None else (self._segment_column,)),
            } - set(OF_TIME)
        self._present |= self._wanted & set(piece.column_names)
        for name in sorted(self._wanted - set(piece.column_names)):
            piece = piece.append_column(name, pa.nulls(piece.num_rows))
        return piece


def _small(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """No more rows at a time than files are read in."""
    for piece in pieces:
        for start in range(0, max(piece.num_rows, 1), CHUNK_ROWS):
            yield piece.slice(start, CHUNK_ROWS)


def _without_images(piece: pa.Table, source: str | None) -> pa.Table:
    """Images themselves, which no report names a row by, are not kept."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if source is None or source not in piece.column_names:
        return piece
    column = piece.column(source)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return piece.drop_columns([source])
    is_long = pc.greater(pc.binary_length(column), LONGEST_SOURCE)
    shown = pc.if_else(is_long, pa.scalar(None, column.type), column)
    return piece.set_column(piece.column_names.index(source), source, shown)


def _with_labels(piece: pa.Table, n_before: int) -> pa.Table:
    """Rows without a name are called by their number."""
    import pyarrow as pa

    if frames.ROW in piece.column_names:
        return piece
    numbers = range(n_before, n_before + piece.num_rows)
    return piece.append_column(frames.ROW, pa.array([str(i) for i in numbers], pa.string()))
