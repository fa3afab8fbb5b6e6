"""What a shift is: a broken feed, a technical change, new or lost content, a new mix, a new look.

Decided on what the rows show, not on which test fell below its level: red and blue swapped in every image
change the counts of clusters as well, and receipts among shirts change the mean brightness.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from monitor.drift.battery import subtest_named
from monitor.drift.causes.change import Change
from monitor.drift.causes.evidence import RowEvidence
from monitor.drift.causes.failures import FailureShift
from monitor.drift.causes.matched import MatchedShift
from monitor.drift.causes.naming import PIXEL_LEVEL, change_name, pixel_name
from monitor.drift.causes.pixels import QualityShift
from monitor.drift.judgement import Judgement, ShiftKind, Verdict
from monitor.drift.pixel_test import PIXELS
from monitor.drift.significance import telling

LEAST_EFFECT: Final = 0.2
"""Cliff's delta from which pixel statistics are called changed; 0.15 is small, 0.33 medium (Romano 2006)."""
QUALITY_LEVEL: Final = 0.01
"""The significance level of a pixel statistic in a window that has drifted: its 4,999 drawn tables cannot
tell p-values as small as some `alpha` that windows are judged by."""
LEAST_FAILURES: Final = 0.05
"""The rise in the share of rows without a vector from which a feed is called broken."""
_LEAST_PIXELS: Final = 0.5
"""Cliff's delta within matched content: then at least half of the images moved."""
_MIX_SHARE: Final = 0.5
"""A new mix explains most of what sets the window apart."""
_NEARLY_ALL: Final = 0.8
"""The estimated share from which on the window as a whole has another look, by definition: what is left is
less than a fifth. Windows of 200 photos, half of them groceries, are estimated at 0.48 to 0.53."""
_UNLIKE: Final = 0.02
"""The median rank of the changed rows' distances from which on they are like nothing known."""


def moved_clearly(shift: QualityShift) -> bool:
    """Whether a pixel statistic of a drifted window moved significantly and by much."""
    return shift.p_value <= QUALITY_LEVEL and abs(shift.effect) >= LEAST_EFFECT


def is_broken(failures: Sequence[FailureShift], *, alpha: float, is_placeholder: bool) -> bool:
    """Whether a feed is broken: one image repeated, or many more rows than usual without a vector."""
    return is_placeholder or any(
        shift.p_value <= alpha and shift.window_share - shift.baseline_share >= LEAST_FAILURES
        for shift in failures
    )


def change_of(
    judgement: Judgement, evidence: RowEvidence, quality: Sequence[QualityShift] = ()
) -> Change:
    """What happened to a drifted window, by the first of these that its rows show.

    - *technical change*: the mean moved as one of the suspected changes moves it, or a pixel statistic moved
      in most images within matched content.
    - *content lost*, *new mix*: known rows with other shares explain the window; most of what shares fell
      lies in content that has all but vanished, or not.
    - *new look*: most rows changed, and none of these tells how.
    - *new content*: some rows changed.

    Where nothing but pixels differ, and by too little within matched content, the pixel statistic of all
    images that moved most, among `quality`, names the technical change.
    """
    changed, parts = evidence.changed, evidence.parts
    # Where vectors hardly moved, images that show the same may still have: then small effects count, too.
    pixels = _moved_pixels(evidence.pixels, _LEAST_PIXELS if parts.is_clear else 0.0)
    if (likest := parts.likest) is not None:
        share = max(changed.share, min(likest.share, 1.0), _moved_share(pixels))
        half = max(1.96 * likest.deviation, (changed.high - changed.low) / 2)
        name = change_name((likest, *parts.alike), evidence.pixels)
        # The window's change may be weaker than the one that was tried, and all images have it.
        high = 1.0 if share >= _NEARLY_ALL else min(1.0, share + half)
        return Change(ShiftKind.TECHNICAL, name, share, max(0.0, share - half), high)
    if pixels is not None:
        share = max(changed.share, _moved_share(pixels))
        # Cliff's delta is a lower bound; where it is small, only part of the images moved.
        high = 1.0 if abs(pixels.effect) >= _LEAST_PIXELS else min(1.0, 2 * share)
        low = max(0.0, min(abs(pixels.effect), share) - 1.96 * pixels.deviation)
        return Change(ShiftKind.TECHNICAL, pixel_name(pixels, evidence.pixels), share, low, high)
    kind = _kind_of_content(judgement, evidence)
    if kind is ShiftKind.TECHNICAL and (moved := _most_moved(quality)) is not None:
        share = max(changed.share, abs(moved.effect))
        high = max(changed.high, min(1.0, 2 * share))
        return Change(kind, pixel_name(moved, evidence.pixels), share, changed.low, high)
    return Change(kind, "", changed.share, changed.low, changed.high)


