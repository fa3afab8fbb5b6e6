"""One rule and one window: what the metric says."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Final

from monitor.alerts.rule import BROKEN_SHARE, FEWER_IS_WORSE, AlertRule, Severity
from monitor.drift import Verdict
from monitor.reports import WindowDrift

# What the few rows of an inconclusive window say is noise; these can be counted in any window.
_COUNTED: Final = ("broken_feed", "failure_rate", "most_repeated", "n_rows", "n_failed")


@dataclass(frozen=True)
class Reading:
    """What a rule sees in a window.

    Parameters
    ----------
    value
        The metric, or its change since the earlier window; NaN when it cannot be known.
    threshold
        What it was compared with; NaN where nothing was.
    severity
        How badly the rule is broken; None when it holds.
    """

    value: float
    threshold: float = math.nan
    severity: Severity | None = None

    @property
    def is_known(self) -> bool:
        """Whether the window says anything: one with too few rows neither breaks a rule nor is calm."""
        return not math.isnan(self.value)

    @property
    def is_calm(self) -> bool:
        """Whether the rule is known to hold."""
        return self.is_known and self.severity is None


def read(rule: AlertRule, window: WindowDrift, earlier: WindowDrift | None = None) -> Reading:
    """What `rule` sees in `window`.

    Parameters
    ----------
    rule
        A rule.
    window
        A judged window.
    earlier
        The window that it is compared with, for rules with `days_before`; without one the reading is
        not known.
    """
    value = metric_value(rule.metric, window)
    if rule.days_before is not None:
        value -= math.nan if earlier is None else metric_value(rule.metric, earlier)
    if math.isnan(value):
        return Reading(value)
    if rule.is_calibrated:
        return _calibrated(rule, window, value)
    worse = -1 if rule.metric in FEWER_IS_WORSE else 1
    levels = ((Severity.CRITICAL, rule.critical), (Severity.WARNING, rule.warning))
    for severity, level in levels:
        if level is not None and value * worse >= level * worse:
            return Reading(value, level, severity)
    lowest = rule.critical if rule.warning is None else rule.warning
    assert lowest is not None
    return Reading(value, lowest)


def metric_value(metric: str, window: WindowDrift) -> float:
    """The metric of a window; NaN where there are too few rows to know.

    `verdict` gives the p-value, which it was read from. `broken_feed` is the share of rows that have no
    vector or repeat one and the same vector, in [0, 1]; 1 for a window without rows, for a feed that
    delivers nothing is broken too.
    """
    judgement = window.judgement
    if window.is_closed:
        # No rows are expected then: neither calm nor broken.
        return math.nan
    if metric in _COUNTED:
        return _counted(metric, window)
    if judgement.verdict is Verdict.INCONCLUSIVE:
        return math.nan
    if metric in ("verdict", "p_value"):
        return judgement.p_value
    if metric == "novel_share":
        return judgement.novel_share
    # A result of an earlier version may lack a distance.
    score = judgement.scores.get(metric)
    return math.nan if score is None else score.value


def same_time(window: WindowDrift, earlier: WindowDrift, days: int) -> bool:
    """Whether `earlier` is the window `days` days before `window`.

    Its middle decides: where clocks change, days are an hour shorter or longer.
    """
    if window.start is None or window.end is None or earlier.start is None or earlier.end is None:
        return False
    middle = window.start + (window.end - window.start) / 2 - dt.timedelta(days=days)
    return earlier.start <= middle < earlier.end


def _counted(metric: str, window: WindowDrift) -> float:
    n_rows, n_failed = window.n_rows, window.n_failed
    if metric == "n_rows":
        return float(n_rows)
    if metric == "n_failed":
        return float(n_failed)
    n_vectors = n_rows - n_failed
    if metric == "broken_feed":
        return (n_failed + window.most_repeated * n_vectors) / n_rows if n_rows else 1.0
    if metric == "failure_rate":
        return window.failure_rate if n_rows else math.nan
    return window.most_repeated if n_vectors else math.nan


def _calibrated(rule: AlertRule, window: WindowDrift, value: float) -> Reading:
    judgement = window.judgement
    if rule.metric == "broken_feed":
        threshold, is_broken = BROKEN_SHARE, value >= BROKEN_SHARE
    elif rule.metric in ("verdict", "p_value"):
        # A shift that only showed when it was over is told as well.
        is_broken = judgement.verdict is Verdict.DRIFT or window.is_late
        threshold = judgement.alpha
    else:
        threshold = judgement.scores[rule.metric].noise_ceiling
        is_broken = value > threshold
    return Reading(value, threshold, rule.severity if is_broken else None)
