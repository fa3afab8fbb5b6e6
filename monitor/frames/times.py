"""A column of timestamps ─► instants in UTC."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.errors import TimestampError
from monitor.frames import table


@dataclass(frozen=True, eq=False)
class Times:
    """When each row happened.

    Parameters
    ----------
    values
        (n_rows,) datetime64[us] in UTC, NaT where the cell is empty or no time.
    note
        What had to be assumed, in a sentence, or None.
    """

    values: NDArray[np.datetime64]
    note: str | None = None


def read_times(frame: Any, column: str) -> Times:
    """The instants of `column`: timestamps, dates, or ISO 8601 text.

    Times without a zone are taken as UTC, and the note says so.

    Raises
    ------
    MissingColumnError
        If there is no such column.
    TimestampError
        If no cell of it is a time, or if it holds plain numbers, whose unit nobody can know.
    """
    import pandas as pd

    cells = table.cells(frame, column)
    present = [cell for cell in cells if cell is not None and cell == cell]
    numeric = [c for c in present if isinstance(c, int | float | np.number)]
    if numeric:
        raise TimestampError(
            f"column {column!r} holds numbers such as {numeric[0]!r}, whose unit is not known: "
            "convert them first, for example with pandas.to_datetime(column, unit='s', utc=True)"
        )
    parsed = pd.to_datetime(
        pd.Series(
            [c if isinstance(c, str | dt.date | np.datetime64) else None for c in cells],
            dtype=object,
        ),
        utc=True,
        errors="coerce",
        format="mixed",
    )
    values = parsed.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    if present and np.isnat(values).all():
        raise TimestampError(
            f"no cell of column {column!r} is a time; the first is {str(present[0])[:60]!r}: give "
            "timestamps or ISO 8601 text such as '2026-03-01T12:00:00Z'"
        )
    if any(_is_naive(cell) for cell in present[:1000]):
        return Times(values, f"column {column!r} has times without a zone; they were taken as UTC")
    return Times(values)


def _is_naive(cell: Any) -> bool:
    if isinstance(cell, str):
        try:
            cell = dt.datetime.fromisoformat(cell)
        except ValueError:
            return False
    if isinstance(cell, np.datetime64):
        return True
    return isinstance(cell, dt.date) and getattr(cell, "tzinfo", None) is None
