"""A column of timestamps ─► instants in UTC."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.empty_cells import is_missing
from monitor.errors import TimestampError
from monitor.frames import table

_ISO_8601 = re.compile(
    r"""
    (?:\d{4}-\d\d-\d\d|\d{8})                      # a day: a year or a month alone is no instant
    (?:
        [T ]\d\d(?::?\d\d(?::?\d\d(?:\.\d+)?)?)?
        \ ?(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?
    )?
    """,
    re.ASCII | re.VERBOSE,
)
_NUMBER = re.compile(r"-?\d{9,}(?:\.\d+)?", re.ASCII)  # eight digits are a day
# datetime ends with the year 9999; the year before it leaves room for the end of any window.
_FIRST = np.datetime64("0001-01-01")
_END = np.datetime64("9999-01-01")


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
    """The instants of `column`: timestamps, dates, or ISO 8601 text, which may end in UTC.

    Times without a zone are taken as UTC, and the note says so. Other text ("03/04/2026", "now",
    "2026") is no time, because nobody can know what it means; nor are the years before 1 and after 9998.

    Raises
    ------
    MissingColumnError
        If there is no such column.
    TimestampError
        If no cell of it is a time: numbers are none, since nobody can know their unit, nor are periods.
    """
    series = table.series(frame, column)
    values, is_naive = _typed_times(series, column) or _cell_times(series.to_list(), column)
    if is_naive:
        return Times(values, f"column {column!r} has times without a zone; they were taken as UTC")
    return Times(values)


def _typed_times(series: Any, column: str) -> tuple[NDArray[np.datetime64], bool] | None:
    """The instants of a column of datetimes or dates, and whether they lack a zone; None for others."""
    import narwhals as nw

    if not isinstance(series.dtype, nw.Datetime | nw.Date):
        return None
    # Through Arrow, which holds UTC whatever the zone, and makes no Python objects.
    instants = np.asarray(series.to_arrow())
    values = _within_reach(instants)
    present = instants[~np.isnat(instants)]
    if len(present) and np.isnat(values).all():
        raise _no_time(column, present[0])
    return values, len(present) > 0 and getattr(series.dtype, "time_zone", None) is None


def _cell_times(cells: Sequence[Any], column: str) -> tuple[NDArray[np.datetime64], bool]:
    """The instants of cells of any kind, and whether any lacks a zone."""
    import pandas as pd

    present = [cell for cell in cells if not is_missing(cell)]
    read = [_readable(cell) for cell in cells]
    parsed = pd.to_datetime(
        pd.Series([time for time, _ in read], dtype=object),
        utc=True,
        errors="coerce",
        format="ISO8601",
    )
    values = _within_reach(parsed.dt.tz_localize(None).to_numpy())
    if present and np.isnat(values).all():
        _refuse_numbers(present, column)
        raise _no_time(column, present[0])
    is_naive = np.array([naive for _, naive in read], dtype=bool)
    return values, bool((is_naive & ~np.isnat(values)).any())


def _readable(cell: Any) -> tuple[Any, bool]:
    """What pandas shall read of a cell, None where it is no time; and whether it lacks a zone."""
    if isinstance(cell, bytes):  # text, as some writers of Parquet leave it
        cell = cell.decode("ascii", "replace")
    if isinstance(cell, str):
        # pandas knows neither small letters nor the comma that ISO 8601 prefers.
        match = _ISO_8601.fullmatch(cell.strip().upper().replace(",", "."))
        if match is None:
            return None, False
        # Some databases write UTC in letters, which pandas does not read everywhere.
        is_spelt = match["zone"] in ("UTC", "GMT")
        text = f"{match[0][:-3].rstrip()}Z" if is_spelt else match[0]
        return text, match["zone"] is None
    if isinstance(cell, np.datetime64):
        return cell, True
    if isinstance(cell, dt.date):
        return cell, getattr(cell, "tzinfo", None) is None
    return None, False


def _within_reach(instants: NDArray[Any]) -> NDArray[np.datetime64]:
    """Instants to the microsecond, NaT for years that `datetime` cannot hold."""
    unit, _ = np.datetime_data(instants.dtype)
    if unit != "ns":  # which ends in the year 2262
        first, end = _FIRST.astype(instants.dtype), _END.astype(instants.dtype)
        within = (instants >= first) & (instants < end)
        instants = np.where(within, instants, np.datetime64("NaT"))
    return instants.astype("datetime64[us]")


def _refuse_numbers(present: Sequence[Any], column: str) -> None:
    """Numbers and periods may be times, but somebody has to say which."""
    # One cell of each kind will do; the first, for it is easily found.
    for kind, cell in {type(cell): cell for cell in reversed(present)}.items():
        if issubclass(kind, Number) or (kind is str and _NUMBER.fullmatch(cell.strip())):
            raise TimestampError(
                f"column {column!r} holds numbers such as {cell!r}, whose unit is not known: "
                "convert them first, for example with pandas.to_datetime(column, unit='s', utc=True)"
            )
        if kind.__name__ == "Period":
            raise TimestampError(
                f"column {column!r} holds periods such as {str(cell)!r}, which are no instants: "
                "convert them first with column.dt.to_timestamp()"
            )


def _no_time(column: str, first: Any) -> TimestampError:
    return TimestampError(
        f"no cell of column {column!r} is a time; the first is {str(first)[:60]!r}: give timestamps or "
        "ISO 8601 text such as '2026-03-01T12:00:00Z'; convert other text first, for example with "
        "pandas.to_datetime(column, format='%d/%m/%Y', utc=True)"
    )
