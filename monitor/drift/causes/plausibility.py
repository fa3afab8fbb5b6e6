"""Whether what pixels and sides of the images did agrees with a suspected change."""

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
_LEAST_OF_PIXELS: Final = 0.25
"""The share of images that a suspect would have changed over Cliff's delta of the pixel statistic that moved
most: the vectors of images compressed hard moved as those of a tenth of them do that are colder in colour."""


def is_plausible(likeness: Likeness, pixels: Sequence[MatchedShift]) -> bool:
    """Whether this may have been done to images whose pixel statistics did that within matched content.

    Where pixels show that most images changed, a change of a few of them is not what was done; and one that
    gives images another shape shows in width and height.

    Parameters
    ----------
    likeness
        What is suspected, and of which share of the images.
    pixels
        What the pixel statistics did within matched content; none where nothing is known of them.

    Examples
    --------
    >>> compressed = [MatchedShift("bytes_per_pixel", -1.0, 1e-9, deviation=0.05)]
    >>> colder = Likeness("colder in colour", explained=0.5, share=0.1, deviation=0.01)
    >>> is_plausible(colder, compressed), is_plausible(colder, [])
    (False, True)
    """
    moved = max((abs(shift.effect) for shift in pixels), default=0.0)
    if moved >= _MOVED and likeness.share < _LEAST_OF_PIXELS * moved:
        return False
    return _sides_allow(likeness, pixels)


def _sides_allow(likeness: Likeness, pixels: Sequence[MatchedShift]) -> bool:
    """Whether the sides of the images have moved as they must have if this was done to them.

    Examples
    --------
    >>> squashed = Likeness("squashed", explained=0.6, share=0.8, deviation=0.05)
    >>> def photos(height):
    ...     fields = {"width": 0.1, "height": height, "brightness": 0.0}
    ...     return [MatchedShift(f, effect, 1.0, deviation=0.1) for f, effect in fields.items()]
    >>> _sides_allow(squashed, photos(-0.8)), _sides_allow(squashed, photos(-0.1))
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
