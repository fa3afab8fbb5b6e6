"""A column of vectors ─► one matrix, and a reason for each row that has none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.errors import InvalidInputError
from monitor.frames import table

_MAX_VALUE = np.float64(1e150)  # squares of larger numbers overflow


@dataclass(frozen=True, eq=False)
class Vectors:
    """The vectors of a column.

    Parameters
    ----------
    matrix
        (n_usable, width) float64 or float32, the usable rows in their order.
    usable
        (n_rows,) bool, which rows these are.
    failures
        (n_rows,) reasons (see `monitor.failures`), None for usable rows.
    fingerprint
        The encoder, where the frame knows it.
    """

    matrix: NDArray[np.floating]
    usable: NDArray[np.bool_]
    failures: NDArray[np.object_]
    fingerprint: str | None = None


def read_vectors(
    frame: Any, column: str, *, width: int | None = None, failure_column: str | None = None
) -> Vectors:
    """The vectors of `column`: lists, arrays or Arrow lists.

    Parameters
    ----------
    frame
        pandas, polars or Arrow.
    column
        Its embedding column.
    width
        How wide a vector must be; by default as most rows are.
    failure_column
        A column of reasons that `embed` left; used where there is no vector.

    Raises
    ------
    MissingColumnError
        If there is no such column.
    InvalidInputError
        If the column holds scalars only, so that it cannot be an embedding column.
    """
    series = table.series(frame, column)
    rows = _arrow_rows(series)
    if rows is None:
        rows = _object_rows(series.to_list())
        _refuse_scalars(series.to_list(), column)
    recorded: Sequence[Any] = ()
    if failure_column is not None and failure_column in table.column_names(frame):
        recorded = table.cells(frame, failure_column)
    return _collect(rows, width, recorded, table.fingerprint(frame, column))


def read_columns(frame: Any, columns: Sequence[str]) -> Vectors:
    """Several numeric columns as one vector a row, in the order given."""
    parts = []
    for name in columns:
        values = table.cells(frame, name)
        try:
            parts.append(
                np.array([np.nan if v is None else float(v) for v in values], dtype=np.float64)
            )
        except (TypeError, ValueError) as error:
            raise InvalidInputError(
                f"column {name!r} holds something that is no number ({error}): give numeric columns"
            ) from error
    matrix = np.column_stack(parts)
    rows: list[Any] = ["missing" if np.isnan(row).all() else row for row in matrix]
    return _collect(rows, len(columns), (), None, zero_is_failure=False)


def _refuse_scalars(values: Sequence[Any], column: str) -> None:
    """A column of nothing but scalars was named by mistake."""
    present = [
        cell for cell in values if cell is not None and not (np.isscalar(cell) and cell != cell)
    ]
    if present and all(np.isscalar(cell) for cell in present):
        kinds = ", ".join(sorted({type(cell).__name__ for cell in present}))
        raise InvalidInputError(
            f"column {column!r} holds {kinds}, not vectors: name the column of vectors, or make it with "
            "monitor.embed"
        )


def _arrow_rows(series: Any) -> list[Any] | None:
    """Rows of a typed list column, fast; None when the column is of another kind."""
    import pyarrow as pa

    if series.dtype.__class__.__name__ not in {"Array", "List"}:
        return None
    arrow = series.to_arrow()
    if isinstance(arrow, pa.ChunkedArray):
        arrow = arrow.combine_chunks()
    kind = arrow.type
    if not (
        pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    ) or not (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        return None
    valid = np.asarray(arrow.is_valid())
    flat = arrow.flatten().to_numpy(zero_copy_only=False)
    lengths = np.asarray(arrow.value_lengths().fill_null(0)).astype(np.int64) * valid
    ends = np.cumsum(lengths)
    return [
        flat[end - length : end] if length else "missing"
        for end, length in zip(ends, lengths, strict=True)
    ]


def _object_rows(values: Sequence[Any]) -> list[Any]:
    return [_object_row(cell) for cell in values]


def _object_row(cell: Any) -> NDArray[np.floating] | str:
    """One cell as a vector, or the reason why it is none."""
    if cell is None or (np.isscalar(cell) and cell != cell):
        return "missing"
    if isinstance(cell, str | bytes | dict | set) or np.isscalar(cell):
        return "not_numeric"
    try:
        vector = np.asarray(cell)
    except ValueError:  # ragged inside
        return "not_numeric"
    if vector.size == 0:
        return "missing"
    if vector.ndim != 1:
        return "wrong_dimension"
    if vector.dtype.kind == "O":
        if any(isinstance(x, str | bytes) for x in vector):
            return "not_numeric"
        try:
            return np.array([np.nan if x is None else float(x) for x in vector])
        except (TypeError, ValueError):
            return "not_numeric"
    return vector if vector.dtype.kind in "fiu" else "not_numeric"


def _collect(
    rows: Sequence[Any],
    width: int | None,
    recorded: Sequence[Any],
    fingerprint: str | None,
    *,
    zero_is_failure: bool = True,
) -> Vectors:
    failures = np.full(len(rows), None, dtype=object)
    if width is None:
        widths = Counter(len(row) for row in rows if isinstance(row, np.ndarray))
        width = widths.most_common(1)[0][0] if widths else 0
    for i, row in enumerate(rows):
        if isinstance(row, str):
            failures[i] = row
        elif len(row) != width:
            failures[i] = "wrong_dimension"
    fits = np.array([reason is None for reason in failures], dtype=bool)
    if fits.any():
        matrix = np.stack([row for row, fit in zip(rows, fits, strict=True) if fit])
        if matrix.dtype.kind != "f":
            matrix = matrix.astype(np.float64)
    else:
        matrix = np.empty((0, width), dtype=np.float32)
    positions = np.flatnonzero(fits)
    finite = (np.isfinite(matrix) & (np.abs(matrix) < _MAX_VALUE)).all(axis=1)
    failures[positions[~finite]] = "not_finite"
    keep = finite
    if zero_is_failure:
        nonzero = matrix.any(axis=1)
        failures[positions[finite & ~nonzero]] = "zero_vector"
        keep = finite & nonzero
    for i, reason in enumerate(recorded):
        # The reason that embed wrote says more than "missing".
        if failures[i] == "missing" and isinstance(reason, str) and reason:
            failures[i] = reason
    usable = np.array([reason is None for reason in failures], dtype=bool)
    return Vectors(matrix[keep], usable, failures, fingerprint)
