"""What a report tells of a window's rows beside their statistics: it adds up and does not grow with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.clusters import (
    ClusterHistogram,
    Example,
    ValueTable,
    WindowSketch,
)
from monitor.clusters.content import content_keys
from monitor.clusters.copies import MOST_KEYS, CopyCounts
from monitor.pipeline.examples import N_EXAMPLES, RowExamples

if TYPE_CHECKING:
    from monitor.pipeline.placed import PlacedRows, PlacedWindow
    from monitor.windows import WindowRows


@dataclass(frozen=True, eq=False)
class WindowFacts:
    """What is told of all rows of a window.

    Parameters
    ----------
    most_repeated
        The largest share of rows that hold one and the same vector, in [0, 1].
    repeated
        The share of rows whose vector another row has had before, in [0, 1); NaN where it is not known.
    nearest
        Per cluster, the rows nearest to its centroid.
    novel
        Novel rows, farthest from known ones first.
    tables
        By column, the rows' metadata against the clusters, where they were counted.
    """

    most_repeated: float
    repeated: float
    nearest: tuple[tuple[Example, ...], ...]
    novel: tuple[Example, ...]
    tables: Mapping[str, ValueTable]

    @classmethod
    def of(cls, placed: PlacedRows, window: PlacedWindow, examples: RowExamples) -> WindowFacts:
        """Those of a window whose rows are all there, without counts of metadata."""
        copies = CopyCounts()
        copies.add(content_keys(placed.scaled[window.at]))
        shares = (copies.largest_share, copies.repeated_share)
        return cls(*shares, *_examples(placed, window, examples), tables={})


class GatheredWindow:
    """A window that comes in pieces: its statistics, and what is told of its rows.

    Parameters
    ----------
    n_clusters
        Of the baseline.
    most_keys
        See `CopyCounts`.
    """

    def __init__(self, n_clusters: int, most_keys: int = MOST_KEYS) -> None:
        self.n_rows = 0
        self._failures: Counter[str] = Counter()
        self._copies = CopyCounts(most_keys)
        self._nearest: tuple[tuple[Example, ...], ...] = ((),) * n_clusters
        self._novel: tuple[Example, ...] = ()
        self._tables: dict[str, ValueTable] = {}
        self._sketch: WindowSketch | None = None

    def add(self, placed: PlacedRows, span: WindowRows, examples: RowExamples) -> PlacedWindow:
        """Count the rows of `span`, and give them back in their clusters."""
        window = placed.window(span)
        self.n_rows += window.n_rows
        # In the order of the rows, by which reasons that are equally frequent are told.
        self._failures.update(reason for reason in placed.vectors.failures[span.rows] if reason)
        self._sketch = window.sketch if self._sketch is None else self._sketch + window.sketch
        self._copies.add(content_keys(placed.scaled[window.at]))
        self._add_tables(placed.value_tables(window))
        self._add_examples(*_examples(placed, window, examples))
        return window

    def merge(self, other: GatheredWindow) -> None:
        """Take the rows of `other`, which come after these: as if they had been added here."""
        self.n_rows += other.n_rows
        self._failures.update(other._failures)
        if self._sketch is None or other._sketch is None:
            self._sketch = self._sketch or other._sketch
        else:
            self._sketch = self._sketch + other._sketch
        self._copies.merge(other._copies)
        self._add_tables(other._tables)
        self._add_examples(other._nearest, other._novel)

    def _add_tables(self, tables: Mapping[str, ValueTable]) -> None:
        for name, table in tables.items():
            self._tables[name] = self._tables[name] + table if name in self._tables else table

    def _add_examples(
        self, nearest: tuple[tuple[Example, ...], ...], novel: tuple[Example, ...]
    ) -> None:
        self._nearest = tuple(
            _few((*before, *new)) for before, new in zip(self._nearest, nearest, strict=True)
        )
        self._novel = _few((*self._novel, *novel), is_farthest=True)

    @property
    def failures(self) -> dict[str, int]:
        """Why rows have no vector, the most frequent reason first."""
        return dict(self._failures.most_common())

    def sketch(self, *, has_quality: bool) -> WindowSketch:
        """The statistics of all rows."""
        assert self._sketch is not None, "a window has one piece at least"
        histogram = ClusterHistogram(self._sketch.histogram.counts, self.failures)
        quality = self._sketch.quality if has_quality else None
        return replace(self._sketch, histogram=histogram, quality=quality)

    def facts(self, columns: Iterable[str]) -> WindowFacts:
        """What is told of all rows; `columns` are those of the metadata that there are."""
        tables = {name: self._tables[name] for name in columns}
        shares = (self._copies.largest_share, self._copies.repeated_share)
        return WindowFacts(*shares, self._nearest, self._novel, tables)


def _examples(
    placed: PlacedRows, window: PlacedWindow, examples: RowExamples
) -> tuple[tuple[tuple[Example, ...], ...], tuple[Example, ...]]:
    """The rows nearest to each centroid, and the novel ones."""
    far, from_known = placed.novel(window)
    labels, distances = placed.labels[window.at], placed.distances[window.at]
    nearest = examples.per_cluster(window.rows, labels, distances, placed.baseline.n_clusters)
    return nearest, examples.first(window.rows[far], from_known)


def _few(examples: tuple[Example, ...], *, is_farthest: bool = False) -> tuple[Example, ...]:
    """As `RowExamples.first`: of equally near ones the first, which came earlier."""
    by_distance: dict[float, Example] = {}
    for example in sorted(examples, key=lambda example: example.distance, reverse=is_farthest):
        by_distance.setdefault(example.distance, example)
    return tuple(by_distance.values())[:N_EXAMPLES]
