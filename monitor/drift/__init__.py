"""Histograms ─► judgement: distances, significance, attribution. Pure numbers: no I/O, no clock."""

from monitor.drift.causes.column_explanation import ColumnExplanation, ValueShift
from monitor.drift.causes.columns import explain
from monitor.drift.causes.failures import FailureShift, failure_shifts
from monitor.drift.causes.kinds import shift_kinds
from monitor.drift.causes.pixels import QualityShift, quality_shifts
from monitor.drift.comparison import Comparison
from monitor.drift.distances import DISTANCES, Distance, own_distances
from monitor.drift.judge import judge
from monitor.drift.judgement import (
    ClusterShift,
    Judgement,
    Outcome,
    PooledTest,
    Score,
    ShiftKind,
    Verdict,
)
from monitor.drift.onset import onset
from monitor.drift.rules import MINIMUM_CHANGE, MINIMUM_ROWS, Rules
from monitor.drift.sequence import (
    MOST_PAST,
    POOLED_SHARE,
    PastWindow,
    SequenceWindow,
    judge_sequence,
    pooled_tests,
)
from monitor.drift.subtest import SubTest
from monitor.drift.thresholds import resolve_thresholds

__all__ = [
    "DISTANCES",
    "MINIMUM_CHANGE",
    "MINIMUM_ROWS",
    "MOST_PAST",
    "POOLED_SHARE",
    "ClusterShift",
    "ColumnExplanation",
    "Comparison",
    "Distance",
    "FailureShift",
    "Judgement",
    "Outcome",
    "PastWindow",
    "PooledTest",
    "QualityShift",
    "Rules",
    "Score",
    "SequenceWindow",
    "ShiftKind",
    "SubTest",
    "ValueShift",
    "Verdict",
    "explain",
    "failure_shifts",
    "judge",
    "judge_sequence",
    "onset",
    "own_distances",
    "pooled_tests",
    "quality_shifts",
    "resolve_thresholds",
    "shift_kinds",
]
