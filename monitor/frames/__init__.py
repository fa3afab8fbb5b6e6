"""The only door to data frames: pandas, polars and Arrow in, the same kind out."""

from monitor.empty_cells import is_missing
from monitor.frames.columns import with_columns
from monitor.frames.files import read_file, write_file
from monitor.frames.table import (
    Frame,
    cells,
    column_names,
    duplicated_columns,
    n_rows,
    row_labels,
)
from monitor.frames.times import Times, read_times
from monitor.frames.vectors import Vectors, read_columns, read_numbers, read_vectors

__all__ = [
    "Frame",
    "Times",
    "Vectors",
    "cells",
    "column_names",
    "duplicated_columns",
    "is_missing",
    "n_rows",
    "read_columns",
    "read_file",
    "read_numbers",
    "read_times",
    "read_vectors",
    "row_labels",
    "with_columns",
    "write_file",
]
