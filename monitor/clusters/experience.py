"""What an earlier baseline saw of how much windows differ, kept when a new one takes its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from monitor.clusters.baseline import Baseline
from monitor.clusters.baseline_statistics import BaselineStatistics
from monitor.clusters.variation import Variation

T = TypeVar("T")

MOST_WINDOWS: Final = 64
"""So many are taken over: two months of days. A baseline that itself took some over hands these on."""


def with_experience(baseline: Baseline, earlier: Baseline) -> Baseline:
    """The baseline, whose windows without drift are those of `earlier`, too.

    What production is compared with stays as it is; only how much windows differ is known better. 28 windows
    hardly show a variation that makes alarms four times as frequent.

    Parameters
    ----------
    baseline
        The new one.
    earlier
        One whose rows all came before. Where it is of another feature or encoder, or of windows of another
        length, it says nothing.
    """
    if baseline.feature != earlier.feature or baseline.fingerprint != earlier.fingerprint:
        return baseline
    seasons = baseline.seasons
    if len(earlier.seasons) == len(seasons):
        seasons = tuple(map(_statistics, seasons, earlier.seasons))
    return replace(
        baseline,
        statistics=_statistics(baseline.statistics, earlier.statistics),
        segments=_each(_statistics, baseline.segments, earlier.segments),
        seasons=seasons,
        finer=_each(_variation, baseline.finer, earlier.finer),
    )


def _each(
    join: Callable[[T, T], T], own: Mapping[str, T], earlier: Mapping[str, T]
) -> dict[str, T]:
    return {
        name: join(part, earlier[name]) if name in earlier else part for name, part in own.items()
    }


def _statistics(own: BaselineStatistics, earlier: BaselineStatistics) -> BaselineStatistics:
    if own.variation is None or earlier.variation is None:
        return own
    return replace(own, variation=_variation(own.variation, earlier.variation))


def _variation(own: Variation, earlier: Variation) -> Variation:
    if own.every != earlier.every:
        return own
    return replace(own, replayed=own.replayed.plus(earlier.replayed.first(MOST_WINDOWS)))
