"""What the verbs read of a frame's rows: vectors, quality numbers, segments."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.clusters import QualityReference, fit_quality
from monitor.errors import InvalidInputError
from monitor.features import CustomFeature, OriginKind
from monitor.frames import Vectors

_MOST_SEGMENTS: Final = 200


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
