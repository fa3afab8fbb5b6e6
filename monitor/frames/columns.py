"""Adding columns of vectors and of texts to a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from monitor.frames.fingerprints import FINGERPRINT_KEY
from monitor.frames.table import (
    Frame,
    column_names,
    is_arrow,
    is_pandas,
    labels_of_columns,
    refuse_duplicates,
)
from monitor.frames.text import text_of

if TYPE_CHECKING:
    import pyarrow as pa


def with_columns(
    frame: Frame,
    columns: Mapping[str, NDArray[np.float32] | Sequence[str | None]],
    *,
    failed: NDArray[np.bool_],
    fingerprints: Mapping[str, str],
) -> Frame:
    """A copy of `frame` with columns of vectors and of texts.

    Parameters
    ----------
    frame
        Left as it is.
    columns
        By name, (n, any width) float32 or n texts, where None is null. Columns that exist are replaced.
    failed
        (n,) rows without vectors: null in each of the matrices, whatever stands there.
    fingerprints
        By column, the encoder of its vectors, kept beside it.

    Raises
    ------
    InvalidInputError
        If the frame has several columns of a name that is to be replaced.
    """
    import pyarrow as pa

    names = column_names(frame)
    arrays: dict[str, pa.Array] = {}
    for name, cells in columns.items():
        refuse_duplicates(names, name)
        if isinstance(cells, np.ndarray):
            arrays[name] = _lists(cells, failed)
        else:
            texts = [None if cell is None else text_of(cell) for cell in cells]
            arrays[name] = pa.array(texts, pa.string())
    result: Any
    if is_pandas(frame):
        result = _with_pandas_columns(frame, arrays, fingerprints)
    elif is_arrow(frame):
        result = _with_arrow_columns(frame, arrays, fingerprints)
    else:
        result = _with_polars_columns(frame, arrays)
    return cast(Frame, result)


def _lists(matrix: NDArray[np.float32], failed: NDArray[np.bool_]) -> pa.Array:
    """The rows as fixed-size lists, null where there is a failure."""
    import pyarrow as pa

    flat = np.where(failed[:, None], np.float32(0), matrix).ravel()
    return pa.FixedSizeListArray.from_arrays(
        pa.array(flat, type=pa.float32()), matrix.shape[1], mask=pa.array(failed)
    )


def _with_pandas_columns(
    frame: Any, arrays: Mapping[str, pa.Array], fingerprints: Mapping[str, str]
) -> Any:
    import pandas as pd
    import pyarrow as pa

    from monitor.frames.pandas_vectors import VectorArray

    result = frame.copy(deep=False)
    for name, cells in arrays.items():
        array = (
            VectorArray(cells)
            if pa.types.is_fixed_size_list(cells.type)
            else pd.array(cells.to_pylist(), dtype="str" if _has_str_dtype() else "object")
        )
        series = pd.Series(array, index=frame.index)
        names = labels_of_columns(result)
        if name in names:
            # By position: its label may be a number, beside which the name would be another column.
            result.isetitem(names.index(name), series)
        else:
            result[name] = series
    recorded = frame.attrs.get(FINGERPRINT_KEY)
    result.attrs = {
        **frame.attrs,
        FINGERPRINT_KEY: {**(recorded if isinstance(recorded, dict) else {}), **fingerprints},
    }
    return result


def _has_str_dtype() -> bool:
    import pandas as pd

    return int(pd.__version__.split(".")[0]) >= 3


def _with_arrow_columns(
    table: Any, arrays: Mapping[str, pa.Array], fingerprints: Mapping[str, str]
) -> Any:
    import pyarrow as pa

    for name, cells in arrays.items():
        metadata = {FINGERPRINT_KEY: fingerprints[name]} if name in fingerprints else None
        field = pa.field(name, cells.type, metadata=metadata)
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), field, cells)
        else:
            table = table.append_column(field, cells)
    return table


def _with_polars_columns(frame: Any, arrays: Mapping[str, pa.Array]) -> Any:
    import polars as pl

    return frame.with_columns([pl.Series(name, pl.from_arrow(c)) for name, c in arrays.items()])
