"""What a technical change is called: one suspect, or two that the evidence does not tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from monitor.drift.causes.matched import MatchedShift
from monitor.drift.causes.movement import Likeness

PIXEL_LEVEL: Final = 0.001
_LEAST_SCALING: Final = 0.3
"""Cliff's delta of the images' sizes from which on they changed."""
_MOST_NAMES: Final = 2
_SCALED, _BLURRED, _CROPPED, _SQUASHED = "scaled down", "blurred", "cropped", "squashed"
_OF_DETAIL: Final = frozenset({_SCALED, _BLURRED, _CROPPED, _SQUASHED, "compressed hard"})
"""Changes after which images show less or coarser detail: of small images vectors hardly tell them apart."""


def change_name(likest: Sequence[Likeness], pixels: Sequence[MatchedShift]) -> str:
    """In words such as "red and blue swapped", or "cropped or squashed".

    Sizes tell some changes apart that vectors do not: what was scaled down is smaller, what is blurred is
    not, and images of which only one side became shorter were squashed, or cropped along it.

    Parameters
    ----------
    likest
        The changes that explain the movement alike well, the clearest first; one or more.
    pixels
        What the pixel statistics did within matched content.

    Examples
    --------
    >>> alike = [Likeness("cropped", 0.82, 0.6, 0.02), Likeness("scaled down", 0.8, 0.7, 0.02)]
    >>> change_name(alike, [])
    'cropped or scaled down'
    >>> narrower = [MatchedShift("width", -0.9, 1e-9), MatchedShift("height", 0.0, 1.0)]
    >>> change_name(alike, narrower)
    'squashed or cropped'
    """
    names = list(dict.fromkeys(likeness.name for likeness in likest))
    if names[0] in _OF_DETAIL and pixels:
        names = _by_sizes(names, pixels)
    return " or ".join(names[:_MOST_NAMES])


def _by_sizes(names: list[str], pixels: Sequence[MatchedShift]) -> list[str]:
    fell = {
        shift.field
        for shift in pixels
        if shift.field in ("width", "height")
        and shift.effect <= -_LEAST_SCALING
        and shift.p_value <= PIXEL_LEVEL
    }
    if len(fell) == 1:
        return [_SQUASHED, _CROPPED]
    if fell:
        # Blurred is what scaling down looks like; squashing leaves one side as it was.
        smaller = [_SCALED if name == _BLURRED else name for name in names if name != _SQUASHED]
        return list(dict.fromkeys(smaller)) or names
    return list(dict.fromkeys(_BLURRED if name == _SCALED else name for name in names))
