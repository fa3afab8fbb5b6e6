"""Rows in pieces: counted and summed by window one after the other, and some of them kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.clusters import Baseline
from monitor.frames import CHUNK_ROWS, Times
from monitor.pipeline.examples import LONGEST_SOURCE, RowExamples
from monitor.pipeline.facts import GatheredWindow
from monitor.pipeline.gathered import Gathered, GatheredFeature, GatheredTimes
from monitor.pipeline.notes import segment_notes
from monitor.pipeline.placed import PlacedRows, PlacedWindow
from monitor.pipeline.rows import COMPOUND, Segments, most_frequent, segment_values
from monitor.pipeline.windowed import FeatureRows, WindowedRows, known_segments, split
from monitor.rules import OF_TIME, RunRules
from monitor.windows import Window, WindowRows

if TYPE_CHECKING:
    import pyarrow as pa

PLACE: Final = "monitor.place"
"""A column of the rows' positions among all, which stands for rows that are drawn and not at hand."""
Drawn = Mapping[int, "pa.Table"]
"""By the number of each window, rows that were drawn of it."""


@dataclass(frozen=True, eq=False)
class Gatherer:
    """Counts and sums rows by window, and draws some of them.

    Parameters
    ----------
    baselines
        Of the features.
    rules
        How windows are cut, and which column the segments are in; these are of one window only.
    timestamp_column
        When each row happened.
    window
        All rows are in it; None where `rules` cut them, or all are one window.
    keeps_rows
        Whether rows that are drawn are kept whole; else their `PLACE` alone.
    """

    baselines: Sequence[Baseline]
    rules: RunRules
    timestamp_column: str | None
    window: Window | None
    keeps_rows: bool = True

    def nothing(self) -> Gathered:
        """What is kept of no rows."""
        return Gathered(
            GatheredTimes(is_cut=self.timestamp_column is not None and self.window is None),
            {
                baseline.name: GatheredFeature(
                    baseline.n_clusters, baseline.random_state, self._known
                )
                for baseline in self.baselines
            },
        )

    def gathered(self, pieces: Iterable[pa.Table], first: int = 0) -> Gathered:
        """What is kept of rows that come in pieces, before which there are `first` others.

        Parameters
        ----------
        pieces
            Plain tables, one at least; what one lacks is empty in it, as in tables that `frames.join` joins.
        """
        gathered = self.nothing()
        for piece in _small(pieces):
            times = self._times(piece)
            labelled = _with_labels(piece, first)
            if self.rules.segment_column is not None:
                values = segment_values(piece, self.rules.segment_column)
                gathered.segments.update(values.tolist())
            windows = self._windows_of(piece, times)
            for baseline in self.baselines:
                self._add(
                    gathered.features[baseline.name], baseline, labelled, times, windows, first
                )
            gathered.times.add(piece.num_rows, times)
            first += piece.num_rows
        return gathered

    def rows(self, gathered: Gathered, drawn: Mapping[str, Drawn] | None = None) -> WindowedRows:
        """The rows in their windows.

        Parameters
        ----------
        gathered
            What is kept of them.
        drawn
            By feature, the rows that were drawn, where they are not kept in `gathered`.
        """
        spans, notes = gathered.times.spans(self.rules.grid, self.window)
        names: tuple[str, ...] = ()
        if self.rules.segment_column is not None:
            # Of one feature, as all have the same rows.
            counted = next(iter(gathered.features.values())).parts
            counts = gathered.segments
            judged = {value: counts[value] for value in counts if value in counted}
            names = tuple(sorted(most_frequent(judged, self._known)))
            n_compound = counts[COMPOUND] if COMPOUND in names else 0
            no_rows = np.empty(0, dtype=object)
            n_left_out = len(counts) - len(names)
            column = self.rules.segment_column
            segments = Segments(column, no_rows, names, n_left_out, n_compound)
            notes = (*notes, *segment_notes(segments))

        def of_feature(baseline: Baseline) -> FeatureRows:
            feature = gathered.features[baseline.name]
            tables = self.drawn(feature) if drawn is None else drawn[baseline.name]
            return self._feature_rows(feature, baseline, spans, names, tables)

        return WindowedRows(of_feature, names, notes)

    def drawn(self, feature: GatheredFeature) -> dict[int, pa.Table]:
        """The rows that are drawn of each window of a feature."""
        # Rows of no window count among them, so that the rest is the same in whatever pieces they came.
        feature.lower()
        return {number: feature.samples[number].table() for number in sorted(feature.samples)}

    def at(
        self, pieces: Iterable[pa.Table], first: int, places: Mapping[str, NDArray[np.int64]]
    ) -> dict[str, pa.Table]:
        """By feature, those of the rows that stand at these `places` among all, rising; see `gathered`."""
        kept: dict[str, list[pa.Table]] = {baseline.name: [] for baseline in self.baselines}
        for piece in _small(pieces):
            labelled, stop = _with_labels(piece, first), first + piece.num_rows
            for baseline in self.baselines:
                wanted = places[baseline.name]
                here = wanted[(wanted >= first) & (wanted < stop)]
                rows = self._kept(_filled(labelled, self._wanted(baseline)), baseline)
                kept[baseline.name].append(rows.take(here - first))
            first = stop
        return {name: frames.join(tables) for name, tables in kept.items()}

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(known_segments(self.baselines))

    def _times(self, piece: pa.Table) -> Times | None:
        column = self.timestamp_column
        return None if column is None else frames.read_times(piece, column)

    def _windows_of(self, piece: pa.Table, times: Times | None) -> dict[int, NDArray[np.int64]]:
        """By the number of each window, the rows of the piece that are in it; 0 where there is one."""
        if times is None or self.window is not None:
            return {0: np.arange(piece.num_rows)}
        dated = np.flatnonzero(~np.isnat(times.values))
        grid = self.rules.grid
        if grid is None or len(dated) == 0:
            return {0: dated} if len(dated) else {}
        numbers = grid.numbers(times.values[dated])
        return {int(at): dated[numbers == at] for at in np.unique(numbers)}

    def _add(
        self,
        feature: GatheredFeature,
        baseline: Baseline,
        piece: pa.Table,
        times: Times | None,
        windows: Mapping[int, NDArray[np.int64]],
        first: int,
    ) -> None:
        """A piece before which there are `first` rows, and which of them are in which window."""
        wanted = self._wanted(baseline)
        feature.present |= wanted & set(piece.column_names)
        filled = _filled(piece, wanted)
        placed = PlacedRows.read(filled, baseline, times)
        examples = RowExamples(filled, placed.feature, times)
        kept = self._kept(filled, baseline)
        feature.no_rows = kept.slice(0, 0)
        if not self.keeps_rows:
            kept = _places(piece, first)
        for number, rows in windows.items():
            window, sample = feature.window(number)
            span = WindowRows(None, rows)
            with_vectors = window.add(placed, span, examples).rows
            sample.add(kept.take(with_vectors), first + with_vectors)
            if self.rules.segment_column is not None:
                values = segment_values(filled, self.rules.segment_column)
                for value, part in split(span, values):
                    if (of_value := feature.part(value)) is not None:
                        of_value.add(placed, part, examples)
        feature.lower_if_many()

    def _feature_rows(
        self,
        feature: GatheredFeature,
        baseline: Baseline,
        spans: Sequence[tuple[int, Window | None]],
        segments: Sequence[str],
        drawn: Drawn,
    ) -> FeatureRows:
        """Those of the windows `spans`, each with its number; `segments` are the ones that are judged."""
        judged = dict(spans)
        tables = {number: rows for number, rows in drawn.items() if number in judged}
        table = frames.join([*tables.values(), feature.no_rows])
        lacking = self._wanted(baseline) - feature.present
        table = table.drop_columns(sorted(lacking))
        times = self._times(table)
        placed = PlacedRows.read(table, baseline, times)
        ends = np.cumsum([len(of_window) for of_window in tables.values()])
        places = {
            number: np.arange(end - len(tables[number]), end)
            for number, end in zip(tables, ends, strict=True)
        }
        windows = []
        for number, window in spans:
            shown = placed.window(WindowRows(window, places.get(number, np.arange(0))))
            if number in feature.windows:
                shown = _of_all(feature.windows[number], shown, placed)
            windows.append(shown)
        parts = []
        if self.rules.segment_column is not None:
            ((_, window),) = spans
            values = segment_values(table, self.rules.segment_column)
            for value in segments:
                rows = WindowRows(window, np.flatnonzero(values == value))
                parts.append((value, _of_all(feature.parts[value], placed.window(rows), placed)))
        return FeatureRows(placed, RowExamples(table, placed.feature, times), windows, parts)

    def _wanted(self, baseline: Baseline) -> set[str]:
        """All columns that are read."""
        from monitor.features import CustomFeature

        origin = CustomFeature.from_dict(dict(baseline.feature)).origin
        context, segment = baseline.context, self.rules.segment_column
        return {
            *origin.columns,
            *origin.written_columns,
            *baseline.columns,
            *(() if context is None else context.names),
            *(() if segment is None else (segment,)),
        } - set(OF_TIME)

    def _kept(self, filled: pa.Table, baseline: Baseline) -> pa.Table:
        from monitor.features import CustomFeature

        origin = CustomFeature.from_dict(dict(baseline.feature)).origin
        return _without_images(filled, origin.source_column)


