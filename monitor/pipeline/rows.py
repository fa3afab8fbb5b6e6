"""What the verbs read of a frame's rows: vectors, failures, segments, examples."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.clusters import Example, QualityReference, fit_quality
from monitor.errors import InvalidInputError
from monitor.features import CustomFeature, OriginKind
from monitor.frames import Times, Vectors

N_EXAMPLES = 4
_MOST_SEGMENTS = 200
_LONGEST_SOURCE = 100_000
"""A `data:` URI longer than this would swell every report and baseline: such an example is named only."""


def read_vectors(frame: Any, feature: CustomFeature, *, width: int | None = None) -> Vectors:
    """The vectors of `feature`, and why rows have none."""
    origin = feature.origin
    if origin.kind is OriginKind.COLUMNS:
        return frames.read_columns(frame, origin.columns)
    return frames.read_vectors(
        frame,
        origin.column,
        width=width,
        failure_column=origin.failure_column if origin.is_embedded else None,
    )


def count_failures(failures: Iterable[str | None]) -> dict[str, int]:
    """Rows per reason, the most frequent first."""
    return dict(Counter(reason for reason in failures if reason is not None).most_common())


def in_words(counts: dict[str, int]) -> str:
    """Counts as a phrase: "3 missing, 1 http_404"."""
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())


def read_quality(frame: Any, feature: CustomFeature) -> NDArray[np.float32] | None:
    """(n, fields) what `embed` measured on the images, NaN in rows without; None where it did not."""
    column = feature.origin.quality_column
    if column not in feature.origin.written_columns or column not in frames.column_names(frame):
        return None
    from monitor.images.quality import QUALITY_FIELDS

    return frames.read_numbers(frame, column, len(QUALITY_FIELDS))


def fit_baseline_quality(
    frame: Any, feature: CustomFeature, usable: NDArray[np.bool_]
) -> QualityReference | None:
    """The pixel statistics of a baseline's usable rows."""
    measured = read_quality(frame, feature)
    if measured is None:
        return None
    from monitor.images.quality import QUALITY_FIELDS

    return fit_quality(measured[usable], QUALITY_FIELDS)


def segment_values(
    frame: Any, column: str, *, most: int | None = _MOST_SEGMENTS
) -> NDArray[np.object_]:
    """(n,) the values of a metadata column as text; an empty cell is its own value, "(empty)".

    `most` bounds how many different values a segment column may have.

    Raises
    ------
    InvalidInputError
        If the column holds lists or arrays, or so many values that it is no segment but a key.
    """
    cells = frames.cells(frame, column)
    compound = next((c for c in cells if isinstance(c, np.ndarray | list | dict)), None)
    if compound is not None:
        raise InvalidInputError(
            f"column {column!r} holds {type(compound).__name__}, not single values: name a column of "
            "categories"
        )
    values = np.array(
        ["(empty)" if frames.is_missing(cell) else _as_text(cell) for cell in cells], dtype=object
    )
    n_values = len(set(values.tolist()))
    if most is not None and n_values > most:
        raise InvalidInputError(
            f"column {column!r} has {n_values:,} different values, a segment column at most "
            f"{most}: name a column of categories"
        )
    return values


def _as_text(cell: Any) -> str:
    # A column of whole numbers turns to floats as soon as one of its cells is empty.
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def utc(instant: np.datetime64) -> dt.datetime:
    """A datetime64 in UTC as an aware datetime."""
    naive: dt.datetime = instant.astype("datetime64[us]").item()
    return naive.replace(tzinfo=dt.UTC)


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
    ) -> tuple[tuple[Example, ...], ...]:
        """For each cluster, the rows nearest to its centroid."""
        found = []
        for cluster in range(n_clusters):
            members = np.flatnonzero(labels == cluster)
            nearest = members[np.argsort(distances[members], kind="stable")]
            found.append(self.first(rows[nearest], distances[nearest]))
        return tuple(found)

    def first(self, rows: NDArray[np.int64], distances: NDArray[np.float32]) -> tuple[Example, ...]:
        """The first few of `rows`; of rows at the very same distance, which are copies, only one."""
        chosen: dict[float, Example] = {}
        for row, distance in zip(rows.tolist(), distances.tolist(), strict=True):
            if distance not in chosen:
                chosen[distance] = self._example(row, distance)
            if len(chosen) == N_EXAMPLES:
                break
        return tuple(chosen.values())

    def _example(self, row: int, distance: float) -> Example:
        cell = None if self._sources is None else self._sources[row]
        source = str(cell) if isinstance(cell, str | Path) else None
        time = None if self.times is None else self.times.values[row]
        return Example(
            row=self._labels[row],
            source=source if source and len(source) <= _LONGEST_SOURCE else None,
            distance=distance,
            timestamp=None if time is None or np.isnat(time) else utc(time).isoformat(),
        )
