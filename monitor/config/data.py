"""The data section of a monitoring config: where rows are, and how they are read."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from monitor.config.faults import FaultAt
from monitor.config.plugins import PluginConfig
from monitor.config.section import Section, Text
from monitor.features.field_types import FrozenDict
from monitor.frames.compressed import Compression
from monitor.frames.options import ReadOptions
from monitor.sources.image_files import IMAGES, TIME, ImageTime


class ReadConfig(Section):
    """How the cells of files are understood; nothing of it is guessed.

    Examples
    --------
    >>> ReadConfig(separator=";", decimal=",", types={"width": "number"}).encoding
    'utf-8'
    """

    separator: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="What stands between the cells of a CSV file, such as ';'. Null takes a comma, or "
        "what the header shows if it holds none.",
    )
    decimal: str = Field(
        default=".",
        min_length=1,
        max_length=1,
        description="What stands before the decimals of numbers in text, such as ','.",
    )
    encoding: Text = Field(
        default="utf-8", description="The encoding of a CSV file, such as 'cp1252' or 'utf-16'."
    )
    compression: Compression | None = Field(
        default=None,
        description="How a CSV file is compressed: none, gzip, bz2, xz or zstd. Null goes by the ending of "
        "its name, such as .csv.gz.",
    )
    types: Annotated[dict[Text, Literal["text", "number"]], AfterValidator(FrozenDict)] = Field(
        default_factory=FrozenDict,
        description="By column, text or number. Columns of a CSV file are text if nothing else is "
        "said, so that codes keep their zeros; those of other files and of queries keep their types.",
    )

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        ReadOptions(self.separator, self.decimal, self.encoding, self.types, self.compression)
        return self


Images = Annotated[
    Text | None,
    Field(
        description="Instead of path: a folder of images, or a pattern such as 'photos/**/*.jpg'. Each "
        "image is a row with the columns path, time and size: path is the source_column of a feature."
    ),
]
TimestampColumn = Annotated[
    Text | None,
    Field(
        description="When each row happened: timestamps, dates or ISO 8601 text. Times without a "
        "zone are taken as UTC. Null where rows have no time."
    ),
]
ImageTimestamp = Annotated[
    ImageTime | None,
    Field(
        description="With images: where the time of an image is. path: a date in it, such as 2026-03-01; "
        "mtime: when the file was last changed; exif: when it was taken. It makes time the "
        "timestamp_column."
    ),
]


class _Part(Section):
    """One part of the data: images that have a time have it in the column `time`."""

    @model_validator(mode="before")
    @classmethod
    def _images_have_times(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("images") and values.get("timestamp"):
            return {"timestamp_column": TIME, **values}
        return values


def _check_time(part: DataFiles | ProductionData) -> None:
    if part.images is None:
        if part.timestamp is not None:
            raise FaultAt(("timestamp",), "goes with images; for rows name their timestamp_column")
    elif part.timestamp_column not in {None, TIME}:
        raise FaultAt(
            ("timestamp_column",),
            f"{part.timestamp_column!r} is no column of images: leave it out, and say with timestamp where "
            "the time is: path, mtime or exif",
        )
    elif part.timestamp_column is not None and part.timestamp is None:
        raise FaultAt(
            ("timestamp",), "is missing: say where the time of an image is: path, mtime or exif"
        )


class DataFiles(_Part):
    """Files that hold one part of the data.

    Examples
    --------
    >>> DataFiles(path="prod/*.parquet", timestamp_column="ts").path
    'prod/*.parquet'
    """

    path: Text | None = Field(
        default=None,
        description="A Parquet or CSV file, a folder of them, or a pattern such as "
        "'production/*.parquet' ('**' goes into subfolders), also behind an fsspec scheme such as s3://. "
        "The files are read in the order of their names, as one table. A folder country=de gives its rows "
        "a column country.",
    )
    images: Images = None
    timestamp: ImageTimestamp = None
    read: ReadConfig = Field(
        default_factory=ReadConfig,
        description="How the files are read: separator, types and so on.",
    )
    timestamp_column: TimestampColumn = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.path is None and self.images is None:
            raise FaultAt(("path",), "is missing: add it, or images")
        if self.path is not None and self.images is not None:
            raise ValueError("only one of path and images says where rows are, not path and images")
        _check_time(self)
        return self


class ProductionData(_Part):
    """Where production's rows are: files, a query, a Python function, or another source.

    Examples
    --------
    >>> ProductionData(path="prod/*.parquet", timestamp_column="ts").query is None
    True
    """

    path: Text | None = Field(
        default=None,
        description="A Parquet or CSV file, a folder or a pattern, as for the baseline.",
    )
    images: Images = None
    timestamp: ImageTimestamp = None
    read: ReadConfig = Field(
        default_factory=ReadConfig,
        description="How the files are read, as for the baseline; types also hold for a query or function.",
    )
    query: Text | None = Field(
        default=None,
        description="A SQL query with :start and :end, the bounds of the window that `monitor run` "
        "asks for. Needs url.",
    )
    url: Text | None = Field(
        default=None,
        description="The database of query, as SQLAlchemy names it. ${NAME} stands for the environment "
        "variable NAME.",
    )
    function: Text | None = Field(
        default=None,
        description="A Python function, package.module:function, that `monitor run` gives the window's "
        "start and end and that returns a data frame, or yields several.",
    )
    source: PluginConfig | None = Field(
        default=None,
        description="A source by name, such as one that a plug-in brings, for `monitor run`.",
    )
    timestamp_column: TimestampColumn = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        places = ("path", "images", "query", "function", "source")
        named = [key for key in places if getattr(self, key) is not None]
        if not named:
            raise FaultAt(
                ("path",), "is missing: add it, or images, query and url, function, or source"
            )
        if len(named) > 1:
            raise ValueError(
                f"only one of {', '.join(places)} says where rows are, not {' and '.join(named)}"
            )
        if (self.query is None) != (self.url is None):
            raise ValueError("query and url go together: the query, and the database that it asks")
        _check_time(self)
        return self


class DataConfig(Section):
    """What production is compared with, and production.

    Examples
    --------
    >>> DataConfig(baseline={"path": "train.csv"}, production={"path": "new.csv"}).baseline.path
    'train.csv'
    """

    baseline: DataFiles = Field(
        description="Rows that show what is normal, such as the training data."
    )
    production: ProductionData = Field(description="Rows that are judged against the baseline.")

    @property
    def image_roots(self) -> tuple[str, ...]:
        """The folders of this machine that `images` name, up to the first wildcard."""
        patterns = (part.images for part in (self.baseline, self.production))
        return tuple(
            _folder_of(pattern) for pattern in patterns if pattern and "://" not in pattern
        )


def _folder_of(pattern: str) -> str:
    parts = PurePath(pattern).parts
    n_plain = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    folder = PurePath(*parts[:n_plain])
    return str(folder.parent if folder.suffix.lower() in IMAGES else folder)
