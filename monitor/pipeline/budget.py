"""How a budget of false alarms is shared out over windows, pooled tests, segments and features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.drift import DISTANCES, POOLED_SHARE, Distance
from monitor.drift.battery import TESTS
from monitor.drift.significance import LEAST_P_VALUE
from monitor.drift.thresholds import check_thresholds
from monitor.errors import InvalidInputError
from monitor.rules import RunRules

LEAST_ALPHA: Final = len(TESTS) * LEAST_P_VALUE
"""Below it no window can alarm, as p-values of a test stop at `LEAST_P_VALUE`."""
ONE_SHOT_ALPHA: Final = 0.01
"""The alpha of a verdict that belongs to no schedule, so that no rate of false alarms follows from it."""
MOST_ALPHA: Final = 0.05
"""The highest alpha that follows from a rate of false alarms."""


@dataclass(frozen=True)
class AlarmBudget:
    """What one feature may spend on false alarms.

    Parameters
    ----------
    window, segment
        The alpha of one window, and of one segment of it.
    pooled
        The alpha of all pooled tests after one window together; None where there are none.
    note
        The budget in a sentence, for the report.
    """

    window: float
    segment: float
    pooled: float | None
    note: str

    @classmethod
    def share_out(
        cls, rules: RunRules, n_features: int, n_segments: int, *, are_pooled: bool = True
    ) -> AlarmBudget:
        """Features share evenly; segments get half of a feature's part, pooled tests half of the rest.

        An alpha that the user gave holds for every window and segment, and no pooled tests are made; nor are
        they where windows are not `are_pooled`, and single windows then get their part.

        Raises
        ------
        InvalidInputError
            If so little is left for each that nothing could ever alarm.
        """
        budget = cls._shared_out(rules, n_features, n_segments, are_pooled=are_pooled)
        least = min(budget.window, budget.segment)
        if rules.alpha is None and least < LEAST_ALPHA and not rules.thresholds:
            raise InvalidInputError(
                f"each verdict would have to be significant at p ≤ {least:.1g}, and p-values below "
                f"{LEAST_ALPHA:.0e} are not told apart, so that nothing could alarm: allow more than "
                f"{rules.max_false_alarms_per_year:g} false alarms a year, judge longer windows, or fewer "
                f"features and segments than {n_features} and {n_segments}"
            )
        return budget

    @classmethod
    def _shared_out(
        cls, rules: RunRules, n_features: int, n_segments: int, *, are_pooled: bool
    ) -> AlarmBudget:
        if rules.alpha is not None:
            note = _in_words(rules.alpha, rules.alpha, n_segments)
            return cls(rules.alpha, rules.alpha, None, note)
        in_all = ONE_SHOT_ALPHA
        if rules.every is not None:
            in_all = min(rules.max_false_alarms_per_year * rules.every.years, MOST_ALPHA)
        of_feature = in_all / n_features
        of_windows = of_feature / 2 if n_segments else of_feature
        of_segment = of_feature / 2 / n_segments if n_segments else of_feature
        if rules.every is None:
            return cls(of_windows, of_segment, None, _in_words(of_windows, of_segment, n_segments))
        if not are_pooled:
            note = _in_words(of_windows, of_segment, n_segments)
            return cls(of_windows, of_segment, None, f"{note}; windows are not looked at together")
        pooled = of_windows * POOLED_SHARE
        window = of_windows - pooled
        # Alpha has a ceiling, so that long windows may be judged more strictly than was asked for.
        rate = min(rules.max_false_alarms_per_year, MOST_ALPHA / rules.every.years)
        note = (
            f"{_in_words(window, of_segment, n_segments)}, and the last windows together at as much; in "
            f"all that allows {rate:.3g} false {'alarm' if rate == 1 else 'alarms'} a year over all "
            "features"
        )
        return cls(window, of_segment, pooled, note)


def _in_words(window: float, segment: float, n_segments: int) -> str:
    note = f"a window is called drifted at p ≤ {window:.2g}"
    if n_segments:
        note += f", one of the {n_segments} segments at p ≤ {segment:.2g}"
    return note


def thresholds_in_words(
    thresholds: Mapping[str, float | str], distances: Sequence[Distance] = DISTANCES
) -> str:
    """What decides instead of alpha, in a sentence, for the report.

    Examples
    --------
    >>> thresholds_in_words({"jsd": 0.1, "psi": "3 sd"})
    "your thresholds decide, not the p-value: a window is called drifted at jsd ≥ 0.1 or psi ≥ 3 standard
    deviations above its mean over the baseline's own windows"
    """
    limits = [
        f"{name} ≥ {number:.3g}"
        + (
            " standard deviations above its mean over the baseline's own windows"
            if is_in_sd
            else ""
        )
        for name, (number, is_in_sd) in check_thresholds(thresholds, distances).items()
    ]
    return "your thresholds decide, not the p-value: a window is called drifted at " + " or ".join(
        limits
    )
