"""What the sides of images say of a suspected change: another shape shows in width and height."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from monitor.drift.causes.likeness import Likeness
from monitor.drift.causes.matched import MatchedShift

SQUASHED: Final = {"height": "squashed", "width": "squashed sideways"}
"""By the side that became shorter."""
_TURNED: Final = "turned by 90°"
_LETTERBOXED: Final = ("letterboxed", "letterboxed in white")
_LEAST_OF_SHARE: Final = 0.7
"""Cliff's delta of a side over the share of images whose shape changed, at least: of squashed photos it is
0.9 to 1.1, of letterboxed ones 0.7 to 1."""
_LEAST_VARIED: Final = 0.8
"""Sides tell nothing where most images have the same, before and after: chance moves them less than other
statistics."""
_MOVED: Final = 0.5
"""Cliff's delta of a side from which on at least half of the images have another one."""
_CHANCE: Final = 2.0
"""Standard deviations by which chance may lessen what is seen."""


def sides_allow(likeness: Likeness, pixels: Sequence[MatchedShift]) -> bool:
    """Whether the sides of a window's images have moved as they must have if this was done to them.

    Parameters
    ----------
    likeness
        What is suspected, and of which share of the images.
    pixels
        What the pixel statistics did within matched content; none where nothing is known of them.

    Examples
    --------
    >>> squashed = Likeness("squashed", explained=0.6, share=0.8, deviation=0.05)
    >>> def photos(height):
    ...     fields = {"width": 0.1, "height": height, "brightness": 0.0}
    ...     return [MatchedShift(f, effect, 1.0, deviation=0.1) for f, effect in fields.items()]
    >>> sides_allow(squashed, photos(-0.8)), sides_allow(squashed, photos(-0.1))
    (True, False)
    """
    sides = {shift.field: shift for shift in pixels if shift.field in SQUASHED}
    if len(sides) < len(SQUASHED):
        return True
    width, height = sides["width"], sides["height"]
    moved: dict[str, tuple[float, float]] = {
        SQUASHED["height"]: (-height.effect, height.deviation),
        SQUASHED["width"]: (-width.effect, width.deviation),
        **dict.fromkeys(
            _LETTERBOXED, (max(width.effect, height.effect), max(width.deviation, height.deviation))
        ),
        _TURNED: (
            max(abs(width.effect), abs(height.effect)),
            max(width.deviation, height.deviation),
        ),
    }
    if likeness.name not in moved:
        return True
    effect, deviation = moved[likeness.name]
    varies = deviation >= _LEAST_VARIED * max(shift.deviation for shift in pixels)
    if not varies and max(abs(width.effect), abs(height.effect)) < _MOVED:
        return True
    return effect + _CHANCE * deviation >= _LEAST_OF_SHARE * min(likeness.share, 1.0)
