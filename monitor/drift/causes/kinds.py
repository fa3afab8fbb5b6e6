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
"""The significance level of a pixel statistic in a window that has drifted: its 4,999 drawn tables cannot
tell p-values as small as some `alpha` that windows are judged by."""
LEAST_FAILURES = 0.05
"""The rise in the share of rows without a vector from which a feed is called broken."""


def moved_clearly(shift: QualityShift) -> bool:
    """Whether a pixel statistic of a drifted window moved significantly and by much."""
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
    - *new content*, *new mix*: the kind of a test that sees the shift (see `SubTest.kind`).
    - *new appearance*: the vectors moved, and none of the above explains it.
    """
    kinds = []
    if is_placeholder or any(
        shift.p_value <= judgement.alpha
        and shift.window_share - shift.baseline_share >= LEAST_FAILURES
        for shift in failures
    ):
        kinds.append(ShiftKind.BROKEN_FEED)
    if judgement.verdict is not Verdict.DRIFT:
        return tuple(kinds)
    if any(moved_clearly(shift) for shift in quality):
        kinds.append(ShiftKind.QUALITY)
    pooled = judgement.pooled_test
    decisive = () if judgement.is_by_pooled_test else telling(judgement.tests, judgement.alpha)
    if pooled is not None and pooled.is_drift:
        decisive += telling(pooled.tests, pooled.alpha)
    by_tests = {subtest_named(test.name).kind for test in decisive}
    kinds += [kind for kind in ShiftKind if kind in by_tests and kind not in kinds]
    if not set(kinds) - {ShiftKind.BROKEN_FEED}:
        # Where only several windows together show the shift, this one does not say what it is.
        shown = judgement.deciding_pooled_test or judgement
        by_content = shown.content_shift > shown.appearance_shift
        kinds.append(ShiftKind.NEW_MIX if by_content else ShiftKind.APPEARANCE)
    return tuple(kinds)
