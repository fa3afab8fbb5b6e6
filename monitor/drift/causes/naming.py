"""What a technical change is called: one suspect, or two that the evidence does not tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from monitor.drift.causes.likeness import Likeness
from monitor.drift.causes.matched import MatchedShift
from monitor.drift.causes.pixels import QualityShift
from monitor.drift.causes.plausibility import SQUASHED

PIXEL_LEVEL: Final = 0.001
_LEAST_SCALING: Final = 0.3
"""Cliff's delta of the images' sizes from which on they changed."""
_MOST_NAMES: Final = 2
_MOST_RESIZED: Final = 0.5
"""The same from which on sizes alone tell what was done: at least half of the images have another."""
_SCALED, _BLURRED, _CROPPED = "scaled down", "blurred", "cropped"
_OF_DETAIL: Final = frozenset({_SCALED, _BLURRED, _CROPPED, *SQUASHED.values(), "compressed hard"})
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
    >>> bars = [Likeness(name, 0.8, 0.6, 0.02) for name in ("letterboxed in white", "letterboxed")]
    >>> change_name(bars, [])
    'letterboxed'
    >>> narrower = [MatchedShift("width", -0.9, 1e-9), MatchedShift("height", 0.0, 1.0)]
    >>> change_name(alike, narrower)
    'squashed sideways or cropped'
    """
    names = list(dict.fromkeys(likeness.name for likeness in likest))
    # "letterboxed or letterboxed in white" says no more than its first word.
    names = [a for a in names if not any(a != b and a.startswith(b) for b in names)]
    if names[0] in _OF_DETAIL and pixels:
        names = _by_sizes(names, pixels)
    return " or ".join(names[:_MOST_NAMES])


def pixel_name(moved: MatchedShift | QualityShift, pixels: Sequence[MatchedShift]) -> str:
    """What images are called whose pixels alone tell of a change, such as "sharpness fell".

    Parameters
    ----------
    moved
        The statistic that moved most.
    pixels
        What all of them did. Smaller and larger images say more than bytes per pixel do.

    Examples
    --------
    >>> smaller = [MatchedShift(field, -0.9, 1e-9) for field in ("width", "height")]
    >>> denser = MatchedShift("bytes_per_pixel", 0.95, 1e-9)
    >>> pixel_name(denser, [denser, *smaller]), pixel_name(denser, [denser])
    ('cropped or scaled down', 'bytes per pixel rose')
    >>> wider = [MatchedShift("width", 0.9, 1e-9), MatchedShift("height", 0.0, 1.0)]
    >>> pixel_name(wider[0], wider)
    'letterboxed or stretched'
    """
    shorter = _moved_sides(pixels, -_MOST_RESIZED)
    if len(shorter) == 1:
        return " or ".join([*(SQUASHED[side] for side in shorter), _CROPPED])
    if shorter:
        return f"{_CROPPED} or {_SCALED}"
    if longer := _moved_sides(pixels, _MOST_RESIZED):
        return "letterboxed or stretched" if len(longer) == 1 else "scaled up or letterboxed"
    return f"{moved.field.replace('_', ' ')} {'rose' if moved.effect > 0 else 'fell'}"


def _moved_sides(pixels: Sequence[MatchedShift], least: float) -> list[str]:
    """The sides that became longer by at least so much; shorter, where `least` is negative."""
    return [
        shift.field
        for shift in pixels
        if shift.field in SQUASHED
        and shift.effect * np.sign(least) >= abs(least)
        and shift.p_value <= PIXEL_LEVEL
    ]


def _by_sizes(names: list[str], pixels: Sequence[MatchedShift]) -> list[str]:
    shorter = _moved_sides(pixels, -_LEAST_SCALING)
    if len(shorter) == 1:
        return [SQUASHED[shorter[0]], _CROPPED]
    if shorter:
        # Blurred is what scaling down looks like; squashing leaves one side as it was.
        names = [name for name in names if name not in SQUASHED.values()] or names
        smaller = [_SCALED if name == _BLURRED else name for name in names]
        return list(dict.fromkeys(smaller)) or names
    return list(dict.fromkeys(_BLURRED if name == _SCALED else name for name in names))
