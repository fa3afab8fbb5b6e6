"""The rules of a run: what is cut into windows, and what makes one drifted. Each default is written here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from monitor.errors import InvalidInputError
from monitor.windows import UTC, Every, Grid

if TYPE_CHECKING:
    from monitor.drift import Distance


HOUR: Final = "hour"
WEEKDAY: Final = "weekday"
OF_TIME: Final = (HOUR, WEEKDAY)
"""Contexts that come from a row's time; others are columns."""


@dataclass(frozen=True)
class RunRules:
    """What `monitor.detect_drift`, the config and the schedule decide by.

    Parameters
    ----------
    every
        The window's length; None takes all rows as one window.
    zone
        Whose days, weeks and months windows are.
    segment_column
        A metadata column whose values are judged each by itself, too.
    max_false_alarms_per_year
        How many false alarms there may be in a year, > 0.
    alpha
        The significance level of one feature in one window or segment, in (0, 1), instead of it.
    minimum_rows
        Windows with fewer vectors are inconclusive; 2 or more. With few rows hardly any change could be
        seen.
    minimum_change
        A change is called drift from this share of rows on, in [0, 1).
    thresholds
        By distance: a number or such as `"3 sd"`; when there are any, they decide instead of the p-value.
    distances
        Distances of your own.

    Raises
    ------
    InvalidInputError
        If one of them is outside of its range.
    """

    every: Every | None = None
    zone: ZoneInfo = UTC
    segment_column: str | None = None
    max_false_alarms_per_year: float = 1.0
    alpha: float | None = None
    minimum_rows: int = 20
    minimum_change: float = 0.005
    thresholds: Mapping[str, float | str] = field(default_factory=dict)
    distances: tuple[Distance, ...] = ()

    def __post_init__(self) -> None:
        if not self.max_false_alarms_per_year > 0:
            raise InvalidInputError(
                f"max_false_alarms_per_year={self.max_false_alarms_per_year} must be above 0: a test that "
                "never errs never speaks"
            )
        if self.alpha is not None and not 0 < self.alpha < 1:
            raise InvalidInputError(
                f"alpha={self.alpha} must lie between 0 and 1, for example 0.01"
            )
        if not 0 <= self.minimum_change < 1:
            raise InvalidInputError(
                f"minimum_change={self.minimum_change} is a share of rows: give 0 or more and less than 1"
            )
        if self.minimum_rows < 2:
            raise InvalidInputError(f"minimum_rows={self.minimum_rows} must be 2 or more")

    @property
    def grid(self) -> Grid | None:
        """All windows of this length and zone; None where all rows are one window."""
        return None if self.every is None else Grid(self.every, self.zone)
