"""The sections of a monitoring config: where data lies, what counts as drift, what is written."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from monitor.config.faults import FaultAt


def _not_blank(value: str) -> str:
    if not value.strip() or "\0" in value:
        raise ValueError("must not be empty or blank")
    return value


def _window_length(value: str) -> str:
    # Here, because it brings scipy with it.
    from monitor.windows import Every

    Every.parse(value)
    return value


Text = Annotated[str, AfterValidator(_not_blank), Field(min_length=1)]


class Section(BaseModel):
    """Frozen, and strict about keys and truth values."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_bool_for_a_number(cls, value: object, info: object) -> object:
        # Pydantic reads `yes`, which YAML makes True, as 1.
        field = cls.model_fields[str(getattr(info, "field_name", ""))]
        if isinstance(value, bool) and field.annotation is not bool:
            raise ValueError("expected a value, not true or false")
        return value


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
    production: DataFiles = Field(description="Rows that are judged against the baseline.")


class DriftConfig(Section):
    """What counts as drift.

    Examples
    --------
    >>> DriftConfig(every="6h").max_false_alarms_per_year
    1.0
    """

    every: Annotated[Text, AfterValidator(_window_length)] | None = Field(
        default=None,
        description="The length of a window: a number and min, h, d, w or mo, such as '6h' or "
        "'1d'. Null takes all rows as one window.",
    )
    max_false_alarms_per_year: float = Field(
        default=1.0,
        gt=0,
        allow_inf_nan=False,
        description="How many windows without drift may be called drifted in a year, over all "
        "features, on average. Used with every.",
    )
    alpha: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="The level of one window and feature, instead of max_false_alarms_per_year.",
    )
    segment_column: Text | None = Field(
        default=None,
        description="A column of categories, such as a country; each of its values is judged too.",
    )
    minimum_rows: int = Field(
        default=30,
        ge=2,
        description="Windows with fewer vectors are inconclusive.",
    )

    @model_validator(mode="after")
    def _one_level(self) -> Self:
        if self.alpha is not None and "max_false_alarms_per_year" in self.model_fields_set:
            raise FaultAt(
                ("alpha",),
                f"{self.alpha:g} and max_false_alarms_per_year "
                f"({self.max_false_alarms_per_year:g}) both set the level: leave one of them out",
            )
        return self


class ReportConfig(Section):
    """Which files `monitor drift` writes.

    Examples
    --------
    >>> ReportConfig(json="drift.json").json_file
    'drift.json'
    """

    html: Text | None = Field(
        default="report.html",
        description="One HTML page that opens offline. Null writes none.",
    )
    json_file: Text | None = Field(
        default="report.json",
        alias="json",
        description="The same as data; `monitor report` makes the page from it again. Null writes "
        "none.",
    )
    thumbnails: bool = Field(
        default=True,
        description="Whether the page shows example images, fetched as sources allows.",
    )
