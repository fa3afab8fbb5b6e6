"""Columns and cells of a data frame: pandas, polars or Arrow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from monitor.errors import InvalidInputError, MissingColumnError, did_you_mean

if TYPE_CHECKING:
    import narwhals as nw

Frame = TypeVar("Frame")
"""A pandas DataFrame, a polars DataFrame or a pyarrow Table."""

ROW = "monitor.row"
"""A column that names each row by the file it came from, in tables that were read from files."""


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
    """The names of the frame's columns, in order; the named levels of a pandas index come last."""
    names = labels_of_columns(frame)
    return [*names, *(name for name in _index_levels(frame) if name and name not in names)]


def labels_of_columns(frame: Any) -> list[str]:
    """The names of the columns alone, in order."""
    if is_pandas(frame):
        return [str(name) for name in frame.columns]
    if is_arrow(frame):
        # Not by narwhals, which refuses duplicate names.
        return list(frame.column_names)
    return list(narwhal(frame).columns)


def n_rows(frame: Any) -> int:
    """How many rows the frame has."""
    return len(frame) if is_pandas(frame) or is_arrow(frame) else len(narwhal(frame))


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
    refuse_duplicates(names, name)
    # By position: the label of a pandas column may be a number or a tuple. And the column alone:
    # narwhals refuses a frame with duplicate names elsewhere.
    position = names.index(name)
    if position >= len(labels_of_columns(frame)):
        level = _index_levels(frame).index(name)
        return nw.from_native(frame.index.get_level_values(level).to_series(), series_only=True)
    if is_pandas(frame):
        return nw.from_native(frame.iloc[:, position], series_only=True)
    if is_arrow(frame):
        return nw.from_native(frame.column(position), series_only=True)
    return narwhal(frame)[name]


def cells(frame: Any, name: str) -> list[Any]:
    """The values of one column as Python objects, in the order of the rows."""
    return list(series(frame, name).to_list())


def row_labels(frame: Any) -> list[str]:
    """One label a row: what the column `ROW` says, the pandas index as text, or the row's position."""
    if ROW in column_names(frame):
        return [str(label) for label in cells(frame, ROW)]
    if is_pandas(frame):
        return [str(label) for label in frame.index]
    return [str(i) for i in range(n_rows(frame))]


def _index_levels(frame: Any) -> list[str]:
    """The names of a pandas index, where "" stands for a level that has none."""
    if not is_pandas(frame):
        return []
    return ["" if name is None else str(name) for name in frame.index.names]


def is_pandas(frame: Any) -> bool:
    import narwhals as nw

    return bool(nw.dependencies.is_pandas_dataframe(frame))


def is_arrow(frame: Any) -> bool:
    import narwhals as nw

    return bool(nw.dependencies.is_pyarrow_table(frame))


def refuse_duplicates(names: Sequence[str], name: str) -> None:
    if names.count(name) > 1:
        raise InvalidInputError(
            f"there are {names.count(name)} columns named {name!r}: rename all but one"
        )
