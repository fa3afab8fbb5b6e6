"""Histograms ─► judgement: distances, significance, attribution. Pure numbers: no I/O, no clock."""

from monitor.drift.causes.column_explanation import ColumnExplanation, ValueShift
from monitor.drift.causes.columns import explain
from monitor.drift.causes.failures import FailureShift, failure_shifts
from monitor.drift.causes.kinds import ShiftKind, shift_kinds
from monitor.drift.causes.pixels import QualityShift, quality_shifts
from monitor.drift.effect import Effect
from monitor.drift.judge import judge
from monitor.drift.judgement import ClusterShift, Judgement, Look, Score, Verdict
from monitor.drift.metrics import METRICS, Metric
from monitor.drift.rules import MINIMUM_CHANGE, MINIMUM_ROWS, Rules
from monitor.drift.sequence import LONGEST, LOOKS_SHARE, PastWindow, longer_looks, onset
from monitor.drift.significance import SubTest
from monitor.drift.thresholds import resolve_thresholds

__all__ = [
    "LONGEST",
    "LOOKS_SHARE",
    "METRICS",
    "MINIMUM_CHANGE",
    "MINIMUM_ROWS",
    "ClusterShift",
    "ColumnExplanation",
    "Effect",
    "FailureShift",
    "Judgement",
    "Look",
    "Metric",
    "PastWindow",
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
    "longer_looks",
    "onset",
    "quality_shifts",
    "resolve_thresholds",
    "shift_kinds",
]
