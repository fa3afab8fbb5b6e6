"""Histograms ─► judgement: distances, significance, attribution. Pure numbers: no I/O, no clock."""

from monitor.drift.judgement import ClusterShift, Judgement, Score, Verdict
from monitor.drift.judging import MINIMUM_ROWS, judge
from monitor.drift.significance import SubTest

__all__ = ["MINIMUM_ROWS", "ClusterShift", "Judgement", "Score", "SubTest", "Verdict", "judge"]
