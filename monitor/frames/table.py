"""Reading cells from a data frame, and adding an embedding column to it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from monitor.errors import InvalidInputError, MissingColumnError, did_you_mean
from monitor.files import replacing

if TYPE_CHECKING:
    import narwhals as nw
    import pandas as pd
    import pyarrow as pa

Frame = TypeVar("Frame")
"""A pandas DataFrame, a polars DataFrame or a pyarrow Table."""

FINGERPRINT_KEY = "monitor.fingerprint"
"""Where a frame remembers its encoders: pandas attrs, or the metadata of an Arrow field.

Each survives Parquet when the library that wrote the file reads it again, and Arrow reads what pandas
wrote. pandas drops it on a merge or concat with a frame whose attrs differ, and a renamed column leaves
it behind.
"""

_UNWRITABLE = (ArithmeticError, NotImplementedError, TypeError, ValueError)
"""What pandas and Arrow raise for values that Parquet cannot hold; a full disk is an OSError."""


def narwhal(frame: Any) -> nw.DataFrame[Any]:
    """`frame` behind narwhals.

    Raises
    ------
    InvalidInputError
        If it is no data frame that we know.
    """
    import narwhals as nw

    try:
        return nw.from_native(frame, eager_only=True)
    except TypeError as error:
        raise InvalidInputError(
            f"expected a pandas DataFrame, a polars DataFrame or a pyarrow Table, got "
            f"{type(frame).__module__}.{type(frame).__qualname__}"
            + ("; call .collect() first" if type(frame).__name__ == "LazyFrame" else "")
        ) from error


def column_names(frame: Any) -> list[str]:
    """The names of the frame's columns, in order."""
    if _is_pandas(frame):
        return [str(name) for name in frame.columns]
    if _is_arrow(frame):
        # Not by narwhals, which refuses duplicate names.
        return list(frame.column_names)
    return list(narwhal(frame).columns)


def n_rows(frame: Any) -> int:
    """How many rows the frame has."""
    return len(frame) if _is_pandas(frame) or _is_arrow(frame) else len(narwhal(frame))


def duplicated_columns(frame: Any) -> list[str]:
    """Names that more than one column bears."""
    return [name for name, count in Counter(column_names(frame)).items() if count > 1]


def series(frame: Any, name: str) -> nw.Series[Any]:
    """One column behind narwhals.

    Raises
    ------
    MissingColumnError
        If the frame has no such column, naming the close ones.
    InvalidInputError
        If more than one column has the name.
    """
    import narwhals as nw

    names = column_names(frame)
    if name not in names:
        raise MissingColumnError(
            f"there is no column {name!r}; {did_you_mean(name, names)}"
            f"the data has {', '.join(map(repr, names)) or 'no columns'}"
        )
    _refuse_duplicates(names, name)
    # By position: the label of a pandas column may be a number or a tuple. And the column alone:
    # narwhals refuses a frame with duplicate names elsewhere.
    position = names.index(name)
    if _is_pandas(frame):
        return nw.from_native(frame.iloc[:, position], series_only=True)
    if _is_arrow(frame):
        return nw.from_native(frame.column(position), series_only=True)
    return narwhal(frame)[name]


def cells(frame: Any, name: str) -> list[Any]:
    """The values of one column as Python objects, in the order of the rows."""
    return list(series(frame, name).to_list())


def row_labels(frame: Any) -> list[str]:
    """One label a row: the pandas index as text, or the row's position."""
    if _is_pandas(frame):
        return [str(label) for label in frame.index]
    return [str(i) for i in range(n_rows(frame))]


def fingerprint(frame: Any, column: str) -> str | None:
    """The encoder that made the vectors of `column`, where the frame remembers it (polars cannot)."""
    if _is_pandas(frame):
        return _recorded(frame.attrs, column)
    if _is_arrow(frame) and column in frame.column_names:
        field = frame.schema.field(frame.column_names.index(column))
        found = (field.metadata or {}).get(FINGERPRINT_KEY.encode())
        return found.decode() if found else _recorded(_attrs_in_arrow(frame.schema), column)
    return None


def with_embedding(
    frame: Frame,
    column: str,
    vectors: NDArray[np.float32],
    failures: Sequence[str | None],
    *,
    failure_column: str,
    fingerprint: str,
    texts: dict[str, Sequence[str | None]] | None = None,
    matrices: dict[str, NDArray[np.float32]] | None = None,
) -> Frame:
    """A copy of `frame` with a column of vectors and a column of failure reasons.

    Parameters
    ----------
    frame
        Left as it is.
    column, failure_column
        Names of the two columns; replaced where they exist.
    vectors
        (n, width) float32; rows with a failure are ignored.
    failures
        (n,) reasons, None where there is a vector.
    fingerprint
        The encoder, kept beside the column.
    texts
        Further text columns, by name.
    matrices
        Further columns of (n, any width) float32, by name; rows with a failure are ignored.

    Raises
    ------
    InvalidInputError
        If the frame has several columns of a name that is to be replaced.
    """
    import pyarrow as pa

    failed = np.array([reason is not None for reason in failures], dtype=bool)
    columns: dict[str, pa.Array] = {column: _lists(vectors, failed)}
    for name, values in {failure_column: failures, **(texts or {})}.items():
        columns[name] = pa.array(list(values), type=pa.string())
    for name, matrix in (matrices or {}).items():
        columns[name] = _lists(matrix, failed)
    names = column_names(frame)
    for name in columns:
        _refuse_duplicates(names, name)
    result: Any
    if _is_pandas(frame):
        result = _with_pandas_columns(frame, columns, {column: fingerprint})
    elif _is_arrow(frame):
        result = _with_arrow_columns(frame, columns, {column: fingerprint})
    else:
        result = _with_polars_columns(frame, columns)
    return cast(Frame, result)


