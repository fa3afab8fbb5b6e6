"""Whether what pixels and sides of the images did agrees with a suspected change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.drift.causes.likeness import Likeness
from monitor.drift.causes.matched import MatchedShift, cliffs_delta

Side = NDArray[np.float64]

SQUASHED: Final = {"height": "squashed", "width": "squashed sideways"}
"""By the side that became shorter."""
_LETTERBOXED: Final = frozenset({"letterboxed", "letterboxed in white"})
_LEAST_OF_EXPECTED: Final = 0.7
"""Cliff's delta of a side over what is expected of it, at least: of squashed photos it is 0.9 to 1.1."""
_LEAST_EXPECTED: Final = 0.2
"""Less than that is not looked for: square images have the same sides when they are turned."""
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


def _letterboxed(width: Side, height: Side) -> tuple[Side, Side]:
    longer = np.maximum(width, height)
    return np.where(width == height, longer * 4 / 3, longer), longer


_RESHAPED: Final[Mapping[str, Callable[[Side, Side], tuple[Side, Side]]]] = MappingProxyType(
    {
        "squashed": lambda width, height: (width, height * 3 / 5),
        "squashed sideways": lambda width, height: (width * 3 / 5, height),
        "turned by 90°": lambda width, height: (height, width),
        **dict.fromkeys(_LETTERBOXED, _letterboxed),
    }
)
"""What suspected changes (`monitor.images.suspects`) do to width and height."""


@dataclass(frozen=True, eq=False)
class Sides:
    """Width and height of known images, and of those that they are most like.

    Parameters
    ----------
    known, nearest
        (m, 2) float, pixels.
    """

    known: NDArray[np.floating]
    nearest: NDArray[np.floating]

    def expected(self, name: str) -> dict[str, float]:
        """Cliff's delta of each side, within matched content, if that was done to all images.

        Examples
        --------
        >>> portraits = np.array([[400, 533], [400, 711], [300, 400]] * 10)
        >>> sides = Sides(portraits, np.roll(portraits, 3, axis=0))
        >>> {side: round(float(delta), 2) for side, delta in sides.expected("turned by 90°").items()}
        {'width': 1.0, 'height': -1.0}
        """
        if name not in _RESHAPED:
            return {}
        known, nearest = (
            np.maximum(s.astype(np.float64), 1e-9) for s in (self.known, self.nearest)
        )
        done = np.column_stack(_RESHAPED[name](*known.T))
        moved, usual = (np.log(side / nearest) for side in (done, known))
        is_there = np.isfinite(moved).all(axis=1) & np.isfinite(usual).all(axis=1)
        if not is_there.any():
            return {}
        return {
            field: cliffs_delta(moved[is_there, at], usual[is_there, at])
            for at, field in enumerate(("width", "height"))
        }


def is_plausible(
    likeness: Likeness, pixels: Sequence[MatchedShift], sides: Sides | None = None
) -> bool:
    """Whether this may have been done to images whose pixel statistics did that within matched content.

    Where pixels show that most images changed, a change of a few of them is not what was done; and one that
    gives images another shape shows in width and height.

    Parameters
    ----------
    likeness
        What is suspected, and of which share of the images.
    pixels
        What the pixel statistics did within matched content; none where nothing is known of them.
    sides
        Of the known images; None where they were not measured.

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
    return sides is None or _sides_allow(likeness, pixels, sides)


def _sides_allow(likeness: Likeness, pixels: Sequence[MatchedShift], sides: Sides) -> bool:
    """Whether width and height have moved as they must have if this was done to the images."""
    expected = sides.expected(likeness.name)
    shifts = [shift for shift in pixels if shift.field in expected]
    if len(shifts) < len(SQUASHED):
        return True
    usual = max(shift.deviation for shift in pixels)
    have_moved = max(abs(shift.effect) for shift in shifts) >= _MOVED
    agrees = [
        shift.effect * np.sign(expected[shift.field]) + _CHANCE * shift.deviation
        >= _LEAST_OF_EXPECTED * abs(expected[shift.field]) * min(likeness.share, 1.0)
        for shift in shifts
        if abs(expected[shift.field]) >= _LEAST_EXPECTED
        and (have_moved or shift.deviation >= _LEAST_VARIED * usual)
    ]
    # Bars may have been added at one side alone.
    return not agrees or (any if likeness.name in _LETTERBOXED else all)(agrees)
