"""Why a window drifted: its metadata columns, its pixels, its failures, and what kind of shift that makes."""

from monitor.drift.causes.change import Change, ChangedGroup, ChangedRow
from monitor.drift.causes.column_explanation import ColumnExplanation, ValueShift
from monitor.drift.causes.columns import explain
from monitor.drift.causes.evidence import RowEvidence, row_evidence
from monitor.drift.causes.failures import FailureShift, failure_shifts
from monitor.drift.causes.kinds import change_of, is_broken, shift_kinds
from monitor.drift.causes.pixels import QualityShift, quality_shifts
from monitor.drift.causes.placeholder import is_placeholder

__all__ = [
    "Change",
    "ChangedGroup",
    "ChangedRow",
    "ColumnExplanation",
    "FailureShift",
    "QualityShift",
    "RowEvidence",
    "ValueShift",
    "change_of",
    "explain",
    "failure_shifts",
    "is_broken",
    "is_placeholder",
    "quality_shifts",
    "row_evidence",
    "shift_kinds",
]