def shift_kinds(
    judgement: Judgement, change: Change | None, *, is_broken: bool
) -> tuple[ShiftKind, ...]:
    """What a window's shift looks like, the most telling kind first; empty when nothing shifted.

    Without `change`, where rows cannot be told apart one by one, the tests that decided tell.
    """
    broken = (ShiftKind.BROKEN_FEED,) if is_broken else ()
    if judgement.verdict is not Verdict.DRIFT:
        return broken
    if change is not None:
        # A broken feed is reason enough for what else its rows show.
        return broken or (change.kind,)
    return (*broken, *_by_tests(judgement))


def _kind_of_content(judgement: Judgement, evidence: RowEvidence) -> ShiftKind:
    changed, parts = evidence.changed, evidence.parts
    if len(changed.likely) and np.median(changed.ranks[changed.likely]) <= _UNLIKE:
        return ShiftKind.NEW_CONTENT if changed.share < _NEARLY_ALL else ShiftKind.NEW_LOOK
    if not parts.is_clear:
        (kind, *_) = _by_tests(judgement)
        return kind
    if parts.by_mix >= _MIX_SHARE:
        return ShiftKind.CONTENT_LOST if parts.is_loss else ShiftKind.NEW_MIX
    return ShiftKind.NEW_LOOK if changed.share >= _NEARLY_ALL else ShiftKind.NEW_CONTENT


def _by_tests(judgement: Judgement) -> tuple[ShiftKind, ...]:
    pooled = judgement.pooled_test
    clear = () if judgement.is_by_pooled_test else telling(judgement.tests, judgement.alpha)
    if pooled is not None and pooled.is_drift:
        clear += telling(pooled.tests, pooled.alpha)
    by_tests = {subtest_named(test.name).kind for test in clear}
    kinds = tuple(kind for kind in ShiftKind if kind in by_tests)
    if kinds:
        return kinds
    if clear and all(test.name == PIXELS.name for test in clear):
        # The images differ where their vectors do not.
        return (ShiftKind.TECHNICAL,)
    # One window alone does not show what several together do.
    shown = judgement.deciding_pooled_test or judgement
    by_content = shown.content_shift > shown.appearance_shift
    return (ShiftKind.NEW_MIX if by_content else ShiftKind.NEW_LOOK,)


def _moved_pixels(pixels: Sequence[MatchedShift], least: float) -> MatchedShift | None:
    return next(
        (shift for shift in pixels if shift.p_value <= PIXEL_LEVEL and abs(shift.effect) >= least),
        None,
    )


def _most_moved(quality: Sequence[QualityShift]) -> QualityShift | None:
    # The effect is NaN where one side has no image with the statistic.
    moved = [shift for shift in quality if shift.p_value <= QUALITY_LEVEL and abs(shift.effect) > 0]
    return min(moved, key=lambda shift: (shift.p_value, -abs(shift.effect)), default=None)


def _moved_share(pixels: MatchedShift | None) -> float:
    # A share s of images that all moved up gives no larger delta than s.
    return 0.0 if pixels is None else abs(pixels.effect)
