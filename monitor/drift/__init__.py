"""Histograms ─► judgement: distances, significance, attribution. Pure numbers: no I/O, no clock."""

from monitor.drift.calibration import calibrate, replayed_p_values
from monitor.drift.causes import (
    Change,
    ChangedGroup,
    ChangedRow,
    ColumnExplanation,
    FailureShift,
    QualityShift,
    RowEvidence,
    ValueShift,
    change_of,
    explain,
    failure_shifts,
    is_broken,
    is_placeholder,
    quality_shifts,
    row_evidence,
    shift_kinds,
)
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
from monitor.drift.learning import MOST_FIRST
from monitor.drift.onset import onset
from monitor.drift.pooled import due_test
from monitor.drift.rules import MINIMUM_CHANGE, MINIMUM_ROWS, Rules
from monitor.drift.run import SequenceWindow, Shift
from monitor.drift.sequence import (
    MOST_PAST,
    POOLED_SHARE,
    PastWindow,
    SequenceJudgement,
    judge_sequence,
)
from monitor.drift.subtest import SubTest
from monitor.drift.thresholds import resolve_thresholds

__all__ = [
    "DISTANCES",
    "MINIMUM_CHANGE",
    "MINIMUM_ROWS",
    "MOST_FIRST",
    "MOST_PAST",
    "POOLED_SHARE",
    "Change",
    "ChangedGroup",
    "ChangedRow",
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
    "RowEvidence",
    "Rules",
    "Score",
    "SequenceJudgement",
    "SequenceWindow",
    "Shift",
    "ShiftKind",
    "SubTest",
    "ValueShift",
    "Verdict",
    "calibrate",
    "change_of",
    "due_test",
    "explain",
    "failure_shifts",
    "is_broken",
    "is_placeholder",
    "judge",
    "judge_sequence",
    "onset",
    "own_distances",
    "quality_shifts",
    "replayed_p_values",
    "resolve_thresholds",
    "row_evidence",
    "shift_kinds",
]