def _lists(matrix: NDArray[np.float32], failed: NDArray[np.bool_]) -> pa.Array:
    """The rows as fixed-size lists, null where there is a failure."""
    import pyarrow as pa

    flat = np.where(failed[:, None], np.float32(0), matrix).ravel()
    return pa.FixedSizeListArray.from_arrays(
        pa.array(flat, type=pa.float32()), matrix.shape[1], mask=pa.array(failed)
    )


def read_file(path: Path) -> pd.DataFrame:
    """A Parquet or CSV file as a pandas DataFrame.

    Raises
    ------
    InvalidInputError
        If the file is missing, of another kind or damaged.
    """
    import pandas as pd
    import pyarrow as pa

    if not path.is_file():
        raise InvalidInputError(f"there is no file {path}: check the path")
    kind = path.suffix.lower()
    try:
        if kind in {".parquet", ".pq"}:
            return pd.read_parquet(path)
        if kind == ".csv":
            return pd.read_csv(path)
    except (pa.ArrowInvalid, pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise InvalidInputError(f"{path} cannot be read: {error}") from error
    raise InvalidInputError(f"{path} is of kind {kind!r}: give a .parquet or a .csv file")


def write_file(frame: pd.DataFrame, path: Path) -> None:
    """Write `frame` to a Parquet file; a reader never sees half of it.

    Raises
    ------
    InvalidInputError
        If the file is of another kind, or if a column holds what Parquet cannot, such as mixed types.
    """
    if path.suffix.lower() not in {".parquet", ".pq"}:
        raise InvalidInputError(
            f"{path} is of kind {path.suffix!r}: vectors are written to .parquet files only"
        )
    try:
        with replacing(path) as partial:
            frame.to_parquet(partial)
    except _UNWRITABLE as error:
        why = "; ".join(str(part) for part in error.args)
        column = _unwritable_column(frame)
        raise InvalidInputError(
            f"{path} cannot be written as Parquet: {why}"
            + (f": give column {column!r} values of one type" if column is not None else "")
        ) from error


def _is_pandas(frame: Any) -> bool:
    import narwhals as nw

    return bool(nw.dependencies.is_pandas_dataframe(frame))


def _is_arrow(frame: Any) -> bool:
    import narwhals as nw

    return bool(nw.dependencies.is_pyarrow_table(frame))


def _refuse_duplicates(names: Sequence[str], name: str) -> None:
    if names.count(name) > 1:
        raise InvalidInputError(
            f"there are {names.count(name)} columns named {name!r}: rename all but one"
        )


def _recorded(attrs: Mapping[str, Any], column: str) -> str | None:
    """The fingerprint of `column` in pandas attrs, which anybody may have written."""
    recorded = attrs.get(FINGERPRINT_KEY)
    found = recorded.get(column) if isinstance(recorded, dict) else None
    return found if isinstance(found, str) else None


def _attrs_in_arrow(schema: pa.Schema) -> dict[str, Any]:
    """The attrs of the pandas DataFrame that an Arrow table came from."""
    metadata = schema.metadata or {}
    # pandas writes the one into Parquet files, pyarrow the other into every table.
    attrs = _json_object(metadata.get(b"PANDAS_ATTRS")) or (
        _json_object(metadata.get(b"pandas")).get("attributes")
    )
    return attrs if isinstance(attrs, dict) else {}


def _json_object(text: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(text or b"")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _unwritable_column(frame: pd.DataFrame) -> str | None:
    """The first column that Arrow cannot hold."""
    import pyarrow as pa

    for position, name in enumerate(column_names(frame)):
        try:
            pa.array(frame.iloc[:, position], from_pandas=True)
        except _UNWRITABLE:
            return name
    return None


def _with_pandas_columns(
    frame: Any, columns: dict[str, pa.Array], fingerprints: dict[str, str]
) -> Any:
    import pandas as pd
    import pyarrow as pa

    from monitor.frames.pandas_vectors import VectorArray

    result = frame.copy(deep=False)
    for name, values in columns.items():
        array = (
            VectorArray(values)
            if pa.types.is_fixed_size_list(values.type)
            else pd.array(values.to_pylist(), dtype="str" if _has_str_dtype() else "object")
        )
        series = pd.Series(array, index=frame.index)
        names = column_names(result)
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
    table: Any, columns: dict[str, pa.Array], fingerprints: dict[str, str]
) -> Any:
    import pyarrow as pa

    for name, values in columns.items():
        metadata = {FINGERPRINT_KEY: fingerprints[name]} if name in fingerprints else None
        field = pa.field(name, values.type, metadata=metadata)
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), field, values)
        else:
            table = table.append_column(field, values)
    return table


def _with_polars_columns(frame: Any, columns: dict[str, pa.Array]) -> Any:
    import polars as pl

    added: Iterable[Any] = (pl.Series(name, pl.from_arrow(v)) for name, v in columns.items())
    return frame.with_columns(list(added))
