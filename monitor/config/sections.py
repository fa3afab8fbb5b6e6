"""What counts as drift, when windows are judged, where results and vectors are kept, what is written."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from monitor.config.faults import FaultAt
from monitor.config.section import Duration, Length, Section, Text
from monitor.errors import did_you_mean
from monitor.rules import RunRules
from monitor.windows import zone_of


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("no such time zone: give a name such as 'Europe/Berlin'") from error
    return value


def _threshold(value: float | str) -> float | str:
    # Here, because it brings scipy with it.
    from monitor.drift.thresholds import parse_threshold

    parse_threshold(value)
    return value


Threshold = Annotated[float | str, BeforeValidator(_threshold)]
"""A number ≥ 0, or such as '3 sd'."""


def _distance(name: str) -> str:
    # Here, because it brings scipy with it.
    from monitor.drift.distances import registry

    if name not in registry:
        known = registry.names()
        raise ValueError(
            f"there is no such distance; {did_you_mean(name, known)}known: {', '.join(known)}; that of a "
            "plug-in is known where the plug-in is installed"
        )
    return name


DistanceName = Annotated[Text, AfterValidator(_distance)]


class ThresholdConfig(Section):
    """Scores from which a window has drifted, by distance.

    Examples
    --------
    >>> ThresholdConfig(jsd=0.1, psi="3 sd").given
    {'jsd': 0.1, 'psi': '3 sd'}
    """

    model_config = ConfigDict(extra="allow")

    # Distances of plug-ins, whose names are known only where they are installed.
    __pydantic_extra__: dict[str, Threshold] = Field(init=False)

    jsd: Threshold | None = Field(
        default=None,
        description="Jensen–Shannon distance in base 2: a number, or such as '3 sd', standard "
        "deviations above the mean of the baseline's own windows.",
    )
    psi: Threshold | None = Field(default=None, description="Population stability index: the same.")
    hellinger: Threshold | None = Field(default=None, description="Hellinger distance: the same.")
    chi2: Threshold | None = Field(default=None, description="Pearson's X²: the same.")
    wasserstein: Threshold | None = Field(
        default=None, description="Wasserstein distance of the distances to the centroid: a number."
    )

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name in self.__pydantic_extra__:
            try:
                _distance(name)
            except ValueError as error:
                raise FaultAt((name,), str(error)) from error
        return self

    @property
    def given(self) -> dict[str, float | str]:
        """Those that are set."""
        return {name: value for name, value in self if value is not None}


class DriftConfig(Section):
    """What counts as drift.

    Examples
    --------
    >>> DriftConfig(every="6h").max_false_alarms_per_year
    1.0
    """

    every: Length | None = Field(
        default=None,
        description="The length of a window: a number and min, h, d, w or mo, such as '6h' or "
        "'1d'. Null takes all rows as one window.",
    )
    max_false_alarms_per_year: float = Field(
        default=RunRules.max_false_alarms_per_year,
        gt=0,
        allow_inf_nan=False,
        description="How many windows without drift may be called drifted in a year, over all "
        "features, on average. Used with every.",
    )
    alpha: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="The significance level of one window and feature, instead of "
        "max_false_alarms_per_year.",
    )
    segment_column: Text | None = Field(
        default=None,
        description="A column of categories, such as a country; each of its values is judged too.",
    )
    group_column: Text | None = Field(
        default=None,
        description="What alike rows of the baseline have in common, such as a product or a visit: rows of "
        "one group are no independent evidence.",
    )
    context: tuple[Text, ...] = Field(
        default=(),
        description="What belongs to the traffic and not to the images: 'hour', 'weekday' and metadata "
        "columns, such as a camera or a country. Windows are compared with the baseline in the mix of their "
        "own contexts.",
    )
    explain_columns: tuple[Text, ...] = Field(
        default=(),
        description="Metadata columns, such as a camera; when a window drifts, the report says which of "
        "their values carry the shift.",
    )
    vocabulary: tuple[Text, ...] | Text | None = Field(
        default=None, description="What names are made of: words, or a file with a word a line."
    )
    distances: tuple[DistanceName, ...] = Field(
        default=(),
        description="Distances of plug-ins that each window gets beside the built-in ones, by name. Those "
        "that thresholds name are computed anyway.",
    )
    minimum_rows: int = Field(
        default=RunRules.minimum_rows, ge=2, description="Smaller windows are inconclusive."
    )
    minimum_change: float = Field(
        default=RunRules.minimum_change,
        ge=0,
        lt=1,
        description="A change is drift from this share of rows on, as if so many had been swapped for "
        "unrelated images; smaller ones do not matter, however sure they are.",
    )
    thresholds: ThresholdConfig = Field(
        default_factory=lambda: ThresholdConfig(),
        description="Your own rule instead of the p-value: a window has drifted when a distance reaches "
        "its threshold.",
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

    def rules(self, timezone: str) -> RunRules:
        """The rules of a run, over windows of this zone."""
        # Here, because it brings scipy with it.
        from monitor.drift import own_distances

        return RunRules(
            every=self.every,
            zone=zone_of(timezone),
            segment_column=self.segment_column,
            max_false_alarms_per_year=self.max_false_alarms_per_year,
            alpha=self.alpha,
            minimum_rows=self.minimum_rows,
            minimum_change=self.minimum_change,
            thresholds=self.thresholds.given,
            distances=own_distances(self.distances, self.thresholds.given),
        )


class RollingConfig(Section):
    """A baseline that moves along with time.

    Examples
    --------
    >>> RollingConfig(window="28d").offset is None
    True
    """

    window: Duration = Field(description="How much time it spans, such as '28d'.")
    offset: Duration | None = Field(
        default=None,
        description="How long before the judged window it ends. Null ends it where the window begins.",
    )


class ScheduleConfig(Section):
    """When `monitor run` and `monitor schedule` judge the windows of drift.every.

    Examples
    --------
    >>> ScheduleConfig(timezone="Europe/Berlin").catchup
    'latest'
    """

    timezone: Annotated[Text, AfterValidator(_zone)] = Field(
        default="UTC",
        description="Whose days, weeks and months, also for `monitor baseline fit` and `monitor drift`; "
        "hours and minutes are counted in UTC.",
    )
    start: dt.date | None = Field(
        default=None, description="No window begins before this day. Needed for catchup: all."
    )
    evaluation_delay: Duration | None = Field(
        default=None,
        description="How long after its end a window is judged, such as '2h', so that its rows have "
        "arrived. Null judges it at once.",
    )
    allowed_lateness: Duration | None = Field(
        default=None,
        description="For how long after that rows that came late make a new revision of the window. "
        "Null looks for none.",
    )
    catchup: Literal["none", "latest", "all"] = Field(
        default="latest",
        description="Which missed windows are judged: all since start; latest, the newest one; none, "
        "the newest one if it fell due after the first run.",
    )
    catchup_limit: int = Field(
        default=366, ge=1, description="How many windows catchup: all looks back at most."
    )
    cron: Text = Field(
        default="*/15 * * * *",
        description="When `monitor schedule` wakes: minute, hour, day, month, day of the week.",
    )
    lease_seconds: float = Field(
        default=900.0,
        gt=0,
        allow_inf_nan=False,
        description="How long a worker that says nothing keeps a window to itself.",
    )
    wait_for_rows: Duration | None = Field(
        default=None,
        description="How long a window without rows is waited for, from when it is due, before it is judged "
        "as empty, which alerts. Null waits as long as a window, at most 6 hours.",
    )
    max_attempts: int = Field(
        default=5, ge=1, description="How often a window is tried at least before it is given up."
    )
    retry_for: Duration | None = Field(
        default="1d",
        description="For how long it is tried at least: a database may be away for a night. Null counts "
        "attempts only.",
    )
    rolling_baseline: RollingConfig | None = Field(
        default=None,
        description="Compares with production's own earlier rows instead of the fitted baseline.",
    )

    @model_validator(mode="after")
    def _all_since_when(self) -> Self:
        if self.catchup == "all" and self.start is None:
            raise FaultAt(
                ("start",), "is missing: catchup: all needs the first day, such as 2026-03-01"
            )
        return self


class StoreConfig(Section):
    """Where results are kept.

    Examples
    --------
    >>> StoreConfig(url="postgresql+psycopg://${DB_USER}@db/monitor").url is None
    False
    """

    url: Text | None = Field(
        default=None,
        description="sqlite:///path/of/a/file or postgresql+psycopg://user@host/database. ${NAME} "
        "stands for the environment variable NAME. Null takes the file monitor.db in output.",
    )


class CacheConfig(Section):
    """Vectors that are kept, so that an image seen before is neither fetched nor encoded again.

    Examples
    --------
    >>> CacheConfig(ttl_seconds=3600).folder is None
    True
    """

    folder: Text | None = Field(
        default=None,
        description="Where the cache's file lies, on a disk of this machine; several configs may share "
        "it. Null takes the folder cache in output.",
    )
    ttl_seconds: float = Field(
        default=86_400.0,
        ge=0,
        allow_inf_nan=False,
        description="How long a URL counts as unchanged without asking its server; 0 asks each time. "
        "Local files are looked at each time.",
    )
    max_bytes: int = Field(
        default=2_000_000_000,
        gt=0,
        description="Most bytes of the cache; beyond them goes what was not used for longest.",
    )


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
