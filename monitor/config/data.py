"""The data section of a monitoring config: where rows are, and how they are read."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from monitor.config.faults import FaultAt
from monitor.config.plugins import PluginConfig
from monitor.config.section import Section, Text
from monitor.features.field_types import FrozenDict
from monitor.frames.options import ReadOptions


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
    types: Annotated[dict[Text, Literal["text", "number"]], AfterValidator(FrozenDict)] = Field(
        default_factory=FrozenDict,
        description="By column, text or number. Columns of a CSV file are text if nothing else is "
        "said, so that codes keep their zeros; those of other files and of queries keep their types.",
    )

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        ReadOptions(self.separator, self.decimal, self.encoding, self.types)
        return self


class DataFiles(Section):
    """Files that hold one part of the data.

    Examples
    --------
    >>> DataFiles(path="prod/*.parquet", timestamp_column="ts").path
    'prod/*.parquet'
    """

    path: Text = Field(
        description="A Parquet or CSV file, a folder of them, or a pattern such as "
        "'production/*.parquet' ('**' goes into subfolders), also behind an fsspec scheme such as s3://. "
        "The files are read in the order of their names, as one table. A folder country=de gives its rows "
        "a column country."
    )
    read: ReadConfig = Field(
        default_factory=ReadConfig,
        description="How the files are read: separator, types and so on.",
    )
    timestamp_column: Text | None = Field(
        default=None,
        description="When each row happened: timestamps, dates or ISO 8601 text. Times without a "
        "zone are taken as UTC. Null where rows have no time.",
    )


class ProductionData(Section):
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
    timestamp_column: Text | None = Field(
        default=None,
        description="When each row happened: timestamps, dates or ISO 8601 text. Times without a "
        "zone are taken as UTC. Null where rows have no time.",
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        places = ("path", "query", "function", "source")
        named = [key for key in places if getattr(self, key) is not None]
        if not named:
            raise FaultAt(("path",), "is missing: add it, or query and url, function, or source")
        if len(named) > 1:
            raise ValueError(
                f"only one of {', '.join(places)} says where rows are, not {' and '.join(named)}"
            )
        if (self.query is None) != (self.url is None):
            raise ValueError("query and url go together: the query, and the database that it asks")
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
