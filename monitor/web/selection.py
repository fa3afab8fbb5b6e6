"""Some points of a cloud: which they are, what sets them apart, and the rows themselves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor.errors import InvalidInputError
from monitor.web.cloud import Cloud

MAX_CORNERS: Final = 600
_MOST_TRAITS: Final = 12
_LEAST_SHARE: Final = 0.02
"""Of the selected rows: what fewer have in common says nothing of them."""


@dataclass(frozen=True)
class Chosen:
    """Which points are meant: those that fulfil all that is given.

    Parameters
    ----------
    polygon
        Corners in [-1, 1], as the map has them; three or more, or none.
    side
        "baseline" or "window"; None for both.
    cluster
        A cluster's number.
    column, value
        A metadata column and one of its categories.
    novel
        Only rows farther from their centroid than 99 % of the baseline's.
    hidden
        What the legend hides: "side:0", "cluster:3,4" or "column:NAME:0", by numbers of categories.
    """

    polygon: tuple[tuple[float, float], ...] = ()
    side: str | None = None
    cluster: int | None = None
    column: str | None = None
    value: str | None = None
    novel: bool = False
    hidden: str = ""

    def mask(self, cloud: Cloud) -> NDArray[np.bool_]:
        """(n,) the points that are meant.

        Raises
        ------
        InvalidInputError
            If there is no such column or value.
        """
        mask = np.ones(len(cloud), dtype=bool)
        if self.side is not None:
            mask &= cloud.is_window == (self.side == "window")
        if self.cluster is not None:
            mask &= cloud.cluster == self.cluster
        if self.novel:
            mask &= cloud.distance > 1
        if self.column is not None:
            codes = cloud.codes(self.column)
            if self.value not in codes.names:
                raise InvalidInputError(
                    f"column {self.column!r} has no value {self.value!r}; it has: "
                    f"{', '.join(codes.names)}"
                )
            mask &= codes.values == codes.names.index(self.value)
        if self.hidden:
            mask &= ~_is_hidden(cloud, self.hidden)
        if self.polygon:
            mask &= inside(cloud.xy, self.polygon)
        return mask


@dataclass(frozen=True)
class Trait:
    """Something that selected rows have more often, or less often, than all others.

    Parameters
    ----------
    what, value
        The column, "cluster" or "side", and its value.
    share, share_of_others
        How many of the selected rows have it, and of the others, in [0, 1].
    lift
        Their ratio; infinite where no other row has it.
    """

    what: str
    value: str
    share: float
    share_of_others: float
    lift: float


@dataclass(frozen=True, eq=False)
class Selection:
    """What was selected.

    Parameters
    ----------
    points
        Rising numbers of the points.
    n_baseline, n_window
        How many of each side.
    traits
        What sets them apart, the strongest first.
    """

    points: NDArray[np.int64]
    n_baseline: int
    n_window: int
    traits: tuple[Trait, ...]


def select(cloud: Cloud, chosen: Chosen) -> Selection:
    """The points that are meant, with what sets them apart from all others.

    Raises
    ------
    InvalidInputError
        If there is no such column or value.
    """
    mask = chosen.mask(cloud)
    points = np.flatnonzero(mask)
    n_window = int((mask & cloud.is_window).sum())
    return Selection(points, len(points) - n_window, n_window, _traits(cloud, mask))


def parse_polygon(text: str) -> tuple[tuple[float, float], ...]:
    """The corners in a text such as "0,0;1,0;1,1".

    Raises
    ------
    InvalidInputError
        If it is no polygon.

    Examples
    --------
    >>> parse_polygon("0,0;1,0;1,1")
    ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    """
    if not text:
        return ()
    corners = text.split(";")
    if not 3 <= len(corners) <= MAX_CORNERS:
        raise InvalidInputError(
            f"a polygon has 3 to {MAX_CORNERS} corners, this one {len(corners)}"
        )
    numbers = []
    for corner in corners:
        x, _, y = corner.partition(",")
        try:
            numbers.append((float(x), float(y)))
        except ValueError as error:
            raise InvalidInputError(
                f"{corner[:40]!r} is no corner: give x,y pairs with semicolons between them, such as "
                "0,0;1,0;1,1"
            ) from error
    if not all(math.isfinite(c) and abs(c) <= 10 for corner in numbers for c in corner):
        raise InvalidInputError("the corners of a polygon lie between -10 and 10")
    return tuple(numbers)


def inside(xy: NDArray[np.float32], polygon: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    """Which points lie in a polygon, by the even-odd rule (Shimrat 1962).

    Examples
    --------
    >>> corners = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]
    >>> inside(np.array([[0.9, 0.5], [0.1, 0.5]], dtype=np.float32), corners).tolist()
    [True, False]
    """
    corners = np.asarray(polygon, dtype=np.float64)
    low, high = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero(((xy >= low) & (xy <= high)).all(axis=1))
    x, y = xy[near, 0].astype(np.float64), xy[near, 1].astype(np.float64)
    is_inside = np.zeros(len(near), dtype=bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 == y2:
            continue
        crosses = (y1 > y) != (y2 > y)
        is_inside ^= crosses & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    mask = np.zeros(len(xy), dtype=bool)
    mask[near[is_inside]] = True
    return mask


def _is_hidden(cloud: Cloud, hidden: str) -> NDArray[np.bool_]:
    what, _, numbers = hidden.rpartition(":")
    try:
        codes = [int(number) for number in numbers.split(",")]
    except ValueError as error:
        raise InvalidInputError(
            f"hidden={hidden[:60]!r} is not understood: give such as cluster:3,4"
        ) from error
    values: NDArray[np.integer]
    if what == "novelty":
        values = np.minimum(cloud.distance * 5, 7).astype(np.int64)
    elif what in {"side", "cluster", "window"}:
        by_name = {"side": cloud.is_window, "cluster": cloud.cluster, "window": cloud.window}
        values = by_name[what].astype(np.int64)
    else:
        values = cloud.codes(what.removeprefix("column:")).values
    return np.isin(values, codes)


def _traits(cloud: Cloud, mask: NDArray[np.bool_]) -> tuple[Trait, ...]:
    n, n_others = int(mask.sum()), int((~mask).sum())
    if not n or not n_others:
        return ()
    side = cloud.is_window.astype(np.uint8)
    kinds: list[tuple[str, tuple[str, ...], NDArray[np.unsignedinteger[Any]]]]
    kinds = [("side", ("baseline", "window"), side)]
    clusters = tuple(str(k) for k in range(cloud.baseline.n_clusters))
    kinds.append(("cluster", clusters, cloud.cluster))
    for name in cloud.columns:
        codes = cloud.codes(name)
        kinds.append((name, codes.names, codes.values))
    traits = []
    for what, names, values in kinds:
        all_counts = np.bincount(values, minlength=len(names))
        counts = np.bincount(values[mask], minlength=len(names))
        others = (all_counts - counts) / n_others
        for name, share, other in zip(names, (counts / n).tolist(), others.tolist(), strict=False):
            if share >= _LEAST_SHARE and share > other:
                traits.append(Trait(what, name, share, other, share / other if other else math.inf))
    # The gain in shares says more than the ratio: a rare value may have any ratio.
    strongest = sorted(traits, key=lambda t: (t.share_of_others - t.share, t.what, t.value))
    return tuple(strongest[:_MOST_TRAITS])
