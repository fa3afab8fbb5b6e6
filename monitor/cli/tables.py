"""The data files of a config: found, read as the config says, put together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from monitor import frames
from monitor.config import DataFiles, MonitoringConfig, ProductionData
from monitor.errors import InvalidInputError
from monitor.features import Multivariate
from monitor.frames import ReadOptions
from monitor.sources import DataFile, DataTable, ImageFiles
from monitor.sources import find_files as files_of

if TYPE_CHECKING:
    import pyarrow as pa


def path_of(config: MonitoringConfig, path: str) -> str:
    """A path or pattern of the config as it is seen from the working folder."""
    return path if "://" in path else str(config.resolve(path))


def options_of(config: MonitoringConfig, part: DataFiles | ProductionData) -> ReadOptions:
    """How the rows of a part of the data are read."""
    read = part.read
    types = dict(read.types)
    if read.decimal != ".":
        # Numbers with another decimal sign are still text.
        for feature in config.monitored:
            for column in feature.columns if isinstance(feature, Multivariate) else ():
                types.setdefault(column, "number")
    return ReadOptions(read.separator, read.decimal, read.encoding, types, read.compression)


def output_of(config: MonitoringConfig) -> str:
    """The folder that is never searched for data."""
    return str(config.resolve(config.output).resolve())


def find_tables(
    config: MonitoringConfig, part: DataFiles | ProductionData, key: str
) -> Sequence[DataTable]:
    """The files of a part of the data by name, or its images as one table.

    Parameters
    ----------
    config
        Its folder is where the pattern starts; its output folder is never searched.
    part
        Names a file, a folder or a pattern.
    key
        Where the part stands in the config, for messages.

    Raises
    ------
    InvalidInputError
        If there is no such file.
    """
    if part.images is None and part.path is None:
        raise InvalidInputError(
            f"{key} reads no files: windows of a query or a function are judged by `monitor run`"
        )
    try:
        if part.images is not None:
            images = image_files(config, part)
            images.state()
            return [images]
        return files_of(
            path_of(config, str(part.path)),
            exclude=output_of(config),
            options=options_of(config, part),
        )
    except InvalidInputError as error:
        place = "path" if part.images is None else "images"
        raise InvalidInputError(f"{key}.{place}: {error}") from error


def image_files(config: MonitoringConfig, part: DataFiles | ProductionData) -> ImageFiles:
    """The images of a part of the data, as rows."""
    return ImageFiles(path_of(config, str(part.images)), part.timestamp, output_of(config))


def one_file(config: MonitoringConfig, path: Path) -> DataFile:
    """A file that is not of the config, read as production's are.

    Raises
    ------
    InvalidInputError
        If there is no such file, or it is a folder.
    """
    if path.is_dir():
        raise InvalidInputError(f"{path} is a folder: name one file")
    return files_of(str(path), options=options_of(config, config.data.production))[0]


def check_writable(table: pa.Table, target: Path, source: DataTable) -> None:
    """Write the columns of `source` beside `target`, without rows, and take them away again.

    Raises
    ------
    InvalidInputError
        If the table cannot be written as Parquet.
    """
    trial = target.parent / ".trial" / target.name
    try:
        frames.write_file(table.slice(0, 0), trial)
    except InvalidInputError as error:
        raise InvalidInputError(f"the rows of {source} cannot be written: {error}") from error
    finally:
        trial.unlink(missing_ok=True)
        # Another process may be trying its own.
        with suppress(OSError):
            trial.parent.rmdir()
