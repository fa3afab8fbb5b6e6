"""What counts as an empty cell, whatever library made it."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np

# Built once: a frame has many cells.
_FLOATS = (float, np.floating)
_INSTANTS = (np.datetime64, np.timedelta64)


def is_missing(cell: object) -> bool:
    """Whether a cell is empty: None, NaN, NaT, `pd.NA`, a masked value or blank text.

    Never raises: `cell != cell` is an array for an array and an error for `pd.NA`.

    Examples
    --------
    >>> [is_missing(cell) for cell in (None, float("nan"), " ", np.datetime64("NaT"))]
    [True, True, True, True]
    >>> [is_missing(cell) for cell in (0, False, "no", [], np.array([np.nan]))]
    [False, False, False, False, False]
    """
    if cell is None or cell is np.ma.masked or (isinstance(cell, str) and not cell.strip()):
        return True
    if isinstance(cell, _FLOATS):
        return math.isnan(cell)
    if isinstance(cell, Decimal):
        return cell.is_nan()
    if isinstance(cell, _INSTANTS):
        return bool(np.isnat(cell))
    # pandas' markers, without importing pandas.
    return type(cell).__name__ in ("NAType", "NaTType")
