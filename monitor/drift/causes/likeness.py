"""How well suspected changes of all images explain what a window's mean did."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from monitor.clusters import KnownRows, Movements, neighbours

_LEAST_LIKENESS: Final = 0.4
"""The part of the mean's squared movement that a change of the images must explain to be named. Of other
people's photos no such change explains more than about 0.3; a true one that hits a fifth of the rows, 0.7."""
_LIKENESS_OF_UNKNOWN: Final = 0.7
"""The same where the changed rows are like nothing known also with the change undone. Other content may lie
half along any change that makes images unlike the baseline's: of a baseline of one garment, others lay along
images turned, squashed or upside down in 25 of 162 windows, by up to 0.65, and receipts along text drawn over
photos (0.41). At 0.65 to 0.7 seven of these are left, and as many true changes are named as without it."""
_FAR: Final = 1.25
"""Rows are like nothing known whose median distance to the nearest is so many times that of known rows."""
_LEAST_LOOKED_AT: Final = 8
"""Fewer changed rows are looked at together with all others: alone they are the window's extremes."""
_TOLD_APART: Final = 2.0
"""A change is told from another that leaves so many times as much of the squared movement unexplained: no
suspect is just what was done, and of two that miss about as much either may be nearer to it."""
_LIKENESS_LEVEL: Final = 0.001
"""How often chance may move a mean that far along any of the suspected changes."""


@dataclass(frozen=True)
class Likeness:
    """How well one change of the images explains what a window did.

    Parameters
    ----------
    name
        What is done to an image.
    explained
        The part of the squared movement of the mean that lies along this change's own movement, sampling
        noise taken off; 1 for all, near 0 for an unrelated one.
    share, deviation
        The share of rows that it would have been done to, and its standard error.
    leaves_unknown
        Whether the changed rows are like nothing known also with it undone; looked at where that decides.
    """

    name: str
    explained: float
    share: float
    deviation: float
    leaves_unknown: bool = False

    @property
    def clearness(self) -> float:
        """The movement along this change, in standard errors."""
        return self.share / max(self.deviation, 1e-300)

    def is_clear(self, among: int) -> bool:
        """Whether it explains enough, and more than chance does along any of so many changes."""
        least = _LIKENESS_OF_UNKNOWN if self.leaves_unknown else _LEAST_LIKENESS
        z = float(stats.norm.isf(_LIKENESS_LEVEL / max(among, 1)))
        return self.explained >= least and self.clearness >= z

    def is_alike(self, other: Likeness) -> bool:
        """Whether another one leaves less than twice as much of the movement unexplained."""
        return other is not self and 1 - other.explained < _TOLD_APART * (1 - self.explained)


@dataclass(frozen=True, eq=False)
class MeanShift:
    """How a window's mean moved, in whitened coordinates.

    Parameters
    ----------
    moved
        (width,) the window's mean less the known rows'.
    covariance
        (width, width), of a known row.
    f
        1/n + 1/m of n and m rows: so much of a row's covariance is the movement's without drift.
    """

    moved: NDArray[np.float64]
    covariance: NDArray[np.float64]
    f: float

    @cached_property
    def beyond(self) -> float:
        """The squared movement above chance."""
        return float(self.moved @ self.moved) - self.f * float(np.trace(self.covariance))

    @cached_property
    def clearness(self) -> float:
        """The same in standard deviations of chance."""
        squared = float(np.einsum("ij,ji->", self.covariance, self.covariance))
        return self.beyond / max(self.f * math.sqrt(2 * squared), 1e-300)

    def likeness(self, name: str, direction: NDArray[np.float64]) -> Likeness | None:
        """Of a change that moves rows by `direction`, (width,); None where the mean did not move its way."""
        squared = float(direction @ direction)
        along = float(self.moved @ direction)
        if squared <= 0 or along <= 0:
            return None
        noise = self.f * float(direction @ self.covariance @ direction) / squared
        return Likeness(
            name,
            explained=(along**2 / squared - noise) / self.beyond,
            share=along / squared,
            deviation=math.sqrt(noise / squared),
        )


def likenesses(
    shift: MeanShift,
    axes: NDArray[np.float64],
    movements: Movements | None,
    rows: NDArray[np.float32],
    known: KnownRows,
) -> tuple[Likeness, ...]:
    """Of the changes that the baseline knows and the mean moved along, the likest first.

    Parameters
    ----------
    shift
        What the mean did.
    axes
        (width, width), which bring vectors to its coordinates.
    movements
        What is known of changes of the images; None for nothing.
    rows
        (n, width) the window's rows that changed: a change of the images leaves them like known rows once it
        is undone. All rows where that is not known.
    known
        Rows of the baseline.
    """
    if movements is None:
        return ()
    found = []
    # As they are, too: where few of them changed, undoing it moves the others away.
    are_unknown = cache(lambda: _are_unknown(rows, known))
    for name, vector in zip(movements.names, movements.vectors, strict=True):
        likeness = shift.likeness(name, vector.astype(np.float64) @ axes)
        if likeness is None:
            continue
        if _LEAST_LIKENESS <= likeness.explained < _LIKENESS_OF_UNKNOWN:
            leaves_unknown = are_unknown() and _are_unknown(rows - vector, known)
            likeness = replace(likeness, leaves_unknown=leaves_unknown)
        found.append(likeness)
    return tuple(sorted(found, key=lambda likeness: -likeness.explained))


def rows_looked_at(
    window: NDArray[np.float32], changed: NDArray[np.int64] | None
) -> NDArray[np.float32]:
    """The rows of a window that `likenesses` looks at, of those that more likely changed than not."""
    return window if changed is None or len(changed) < _LEAST_LOOKED_AT else window[changed]


def _are_unknown(rows: NDArray[np.float32], known: KnownRows) -> bool:
    """Whether most of the rows are like nothing known."""
    far = _FAR * float(np.median(known.own_neighbours[0]))
    return float(np.median(neighbours(rows, known.vectors)[0])) > far
