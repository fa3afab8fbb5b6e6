"""Histograms ─► judgement: distances, significance, attribution. Pure numbers: no I/O, no clock."""

from monitor.drift.causes.column_explanation import ColumnExplanation, ValueShift
from monitor.drift.causes.columns import explain
from monitor.drift.causes.failures import FailureShift, failure_shifts
from monitor.drift.causes.kinds import ShiftKind, shift_kinds
from monitor.drift.causes.pixels import QualityShift, quality_shifts
from monitor.drift.distances import DISTANCES, Distance
from monitor.drift.effect import Effect
from monitor.drift.judge import judge
from monitor.drift.judgement import ClusterShift, Judgement, PooledTest, Score, Verdict
from monitor.drift.rules import MINIMUM_CHANGE, MINIMUM_ROWS, Rules
from monitor.drift.sequence import LONGEST, POOLED_SHARE, PastWindow, onset, pooled_tests
from monitor.drift.significance import SubTest
from monitor.drift.thresholds import resolve_thresholds

__all__ = [
    "DISTANCES",
    "LONGEST",
    "MINIMUM_CHANGE",
    "MINIMUM_ROWS",
    "POOLED_SHARE",
    "ClusterShift",
    "ColumnExplanation",
    "Distance",
    "Effect",
    "FailureShift",
    "Judgement",
    "PastWindow",
    "PooledTest",
    "QualityShift",
    "Rules",
    "Score",
    "ShiftKind",
    "SubTest",
    "ValueShift",
    "Verdict",
    "explain",
    "failure_shifts",
    "judge",
    "onset",
    "pooled_tests",
    "quality_shifts",
    "resolve_thresholds",
    "shift_kinds",
]
