"""One file ─► a table, and back: the one way in which rows of files are read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from monitor.errors import InvalidInputError
from monitor.files import replacing
from monitor.frames.compressed import BY_SUFFIX, without_compression
from monitor.frames.delimited import CsvTable
from monitor.frames.fingerprints import FINGERPRINT_KEY, fingerprint
from monitor.frames.options import ReadOptions
from monitor.frames.parquet import ParquetTable, is_unnamed_index
from monitor.frames.plain import join, plain
from monitor.frames.table import ROW
from monitor.frames.text import text_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


CHUNK_ROWS: Final = 10_000
"""Rows in memory at a time while a window is looked for: 20 MB of vectors 512 wide."""
_GROUP_BYTES: Final = 2**27
"""Rows that hold images are written sooner: what a reader has in memory at a time."""
_ATTRS: Final = b"PANDAS_ATTRS"
"""Where pandas writes a frame's attrs in a Parquet file, and reads them."""


def open_table(file: IO[bytes], name: str, options: ReadOptions) -> ParquetTable | CsvTable:
    """The rows of an open file of the name `name`.

    Raises
    ------
    InvalidInputError
        If its kind is not known.
    """
    bare, how = without_compression(name)
    kind = Path(bare).suffix.lower()
    if kind in {".csv", ".tsv"}:
        return CsvTable(file, name, options)
    if how == "none" and kind in {".parquet", ".pq"}:
        return ParquetTable(file)
    raise InvalidInputError(
        f"{name} is of kind {Path(name).suffix[1:]!r}: give a .parquet or a .csv file; a .csv file may be "
        f"compressed, as {', '.join(f'.csv{ending}' for ending in BY_SUFFIX)}"
    )


def read_tables(
    path: str | Path,
    options: ReadOptions | None = None,
    *,
    columns: Collection[str] | None = None,
    rows: range | None = None,
) -> Iterator[pa.Table]:
    """A Parquet or CSV file in plain tables of at most `CHUNK_ROWS` rows, one at least.

    Parameters
    ----------
    columns
        Those that are wanted, of which some may not exist; by default all. An index without a name comes
        along.
    rows
        Positions of neighbours in a Parquet file, which alone are read then.

    Raises
    ------
    InvalidInputError
        If the file is missing, of another kind or damaged.
    """
    import pyarrow as pa

    how = options or ReadOptions()
    try:
        with Path(path).open("rb") as file:
            opened = open_table(file, str(path), how)
            if rows is not None and isinstance(opened, ParquetTable):
                parts = opened.tables(columns, CHUNK_ROWS, rows=rows)
            else:
                parts = opened.tables(columns, CHUNK_ROWS)
            for part in parts:
                yield how.declared(plain(part))
    except FileNotFoundError as error:
        raise InvalidInputError(f"there is no file {path}: check the path") from error
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path} cannot be read: {error}") from error


def read_table(path: str | Path, options: ReadOptions | None = None) -> pa.Table:
    """A Parquet or CSV file as one plain table; see `read_tables`."""
    return join(list(read_tables(path, options)))


def read_file(path: str | Path, options: ReadOptions | None = None) -> pd.DataFrame:
    """A Parquet or CSV file as a pandas DataFrame, with the rows and types that the command line sees.

    Raises
    ------
    InvalidInputError
        If the file is missing, of another kind or damaged.
    """
    table = read_table(path, options)
    # What pandas noted of its types it cannot always read back (pandas-dev/pandas#59738).
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    if index := [name for name in frame.columns if is_unnamed_index(name)]:
        frame = frame.set_index(index).rename_axis([None] * len(index))
    frame.attrs = {FINGERPRINT_KEY: _fingerprints(table)}
    return frame


