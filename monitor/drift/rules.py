"""What makes a window drifted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.drift.distances import DISTANCES, Distance
from monitor.rules import RunRules

MINIMUM_ROWS = RunRules.minimum_rows
MINIMUM_CHANGE = RunRules.minimum_change


@dataclass(frozen=True)
class Rules:
    """What makes a window drifted.

    Parameters
    ----------
    alpha
        The significance level in (0, 1): a window without drift is called drifted at most this often.
    minimum_rows
        Fewer rows with vectors than this, on either side, are inconclusive.
    minimum_change
        The smallest `Effect.changed_share` that matters, in [0, 1).
    thresholds
        By distance; when there are any, a window has drifted when a score reaches its threshold, and the
        p-value is for information only.
    distances
        The distances that are computed.
    """

    alpha: float
    minimum_rows: int = MINIMUM_ROWS
    minimum_change: float = MINIMUM_CHANGE
    thresholds: Mapping[str, float] = field(default_factory=dict)
    distances: tuple[Distance, ...] = DISTANCES
