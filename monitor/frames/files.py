"""One file ─► a table, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from monitor.errors import InvalidInputError
from monitor.files import replacing
from monitor.frames.table import column_names

if TYPE_CHECKING:
    import pandas as pd

_UNWRITABLE = (ArithmeticError, NotImplementedError, TypeError, ValueError)
"""What pandas and Arrow raise for values that Parquet cannot hold; a full disk is an OSError."""


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


def _unwritable_column(frame: pd.DataFrame) -> str | None:
    """The first column that Arrow cannot hold."""
    import pyarrow as pa

    for position, name in enumerate(column_names(frame)):
        try:
            pa.array(frame.iloc[:, position], from_pandas=True)
        except _UNWRITABLE:
            return name
    return None
