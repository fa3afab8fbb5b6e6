"""Rows of a frame as examples of what a cluster, or a drifted window, holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.clusters import Example
from monitor.features import CustomFeature
from monitor.frames import Times
from monitor.redaction import unsigned
from monitor.windows import utc

N_EXAMPLES: Final = 4
LEAST_CHANGED: Final = 0.5
"""How likely a row must be one of those that changed to be shown as one."""
LONGEST_SOURCE: Final = 100_000
"""A `data:` URI longer than this would swell every report and baseline: such an example is named only."""


@dataclass(frozen=True, eq=False)
class RowExamples:
    """Rows of a frame as examples of clusters."""

    frame: Any
    feature: CustomFeature
    times: Times | None

    @cached_property
    def _labels(self) -> list[str]:
        return frames.row_labels(self.frame)

    @cached_property
    def _sources(self) -> list[Any] | None:
        name = self.feature.origin.source_column
        if name is None or name not in frames.column_names(self.frame):
            return None
        return frames.cells(self.frame, name)

    def per_cluster(
        self,
        rows: NDArray[np.int64],
        labels: NDArray[np.int64],
        distances: NDArray[np.float32],
        n_clusters: int,
        changed: NDArray[np.float64] | None = None,
    ) -> tuple[tuple[Example, ...], ...]:
        """For each cluster, the rows nearest to its centroid.

        With `changed`, (n,) in [0, 1], those that changed come first: the others look as they always did.
        """
        examples = []
        for cluster in range(n_clusters):
            members = np.flatnonzero(labels == cluster)
            order = np.argsort(distances[members], kind="stable")
            if changed is not None:
                is_calm = changed[members][order] < LEAST_CHANGED
                order = order[np.argsort(is_calm, kind="stable")]
            nearest = members[order]
            examples.append(self.first(rows[nearest], distances[nearest]))
        return tuple(examples)

    def first(
        self, rows: NDArray[np.int64], distances: NDArray[np.floating]
    ) -> tuple[Example, ...]:
        """The first few of `rows`; of rows at the very same distance, which are copies, only one."""
        by_distance: dict[float, Example] = {}
        for row, distance in zip(rows.tolist(), distances.tolist(), strict=True):
            if distance not in by_distance:
                by_distance[distance] = self._example(row, distance)
            if len(by_distance) == N_EXAMPLES:
                break
        return tuple(by_distance.values())

    def at(self, rows: NDArray[np.int64], distances: NDArray[np.floating]) -> tuple[Example, ...]:
        """Each of `rows`."""
        pairs = zip(rows.tolist(), distances.tolist(), strict=True)
        return tuple(self._example(row, distance) for row, distance in pairs)

    def labels(self, rows: NDArray[np.int64]) -> list[str]:
        """The index labels of `rows`."""
        return [self._labels[row] for row in rows.tolist()]

    def _example(self, row: int, distance: float) -> Example:
        cell = None if self._sources is None else self._sources[row]
        source = frames.text_of(cell) if isinstance(cell, str | Path) else None
        time = None if self.times is None else self.times.values[row]
        return Example(
            row=self._labels[row],
            source=unsigned(source) if source and len(source) <= LONGEST_SOURCE else None,
            distance=distance,
            timestamp=None if time is None or np.isnat(time) else utc(time).isoformat(),
        )
