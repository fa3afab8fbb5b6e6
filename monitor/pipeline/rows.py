"""What the verbs read of a frame's rows: vectors, quality numbers, segments."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.clusters.scaling import UNIT
from monitor.errors import InvalidInputError
from monitor.features import ClusteredFeature, CustomFeature, OriginKind, VectorFeature
from monitor.frames import VectorCells, Vectors

MOST_SEGMENTS: Final = 200
"""More would drown a report; those with most rows are judged."""
EMPTY: Final = "(empty)"
COMPOUND: Final = "(not one value)"


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
        kind=VectorCells(
            is_text=isinstance(feature, VectorFeature) and feature.parse_text,
            zero_counts=isinstance(feature, ClusteredFeature) and feature.vector_scaling != UNIT,
        ),
    )


def read_quality(frame: Any, feature: CustomFeature) -> NDArray[np.float32] | None:
    """(n, fields) what `embed` measured on the images, NaN in rows without; None where it did not.

    A table that another version embedded, with other statistics, is warned of.
    """
    column = feature.origin.quality_column
    if column not in feature.origin.written_columns or column not in frames.column_names(frame):
        return None
    from monitor.images.quality import QUALITY_FIELDS

    measured = frames.read_numbers(frame, column, len(QUALITY_FIELDS))
    if np.isnan(measured).all():
        _warn_of_other_width(frames.cells(frame, column), column, len(QUALITY_FIELDS))
    return measured


def _warn_of_other_width(cells: Sequence[Any], column: str, width: int) -> None:
    """Tell of pixel statistics that another version took: they count as missing."""
    widths = Counter(len(cell) for cell in cells if frames.is_compound(cell) and len(cell) != width)
    if widths:
        ((other, _),) = widths.most_common(1)
        warnings.warn(
            f"column {column!r} has {other} pixel statistics in {widths.total():,} rows and this version "
            f"takes {width}: these rows count as if they had none, so no technical change shows in them; "
            "embed the table again (a cache keeps the pictures from being encoded twice)",
            stacklevel=3,
        )


def quality_fields() -> tuple[str, ...]:
    """The names of the numbers that `read_quality` gives."""
    from monitor.images.quality import QUALITY_FIELDS

    return QUALITY_FIELDS


def segment_values(frame: Any, column: str) -> NDArray[np.object_]:
    """(n,) the values of a metadata column as text.

    An empty cell is a value of its own, "(empty)", and so is a list or an array, "(not one value)".

    Raises
    ------
    MissingColumnError
        If there is no such column.
    """
    return np.array([_segment(cell) for cell in frames.cells(frame, column)], dtype=object)


def category_values(frame: Any, column: str) -> NDArray[np.object_]:
    """As `segment_values`, of a column that a baseline is to know.

    Raises
    ------
    MissingColumnError
        If there is no such column.
    InvalidInputError
        If no cell of the column holds a single value.
    """
    values = segment_values(frame, column)
    if set(values.tolist()) <= {EMPTY, COMPOUND} and COMPOUND in values:
        kind = next(type(c).__name__ for c in frames.cells(frame, column) if frames.is_compound(c))
        raise InvalidInputError(
            f"column {column!r} holds {kind}, not single values: name a column of categories"
        )
    return values


@dataclass(frozen=True, eq=False)
class Segments:
    """The segments of a frame's rows.

    Parameters
    ----------
    column
        The metadata column.
    values
        (n,) the segment of each row; None for rows of values that are none.
    names
        The segments, sorted.
    n_left_out
        How many further values the column has.
    n_compound
        How many rows hold several values, where these are a segment.
    """

    column: str
    values: NDArray[np.object_]
    names: tuple[str, ...]
    n_left_out: int
    n_compound: int = 0

    @classmethod
    def read(cls, frame: Any, column: str, known: Collection[str] = ()) -> Segments:
        """The values with most rows, `MOST_SEGMENTS` at most and `known` ones first; see `segment_values`."""
        values = segment_values(frame, column)
        counts = Counter(values.tolist())
        names = set(most_frequent(counts, known))
        kept = np.array([value if value in names else None for value in values], dtype=object)
        return cls(
            column,
            kept,
            tuple(sorted(names)),
            len(counts) - len(names),
            counts[COMPOUND] if COMPOUND in names else 0,
        )

    def refuse_key(self) -> None:
        """Pass if the column holds categories.

        Raises
        ------
        InvalidInputError
            If most of its values are there once only: it is a key.
        """
        n_values = len(self.names) + self.n_left_out
        if self.n_left_out and 2 * n_values > len(self.values):
            raise InvalidInputError(
                f"column {self.column!r} has {n_values:,} different values in {len(self.values):,} rows: "
                "name a column of categories"
            )


def most_frequent(counts: Mapping[str, int], known: Collection[str]) -> list[str]:
    """The segments that are judged, of values with so many rows each."""
    # The name last: the same rows in any order give the same segments.
    often = sorted(counts, key=lambda value: (value not in known, -counts[value], value))
    return often[:MOST_SEGMENTS]


def _segment(cell: Any) -> str:
    if frames.is_compound(cell):
        return COMPOUND
    return EMPTY if frames.is_missing(cell) else frames.text_of(cell)
