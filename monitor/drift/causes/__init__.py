"""Why a window drifted: its metadata columns, its pixels, its failures, and what kind of shift that makes."""

from monitor.drift.causes.column_explanation import ColumnExplanation, ValueShift
from monitor.drift.causes.columns import explain
from monitor.drift.causes.failures import FailureShift, failure_shifts
from monitor.drift.causes.kinds import shift_kinds
from monitor.drift.causes.pixels import QualityShift, quality_shifts

__all__ = [
    "ColumnExplanation",
    "FailureShift",
    "QualityShift",
    "ValueShift",
    "explain",
    "failure_shifts",
    "quality_shifts",
    "shift_kinds",
]
