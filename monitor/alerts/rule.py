"""One reason to alert, as the config says it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from monitor.errors import ConfigError

BROKEN_SHARE: Final = 0.5
"""A feed of which at least half is unusable is called broken, unless the rule says otherwise."""

CALIBRATED: Final = ("verdict", "p_value", "broken_feed")
SHARES: Final = ("novel_share", "failure_rate", "most_repeated")
COUNTS: Final = ("n_rows", "n_failed")
BUILT_IN_METRICS: Final = (*CALIBRATED, *SHARES, *COUNTS)
"""What a rule may look at beside distances."""
FEWER_IS_WORSE: Final = ("p_value", "n_rows")


class Severity(StrEnum):
    """How bad it is."""

    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Higher is worse."""
        return int(self is Severity.CRITICAL)


def _name(value: object) -> object:
    if not isinstance(value, str) or not value.strip() or len(value) > 100:
        raise ValueError("must be a text of 1 to 100 characters")
    return value


Name = Annotated[str, BeforeValidator(_name)]
Threshold = Annotated[float, Field(strict=True, allow_inf_nan=False)]
# `yes` in YAML is True, which pydantic would read as 1.
Whole = Annotated[int, Field(strict=True)]
Amount = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Settings(BaseModel):
    """Frozen, and strict about keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AlertRule(Settings):
    """One reason to alert.

    Examples
    --------
    >>> AlertRule(name="feed", metric="failure_rate", warning=0.1, critical=0.5).is_calibrated
    False
    >>> AlertRule(name="drift").metric
    'verdict'
    """

    name: Name = Field(description="What the rule is called; each rule has a name of its own.")
    metric: Name = Field(
        default="verdict",
        description="What is looked at: verdict, p_value, broken_feed (the share of rows without a "
        "vector or with one and the same vector), novel_share, failure_rate, most_repeated, n_rows, "
        "n_failed, or a distance: jsd, psi, hellinger, chi2, wasserstein.",
    )
    warning: Threshold | None = Field(
        default=None,
        description="The value from which on the alert is a warning: at least this, for p_value and "
        "n_rows at most this.",
    )
    critical: Threshold | None = Field(
        default=None, description="The value from which on it is critical."
    )
    severity: Severity = Field(
        default=Severity.WARNING,
        description="How bad it is by the calibrated default, which holds without warning and "
        "critical: verdict is drift, p_value at most alpha, a distance above its noise ceiling, "
        "broken_feed at least 0.5.",
    )
    features: tuple[Name, ...] | None = Field(
        default=None, min_length=1, description="The features that it looks at. Null takes all."
    )
    segments: Literal["all", "none"] | tuple[Name, ...] = Field(
        default="all",
        description="The segments that are looked at beside all rows: all, none, or a list. While "
        "all rows alert as badly, a segment does not alert by itself.",
    )
    days_before: Whole | None = Field(
        default=None,
        ge=1,
        description="Looks at the metric's change since the window this many days earlier, instead "
        "of its value against the baseline. Needs warning or critical.",
    )
    resolve_after: Whole = Field(
        default=2, ge=1, description="So many calm windows in a row end the alert."
    )
    cool_down_hours: Amount = Field(
        default=0.0,
        ge=0,
        le=24 * 366,
        description="So long after an alert's last window the same rule raises no new one.",
    )

    @property
    def is_calibrated(self) -> bool:
        """Whether the judge's own level decides, because no threshold is given."""
        return self.warning is None and self.critical is None

    def looks_at(self, feature: str, segment: str | None) -> bool:
        """Whether the rule looks at this feature and segment (None: all rows)."""
        if self.features is not None and feature not in self.features:
            return False
        if segment is None or self.segments == "all":
            return True
        return self.segments != "none" and segment in self.segments

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str) -> str:
        if metric not in BUILT_IN_METRICS:
            # Here, because it brings scipy with it.
            from monitor.drift.distances import registry

            if metric not in registry:
                allowed = (*BUILT_IN_METRICS, *registry.names())
                raise ValueError(f"there is no such metric; allowed: {', '.join(allowed)}")
        return metric

    @field_validator("segments", mode="before")
    @classmethod
    def _segments_given(cls, value: object) -> object:
        if isinstance(value, str) and value not in ("all", "none"):
            raise ValueError("must be all, none, or a list of segments")
        return value

    @model_validator(mode="after")
    def _thresholds_agree(self) -> Self:
        levels = [level for level in (self.warning, self.critical) if level is not None]
        if self.metric == "verdict" and levels:
            raise ConfigError("verdict needs no threshold: leave out warning and critical")
        if not levels and self.metric in (*SHARES, *COUNTS):
            raise ConfigError(f"{self.metric} has no calibrated default: give warning or critical")
        if not levels and self.days_before is not None:
            raise ConfigError(
                "days_before needs a threshold for the change: give warning or critical"
            )
        if levels and "severity" in self.model_fields_set:
            raise ConfigError(
                "severity is for rules without thresholds: leave it out, or warning and critical"
            )
        worse = -1 if self.metric in FEWER_IS_WORSE else 1
        if len(levels) == 2 and levels[0] * worse >= levels[1] * worse:
            relation = "less" if worse < 0 else "more"
            raise ConfigError(
                f"critical ({levels[1]:g}) must be {relation} than warning ({levels[0]:g})"
            )
        return self
