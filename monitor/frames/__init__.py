"""The only door to data frames: pandas, polars and Arrow in, the same kind out."""

from monitor.empty_cells import is_missing
from monitor.frames.columns import with_columns
from monitor.frames.compressed import without_compression
from monitor.frames.files import (
    CHUNK_ROWS,
    facts_of,
    join_files,
    open_table,
    read_file,
    read_table,
    read_tables,
    with_row_labels,
    write_file,
)
from monitor.frames.options import ReadOptions
from monitor.frames.parquet import Span
from monitor.frames.plain import array_of, as_arrow, join, plain
from monitor.frames.table import (
    ROW,
    Frame,
    cells,
    column_names,
    duplicated_columns,
    n_rows,
    row_labels,
)
from monitor.frames.text import is_compound, read_texts, text_of
from monitor.frames.times import Times, read_times
from monitor.frames.vectors import VectorCells, Vectors, read_columns, read_numbers, read_vectors

__all__ = [
    "CHUNK_ROWS",
    "ROW",
    "Frame",
    "ReadOptions",
    "Span",
    "Times",
    "VectorCells",
    "Vectors",
    "array_of",
    "as_arrow",
    "cells",
    "column_names",
    "duplicated_columns",
    "facts_of",
    "is_compound",
    "is_missing",
    "join",
    "join_files",
    "n_rows",
    "open_table",
    "plain",
    "read_columns",
    "read_file",
    "read_numbers",
    "read_table",
    "read_tables",
    "read_texts",
    "read_times",
    "read_vectors",
    "row_labels",
    "text_of",
    "with_columns",
    "with_row_labels",
    "without_compression",
    "write_file",
]
