"""What a shift looks like: a broken feed, worse pictures, new content, or a new mix of the old."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.drift.battery import subtest_named
from monitor.drift.causes.failures import FailureShift
from monitor.drift.causes.pixels import QualityShift
from monitor.drift.judgement import Judgement, ShiftKind, Verdict
from monitor.drift.significance import telling

LEAST_EFFECT = 0.2
"""Cliff's delta from which pixel statistics are called changed; 0.15 is small, 0.33 medium (Romano 2006)."""
QUALITY_LEVEL = 0.01
"""Of a pixel statistic, in a window that has drifted for sure: drawn tables do not reach every alpha."""
LEAST_FAILURES = 0.05
"""The rise in the share of rows without a vector from which a feed is called broken."""


def moved_clearly(shift: QualityShift) -> bool:
    """Whether a pixel statistic of a drifted window moved, for sure and by much."""
    return shift.p_value <= QUALITY_LEVEL and abs(shift.effect) >= LEAST_EFFECT


def shift_kinds(
    judgement: Judgement,
    quality: Sequence[QualityShift],
    failures: Sequence[FailureShift],
    *,
    is_placeholder: bool,
) -> tuple[ShiftKind, ...]:
    """What a window's shift looks like, the most telling kind first; empty when nothing shifted.

    - *broken feed*: one image repeated, or many more rows than usual without a vector; also in a window
      without a drift verdict.
    - *quality change*: a pixel statistic moved clearly.
    - *new content*: more rows than usual are unlike anything known.
    - *new mix*: the shares of the clusters changed.
    - *new appearance*: the vectors moved, and none of the above tells how.
    """
    found = []
    level = judgement.alpha
    if is_placeholder or any(
        shift.p_value <= level and shift.window_share - shift.baseline_share >= LEAST_FAILURES
        for shift in failures
    ):
        found.append(ShiftKind.BROKEN_FEED)
    if judgement.verdict is not Verdict.DRIFT:
        return tuple(found)
    if any(moved_clearly(shift) for shift in quality):
        found.append(ShiftKind.QUALITY)
    pooled = judgement.pooled_test
    told = () if judgement.is_by_pooled_test else telling(judgement.tests, level)
    if pooled is not None and pooled.is_drift:
        told += telling(pooled.tests, pooled.alpha)
    by_tests = {subtest_named(test.name).kind for test in told}
    found += [kind for kind in ShiftKind if kind in by_tests and kind not in found]
    if not set(found) - {ShiftKind.BROKEN_FEED}:
        # One window alone does not show what several together do.
        shown = judgement.deciding_pooled_test or judgement
        by_content = shown.content_shift > shown.appearance_shift
        found.append(ShiftKind.NEW_MIX if by_content else ShiftKind.APPEARANCE)
    return tuple(found)
