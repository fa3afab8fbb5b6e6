"""A column of vectors ─► one matrix, and a reason for each row that has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from monitor.empty_cells import is_missing
from monitor.errors import InvalidInputError
from monitor.frames import table
from monitor.frames.fingerprints import fingerprint as recorded_fingerprint
from monitor.frames.vector_cells import number_of, vector_of, vector_of_text

_MAX_VALUE = np.float64(1e150)  # squares of larger numbers overflow

_Stacked: TypeAlias = tuple[NDArray[np.floating], NDArray[np.object_]]
"""The rows of one width, and for each row of the frame the reason why it is not among them, or None."""


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


@dataclass(frozen=True)
class VectorCells:
    """What the cells of a column of vectors may be.

    Parameters
    ----------
    is_text
        Texts such as `"[0.1, 0.2]"` are vectors, too.
    zero_counts
        A vector of zeros is one; elsewhere it is a failure, since it has no direction.
    """

    is_text: bool = False
    zero_counts: bool = False


def read_vectors(
    frame: Any,
    column: str,
    *,
    width: int | None = None,
    failure_column: str | None = None,
    kind: VectorCells | None = None,
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
    kind
        What its cells may be; by default lists whose numbers are not all zero.

    Raises
    ------
    MissingColumnError
        If there is no such column.
    InvalidInputError
        If the column holds scalars only, so that it cannot be an embedding column.
    """
    of = kind or VectorCells()
    series = table.series(frame, column)
    stacked = _stack_lists(series, width)
    if stacked is None:
        cells = series.to_list()
        _refuse_scalars(cells, column, of)
        read = vector_of_text if of.is_text else vector_of
        stacked = _stack_rows([read(cell) for cell in cells], width)
    recorded: Sequence[Any] = ()
    if failure_column is not None and failure_column in table.column_names(frame):
        recorded = table.cells(frame, failure_column)
    return _judge(
        *stacked,
        recorded=recorded,
        fingerprint=recorded_fingerprint(frame, column),
        zero_is_failure=not of.zero_counts,
    )


def read_numbers(frame: Any, column: str, width: int) -> NDArray[np.float32]:
    """(n, width) float32: the lists of numbers of `column`; NaN in rows that hold no such list."""
    stacked = _stack_lists(table.series(frame, column), width)
    if stacked is None:
        rows = [vector_of(cell) for cell in table.cells(frame, column)]
        stacked = _stack_rows(rows, width)
    matrix, failures = stacked
    numbers = np.full((len(failures), width), np.nan, dtype=np.float32)
    numbers[[reason is None for reason in failures]] = matrix
    return numbers


def read_columns(frame: Any, columns: Sequence[str]) -> Vectors:
    """Several numeric columns as one vector a row, in the order given; a text that is a number is one.

    Raises
    ------
    InvalidInputError
        If no cell of a column is a number.
    """
    n = table.n_rows(frame)
    matrix = np.full((n, len(columns)), np.nan)
    is_broken = np.zeros(n, dtype=bool)
    for position, name in enumerate(columns):
        numbers = [number_of(cell) for cell in table.cells(frame, name)]
        broken = [number is None for number in numbers]
        if any(broken) and all(number is None or np.isnan(number) for number in numbers):
            cell = table.cells(frame, name)[broken.index(True)]
            raise InvalidInputError(
                f"column {name!r} holds something that is no number, such as {str(cell)[:60]!r}: give "
                "numeric columns; `read: {decimal: ','}` reads 1,5 as one and a half"
            )
        is_broken |= broken
        matrix[:, position] = [np.nan if number is None else number for number in numbers]
    rows: list[Any] = [
        "not_numeric" if broken else "missing" if np.isnan(row).all() else row
        for row, broken in zip(matrix, is_broken.tolist(), strict=True)
    ]
    return _judge(*_stack_rows(rows, len(columns)), zero_is_failure=False)