def gathered(
    pieces: Iterable[pa.Table],
    baselines: Sequence[Baseline],
    rules: RunRules,
    timestamp_column: str | None,
    window: Window | None,
) -> WindowedRows:
    """Rows that come in pieces, in their windows; see `Gatherer`."""
    gatherer = Gatherer(baselines, rules, timestamp_column, window)
    return gatherer.rows(gatherer.gathered(pieces))


def _of_all(whole: GatheredWindow, shown: PlacedWindow, placed: PlacedRows) -> PlacedWindow:
    """A window of rows that are shown, with the statistics of all."""
    return replace(
        shown,
        n_rows=whole.n_rows,
        failures=whole.failures,
        sketch=whole.sketch(has_quality=placed.quality is not None),
        facts=whole.facts(placed.columns),
    )


def _filled(piece: pa.Table, wanted: set[str]) -> pa.Table:
    """The piece with all columns that are read: what this one lacks, another may have."""
    import pyarrow as pa

    for name in sorted(wanted - set(piece.column_names)):
        piece = piece.append_column(name, pa.nulls(piece.num_rows))
    return piece


def _places(piece: pa.Table, first: int) -> pa.Table:
    import pyarrow as pa

    return pa.table({PLACE: np.arange(first, first + piece.num_rows)})


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
