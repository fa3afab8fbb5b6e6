"""A pandas column of vectors that survives `to_parquet` and `read_parquet`."""

from __future__ import annotations

from typing import Any

import pandas as pd


class VectorDtype(pd.ArrowDtype):
    """An Arrow dtype whose text is `object`.

    pandas writes a dtype's text into a Parquet file and cannot read back that of a list
    (pandas-dev/pandas#59738: `read_parquet` raises on any file with an Arrow list column). As `object`
    the file reads as a column of float32 arrays, in every pandas, with or without this package. Waits
    for that issue to be closed.
    """

    def __str__(self) -> str:
        return "object"


class VectorArray(pd.arrays.ArrowExtensionArray):
    """Fixed-size lists of float32, as pandas holds them."""

    def __init__(self, values: Any) -> None:
        super().__init__(values)
        self._dtype = VectorDtype(values.type)