def write_file(table: pa.Table, path: Path, *, about: dict[str, Any] | None = None) -> None:
    """Write `table` to a Parquet file; a reader never sees half of it.

    Parameters
    ----------
    table
        What pandas noted about it is left out but for its index: pandas cannot read back what it writes
        about lists (pandas-dev/pandas#59738).
    path
        Its folder is made.
    about
        Facts to keep beside the encoders of its columns; `facts_of` and pandas' `attrs` give them back.

    Raises
    ------
    InvalidInputError
        If the file is of another kind, or two columns have one name.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.suffix.lower() not in {".parquet", ".pq"}:
        raise InvalidInputError(
            f"{path} is of kind {path.suffix!r}: vectors are written to .parquet files only"
        )
    names = table.column_names
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidInputError(
            f"{path} cannot be written as Parquet: duplicate column {twice[0]!r}: rename one of the two"
        )
    facts = {FINGERPRINT_KEY: _fingerprints(table), **(about or {})}
    metadata = {_ATTRS: json.dumps(facts).encode(), **_index(table.schema)}
    try:
        with replacing(path) as partial:
            pq.write_table(table.replace_schema_metadata(metadata), partial)
    except pa.ArrowException as error:
        raise InvalidInputError(f"{path} cannot be written as Parquet: {error}") from error


def join_files(parts: Sequence[Path], path: Path, *, about: dict[str, Any]) -> None:
    """Write the rows of `parts`, Parquet files of one kind that `write_file` wrote, to one file.

    A few are in memory at a time. `path` and `about` are as `write_file` takes them.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    first = pq.ParquetFile(parts[0]).schema_arrow
    facts = {FINGERPRINT_KEY: _fingerprints(first.empty_table()), **about}
    metadata = {_ATTRS: json.dumps(facts).encode(), **_index(first)}
    schema = first.with_metadata(metadata)
    with replacing(path) as partial, pq.ParquetWriter(partial, schema) as writer:
        waiting: list[pa.Table] = []
        for number, part in enumerate(parts, 1):
            # Not by pyarrow's data sets, to which a folder `a=b` is a column.
            waiting.append(pq.ParquetFile(part).read().cast(schema))
            is_much = sum(table.nbytes for table in waiting) >= _GROUP_BYTES
            if number == len(parts) or is_much or sum(map(len, waiting)) >= CHUNK_ROWS:
                writer.write_table(pa.concat_tables(waiting))
                waiting = []


def facts_of(table: pa.Table) -> dict[str, Any]:
    """What `write_file` wrote about a table, by key."""
    try:
        facts = json.loads((table.schema.metadata or {}).get(_ATTRS, b"{}"))
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def with_row_labels(table: pa.Table, name: str, n_before: int) -> pa.Table:
    """`table` with a column `ROW`: pandas' index if it has no name, else `name` and the row's number.

    Parameters
    ----------
    table
        A part of a file.
    name
        Of the file.
    n_before
        How many rows of the file come before this part.
    """
    import pyarrow as pa

    if ROW in table.column_names:
        return table
    index = [column for column in table.column_names if is_unnamed_index(column)]
    if index:
        labels = pa.array([str(cell) for cell in table.column(index[0]).to_pylist()], pa.string())
    else:
        numbers = range(n_before, n_before + table.num_rows)
        shown = text_of(name)  # the bytes of a file's name may be no text
        labels = pa.array([f"{shown}:{number}" for number in numbers], pa.string())
    return table.append_column(ROW, labels)


def _fingerprints(table: pa.Table) -> dict[str, str]:
    marks = {name: fingerprint(table, name) for name in table.column_names}
    return {name: mark for name, mark in marks.items() if mark is not None}


def _index(schema: pa.Schema) -> dict[bytes, bytes]:
    """What pandas needs to make its index again."""
    noted = schema.pandas_metadata or {}
    index = [name for name in noted.get("index_columns", []) if isinstance(name, str)]
    if not index or not set(index) <= set(schema.names):
        return {}
    about = [column for column in noted["columns"] if column["field_name"] in index]
    return {b"pandas": json.dumps({**noted, "columns": about}).encode()}
