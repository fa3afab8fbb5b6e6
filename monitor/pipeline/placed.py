"""One feature's rows of a frame, placed in the clusters of its baseline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.clusters import Baseline, ValueTable, WindowSketch, count_values, neighbours
from monitor.failures import count_failures
from monitor.features import CustomFeature
from monitor.frames import Times, Vectors
from monitor.pipeline.contexts import context_keys, strata_of
from monitor.pipeline.facts import WindowFacts
from monitor.pipeline.rows import read_quality, read_vectors, segment_values
from monitor.windows import Window, WindowRows, zone_of


@dataclass(frozen=True, eq=False)
class PlacedWindow:
    """The rows of one window that have vectors.

    Parameters
    ----------
    span
        The window; None when the rows have no times.
    n_rows
        All its rows.
    rows
        (n,) positions in the frame of those with vectors.
    at
        (n,) their positions among all rows with vectors.
    failures
        Why the others have none.
    sketch
        The statistics of the vectors.
    facts
        What else is known of all rows, where the frame holds only some of those with vectors.
    """

    span: Window | None
    n_rows: int
    rows: NDArray[np.int64]
    at: NDArray[np.int64]
    failures: dict[str, int]
    sketch: WindowSketch
    facts: WindowFacts | None = None


@dataclass(frozen=True, eq=False)
class PlacedRows:
    """The rows of a feature with vectors, each in its nearest cluster.

    Parameters
    ----------
    vectors
        As they were read.
    position
        (rows of the frame,) of each row among those with vectors, −1 for the others.
    scaled, labels, distances
        The vectors in the baseline's scale, their clusters, and how far from the centroids they lie.
    quality
        (rows of the frame, fields) what `embed` measured; None where it did not.
    strata
        (rows of the frame,) in which of the baseline's strata each row is; None where it has no contexts.
    columns
        By name, the metadata that shifts are explained by: a value for each row of the frame.
    """

    baseline: Baseline
    feature: CustomFeature
    vectors: Vectors
    position: NDArray[np.int64]
    scaled: NDArray[np.float32]
    labels: NDArray[np.int64]
    distances: NDArray[np.float32]
    quality: NDArray[np.float32] | None
    strata: NDArray[np.int64] | None
    columns: dict[str, NDArray[np.object_]]

    @classmethod
    def read(cls, frame: Any, baseline: Baseline, times: Times | None) -> PlacedRows:
        """The rows of `frame`, which happened at `times`, in the clusters of `baseline`.

        Raises
        ------
        MissingColumnError, FingerprintMismatchError, InvalidInputError
            If the vectors cannot be read, or another encoder made them.
        """
        feature = CustomFeature.from_dict(dict(baseline.feature))
        vectors = read_vectors(frame, feature, width=baseline.width)
        baseline.check_fingerprint(vectors.fingerprint)
        scaled, labels, distances = baseline.assign(vectors.matrix)
        position = np.full(len(vectors.usable), -1, dtype=np.int64)
        position[vectors.usable] = np.arange(len(scaled))
        names = set(frames.column_names(frame))
        context = baseline.context
        strata = None
        if context is not None:
            keys = context_keys(frame, context.names, times, zone_of(baseline.timezone))
            strata = strata_of(keys, context)
        return cls(
            baseline=baseline,
            feature=feature,
            vectors=vectors,
            position=position,
            scaled=scaled,
            labels=labels,
            distances=distances,
            quality=None if baseline.quality is None else read_quality(frame, feature),
            strata=strata,
            columns={
                name: segment_values(frame, name) for name in baseline.columns if name in names
            },
        )

    @property
    def missing_columns(self) -> tuple[str, ...]:
        """The metadata columns of the baseline that the frame lacks."""
        return tuple(name for name in self.baseline.columns if name not in self.columns)

    @cached_property
    def nearness(self) -> NDArray[np.float64]:
        """(n,) how far known rows are from each row, once for its window and its segment."""
        return neighbours(self.scaled, self.baseline.known.vectors)[0]

    def window(self, span: WindowRows) -> PlacedWindow:
        """The rows of one window."""
        at = self.position[span.rows]
        rows, at = span.rows[at >= 0], at[at >= 0]
        failures = count_failures(self.vectors.failures[span.rows])
        sketch = self.baseline.sketch_assigned(
            self.scaled[at],
            self.labels[at],
            self.distances[at],
            failures,
            None if self.strata is None else self.strata[rows],
            None if self.quality is None else self.quality[rows],
            nearness=self.nearness[at],
        )
        return PlacedWindow(span.window, len(span.rows), rows, at, failures, sketch)

    def value_tables(self, window: PlacedWindow) -> dict[str, ValueTable]:
        """The window's metadata against the clusters."""
        labels, known = self.labels[window.at], self.baseline.columns
        return {
            name: count_values(values[window.rows].tolist(), labels, known[name])
            for name, values in self.columns.items()
        }

    def novel(self, window: PlacedWindow) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Which of the window's rows are novel, farthest first, and how far known rows are from each."""
        if window.sketch.n_novel == 0:
            return np.empty(0, dtype=np.int64), np.empty(0)
        distances = self.nearness[window.at]
        far = np.argsort(-distances, kind="stable")
        far = far[distances[far] > self.baseline.novelty_radius]
        return far, distances[far]
