"""One window's rows in pieces: counted and summed one after the other, and some of them kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from monitor import frames
from monitor.clusters import Baseline
from monitor.frames import CHUNK_ROWS, Times
from monitor.pipeline.examples import LONGEST_SOURCE, RowExamples
from monitor.pipeline.facts import GatheredWindow
from monitor.pipeline.notes import segment_notes
from monitor.pipeline.placed import PlacedRows, PlacedWindow
from monitor.pipeline.row_sample import RowSample
from monitor.pipeline.rows import (
    COMPOUND,
    MOST_SEGMENTS,
    Segments,
    most_frequent,
    segment_values,
)
from monitor.pipeline.windowed import FeatureRows, WindowedRows, known_segments, split
from monitor.rules import OF_TIME, RunRules
from monitor.windows import Window, WindowRows

if TYPE_CHECKING:
    import pyarrow as pa

MOST_SHOWN: Final = 20_000
"""So many rows of a window are kept whole to tell which of them changed: twenty for each of the baseline's
known rows, which they are told apart from. 40 MB of vectors 512 wide."""
_KEYS_OF_SEGMENT: Final = 2**14


def gathered(
    pieces: Iterable[pa.Table],
    baselines: Sequence[Baseline],
    rules: RunRules,
    timestamp_column: str | None,
    window: Window | None,
) -> WindowedRows:
    """The rows of a window that comes in pieces.

    Parameters
    ----------
    pieces
        Plain tables, one at least; what one lacks is empty in it, as in tables that `frames.join` joins.
    baselines
        Of the features.
    rules
        Which column the segments are in.
    timestamp_column
        When each row happened.
    window
        The window; None where rows have no times.
    """
    n, time_note = 0, None
    counts: Counter[str] = Counter()
    known = known_segments(baselines)
    features = {
        baseline.name: _Feature(baseline, rules.segment_column, known, window)
        for baseline in baselines
    }
    for piece in _small(pieces):
        times = None if timestamp_column is None else frames.read_times(piece, timestamp_column)
        time_note = time_note or (None if times is None else times.note)
        labelled = _with_labels(piece, n)
        if rules.segment_column is not None:
            counts.update(segment_values(piece, rules.segment_column).tolist())
        for feature in features.values():
            feature.add(labelled, times, n)
        n += piece.num_rows
    notes = () if time_note is None else (time_note,)
    if rules.segment_column is None:
        return WindowedRows(lambda b: features[b.name].rows(timestamp_column, ()), (), notes)
    # Of one feature, as all have the same rows.
    counted = next(iter(features.values())).segments
    judged = {value: counts[value] for value in counts if value in counted}
    names = tuple(sorted(most_frequent(judged, known)))
    segments = Segments(
        rules.segment_column,
        np.empty(0, dtype=object),
        names,
        len(counts) - len(names),
        counts[COMPOUND] if COMPOUND in names else 0,
    )
    return WindowedRows(
        lambda b: features[b.name].rows(timestamp_column, names),
        names,
        (*notes, *segment_notes(segments)),
    )


class _Feature:
    """One feature's rows, piece by piece."""

    def __init__(
        self,
        baseline: Baseline,
        segment_column: str | None,
        known: set[str],
        window: Window | None,
    ) -> None:
        self._baseline = baseline
        self._segment_column = segment_column
        self._known = known
        self._window = window
        self._whole = GatheredWindow(baseline.n_clusters)
        self._parts: dict[str, GatheredWindow] = {}
        self._sample = RowSample(MOST_SHOWN, baseline.random_state)
        self._present: set[str] = set()
        self._wanted: set[str] = set()

    @property
    def segments(self) -> Set[str]:
        """Those that were counted: of a column with very many values not all."""
        return self._parts.keys()

    def add(self, piece: pa.Table, times: Times | None, n_before: int) -> None:
        """A piece before which there were `n_before` rows."""
        filled = self._filled(piece)
        placed = PlacedRows.read(filled, self._baseline, times)
        examples = RowExamples(filled, placed.feature, times)
        span = WindowRows(self._window, np.arange(piece.num_rows))
        window = self._whole.add(placed, span, examples)
        if self._segment_column is not None:
            for value, part in split(span, segment_values(filled, self._segment_column)):
                if (of_value := self._part(value)) is not None:
                    of_value.add(placed, part, examples)
        rows = _without_images(filled, placed.feature.origin.source_column)
        self._sample.add(rows.take(window.rows), n_before + window.rows)

    def rows(self, timestamp_column: str | None, segments: Sequence[str]) -> FeatureRows:
        """All of them; `segments` are the ones that are judged."""
        table = self._sample.table()
        table = table.drop_columns(sorted(self._wanted - self._present))
        times = None if timestamp_column is None else frames.read_times(table, timestamp_column)
        placed = PlacedRows.read(table, self._baseline, times)
        window = placed.window(WindowRows(self._window, np.arange(table.num_rows)))
        values = None
        if self._segment_column is not None:
            values = segment_values(table, self._segment_column)
        return FeatureRows(
            placed,
            RowExamples(table, placed.feature, times),
            [self._of_all(self._whole, window, placed)],
            [
                (
                    value,
                    self._of_all(
                        self._parts[value],
                        placed.window(WindowRows(self._window, np.flatnonzero(values == value))),
                        placed,
                    ),
                )
                for value in segments
                if value in self._parts
            ],
        )

    def _of_all(
        self, whole: GatheredWindow, shown: PlacedWindow, placed: PlacedRows
    ) -> PlacedWindow:
        """The window with the statistics of all its rows."""
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
