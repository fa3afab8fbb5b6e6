"""Where data lies: the baseline's files, and production's files, query or function."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from monitor.config.faults import FaultAt
from monitor.config.plugins import PluginConfig
from monitor.config.section import Section, Text


class DataFiles(Section):
    """Files that hold one part of the data.

    Examples
    --------
    >>> DataFiles(path="prod/*.parquet", timestamp_column="ts").path
    'prod/*.parquet'
    """

    path: Text = Field(
        description="A Parquet or CSV file, or a pattern such as 'production/*.parquet' ('**' goes "
        "into subfolders). The files are read in the order of their names, as one table."
    )
    timestamp_column: Text | None = Field(
        default=None,
        description="When each row happened: timestamps, dates or ISO 8601 text. Times without a "
        "zone are taken as UTC. Null where rows have no time.",
    )


class ProductionData(Section):
    """Where production's rows are: files, a query, or a Python function.

    Examples
    --------
    >>> ProductionData(path="prod/*.parquet", timestamp_column="ts").is_files
    True
    """

    path: Text | None = Field(
        default=None,
        description="A Parquet or CSV file, or a pattern, as for the baseline. For `monitor run` also "
        "behind an fsspec scheme such as s3://; a folder country=de gives its rows a column country.",
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

    @property
    def is_files(self) -> bool:
        """Whether the rows are in files."""
        return self.path is not None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        given = [
            key for key in ("path", "query", "function", "source") if getattr(self, key) is not None
        ]
        if not given:
            raise FaultAt(("path",), "is missing: add it, or query and url, function, or source")
        if len(given) > 1:
            raise ValueError(
                f"only one of path, query, function and source says where rows are, not {' and '.join(given)}"
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
