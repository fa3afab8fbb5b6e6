"""The data files of a config: found, looked at, put together."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monitor import frames
from monitor.config import DataFiles, MonitoringConfig, ProductionData
from monitor.errors import InvalidInputError, did_you_mean
from monitor.frames.fingerprints import FINGERPRINT_KEY

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Outline:
    """What a file holds, without reading its rows where that can be avoided."""

    columns: tuple[str, ...]
    n_rows: int


def find_files(config: MonitoringConfig, part: DataFiles | ProductionData, key: str) -> list[Path]:
    """The files of a part of the data, by name.

    Parameters
    ----------
    config
        Its folder is where the pattern starts; its output folder is never searched.
    part
        Names a file or a pattern.
    key
        Where the part stands in the config, for messages.

    Raises
    ------
    InvalidInputError
        If there is no such file.
    """
    if part.path is None:
        raise InvalidInputError(
            f"{key} reads no files: windows of a query or a function are judged by `monitor run --due`"
        )
    named = config.resolve(part.path)
    if named.is_file():
        return [named]
    if not glob.has_magic(part.path):
        raise InvalidInputError(f"{key}.path: {_missing(named)}")
    home = glob.escape(str(config.folder))
    pattern = str(Path(home) / Path(part.path).expanduser())
    ours = config.resolve(config.output).resolve()
    found = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]
    files = [p for p in found if p.is_file() and not p.resolve().is_relative_to(ours)]
    if not files:
        raise InvalidInputError(
            f"{key}.path: no file matches {named}: check the pattern; files in subfolders need '**'"
        )
    return files


def outline(path: Path) -> Outline:
    """The columns and the number of rows of a file.

    Raises
    ------
    InvalidInputError
        If it cannot be read.
    """
    if path.suffix.lower() in {".parquet", ".pq"} and path.is_file():
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            found = pq.read_metadata(path)
            schema = found.schema.to_arrow_schema()
        except (pa.ArrowException, OSError) as error:
            raise InvalidInputError(f"{path} cannot be read: {error}") from error
        index = (schema.pandas_metadata or {}).get("index_columns", [])
        # pandas keeps an index as a column of the file, but it is none of the table.
        columns = tuple(name for name in schema.names if name not in index)
        return Outline(columns, found.num_rows)
    frame = frames.read_file(path)
    return Outline(tuple(frames.column_names(frame)), len(frame))


def join(tables: Sequence[tuple[Path, pd.DataFrame]]) -> pd.DataFrame:
    """Several files as one table; rows without an index of their own are named by file and row.

    Raises
    ------
    InvalidInputError
        If a column's vectors come from different encoders.
    """
    import pandas as pd

    if len(tables) == 1:
        return tables[0][1]
    named = []
    encoders: dict[str, str] = {}
    for path, frame in tables:
        for column, fingerprint in frame.attrs.get(FINGERPRINT_KEY, {}).items():
            if encoders.setdefault(column, fingerprint) != fingerprint:
                raise InvalidInputError(
                    f"the vectors in column {column!r} of {path} come from the encoder "
                    f"{fingerprint}, those of {tables[0][0]} from {encoders[column]}: embed both "
                    "with one model"
                )
        plain = frame.copy(deep=False)
        # pandas drops attrs that differ.
        plain.attrs = {}
        if isinstance(plain.index, pd.RangeIndex):
            plain.index = pd.Index([f"{path.name}:{row}" for row in range(len(plain))])
        named.append(plain)
    joined = pd.concat(named)
    joined.attrs = {FINGERPRINT_KEY: encoders}
    return joined


def write(frame: pd.DataFrame, target: Path, source: Path) -> None:
    """Write rows of `source` to the Parquet file `target`.

    Raises
    ------
    InvalidInputError
        If a column mixes types, which a CSV file may and a Parquet file may not.
    """
    try:
        frames.write_file(frame, target)
    except InvalidInputError as error:
        raise InvalidInputError(f"the rows of {source} cannot be written: {error}") from error


def check_writable(frame: pd.DataFrame, target: Path, source: Path) -> None:
    """Write rows of `source` beside `target` and take them away again.

    Raises
    ------
    InvalidInputError
        As `write`.
    """
    trial = target.parent / ".trial" / target.name
    try:
        write(frame, trial, source)
    finally:
        trial.unlink(missing_ok=True)
        # Another process may be trying its own.
        with suppress(OSError):
            trial.parent.rmdir()


def _missing(path: Path) -> str:
    beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    return (
        f"there is no file {path}: {did_you_mean(path.name, beside).rstrip() or 'check the path'}"
    )