def _refuse_scalars(cells: Sequence[Any], column: str, of: VectorCells) -> None:
    """A column of nothing but scalars was named by mistake."""
    present = [cell for cell in cells if not is_missing(cell)]
    if of.is_text:
        present = [cell for cell in present if isinstance(vector_of_text(cell), str)]
        if len(present) < sum(not is_missing(cell) for cell in cells):
            return
    if present and all(np.isscalar(cell) for cell in present):
        kinds = ", ".join(sorted({type(cell).__name__ for cell in present}))
        first = next((cell for cell in present if isinstance(cell, str)), "")
        is_written = not of.is_text and not isinstance(vector_of_text(first), str)
        how = "name the column of vectors, or make it with monitor.embed"
        if is_written:
            how = (
                f"{first[:40]!r} is a vector written as text: set parse_text=True on the feature "
                "(parse_text: true in monitor.yaml) to have it read"
            )
        elif of.is_text and first:
            how = f"{first[:40]!r} is no vector written as text, such as '[0.25, -1.5]': {how}"
        raise InvalidInputError(f"column {column!r} holds {kinds}, not vectors: {how}")


def _stack_lists(series: Any, width: int | None) -> _Stacked | None:
    """The rows of a typed list column, without a Python object for any; None for other columns."""
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
    # `flatten` leaves null rows out; a null inside a row becomes NaN.
    flat = arrow.flatten().to_numpy(zero_copy_only=False)
    lengths = np.asarray(arrow.value_lengths().fill_null(0)).astype(np.int64)
    present = lengths > 0
    if width is None:
        width = _usual_width(lengths[present])
    fits = present & (lengths == width)
    failures = np.full(len(lengths), None, dtype=object)
    failures[~present] = "missing"
    failures[present & ~fits] = "wrong_dimension"
    if (present & ~fits).any():
        flat = flat[np.repeat(fits, lengths)]
    return _as_float(flat.reshape(int(fits.sum()), width)), failures


def _stack_rows(rows: Sequence[NDArray[Any] | str], width: int | None) -> _Stacked:
    """Rows of one width; a row that is text is the reason why there is none."""
    if width is None:
        widths = [len(row) for row in rows if not isinstance(row, str)]
        width = _usual_width(np.array(widths, dtype=np.int64))
    failures = np.full(len(rows), None, dtype=object)
    fitting = []
    for i, row in enumerate(rows):
        if isinstance(row, str):
            failures[i] = row
        elif len(row) != width:
            failures[i] = "wrong_dimension"
        else:
            fitting.append(row)
    if not fitting:
        return np.empty((0, width), dtype=np.float32), failures
    return _as_float(np.stack(fitting)), failures


def _usual_width(widths: NDArray[np.int64]) -> int:
    """The most frequent width, of several the one seen first, and 0 if there is none."""
    if len(widths) == 0:
        return 0
    values, first, counts = np.unique(widths, return_index=True, return_counts=True)
    return int(values[np.lexsort((first, -counts))[0]])


def _as_float(matrix: NDArray[Any]) -> NDArray[np.floating]:
    return matrix if matrix.dtype.kind == "f" else matrix.astype(np.float64)


def _judge(
    matrix: NDArray[np.floating],
    failures: NDArray[np.object_],
    *,
    recorded: Sequence[Any] = (),
    fingerprint: str | None = None,
    zero_is_failure: bool = True,
) -> Vectors:
    """Sort out the rows of `matrix` that are no usable vectors; `failures` has those without a row."""
    usable = np.array([reason is None for reason in failures], dtype=bool)
    positions = np.flatnonzero(usable)
    keep = _is_finite(matrix).all(axis=1)
    failures[positions[~keep]] = "not_finite"
    if zero_is_failure:
        is_zero = keep & ~matrix.any(axis=1)
        failures[positions[is_zero]] = "zero_vector"
        keep &= ~is_zero
    usable[positions[~keep]] = False
    if recorded:
        for i in np.flatnonzero(failures == "missing").tolist():
            # The reason that embed wrote says more than "missing".
            if isinstance(recorded[i], str) and recorded[i]:
                failures[i] = recorded[i]
    # A copy is only needed to leave rows out, or where the matrix is the frame's own memory.
    is_ours = matrix.flags.writeable and bool(keep.all())
    return Vectors(matrix if is_ours else matrix[keep], usable, failures, fingerprint)


def _is_finite(matrix: NDArray[np.floating]) -> NDArray[np.bool_]:
    finite: NDArray[np.bool_]
    if matrix.dtype.itemsize <= 4:  # float16 and float32 cannot reach the largest value
        finite = np.isfinite(matrix)
    else:
        finite = (matrix < _MAX_VALUE) & (matrix > -_MAX_VALUE)
    return finite
