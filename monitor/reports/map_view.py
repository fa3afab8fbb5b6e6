"""A window's map as the page draws it: packed numbers for a canvas, a path for readers without scripts."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.reports.findings import WindowDrift
from monitor.reports.gallery import Pictures
from monitor.reports.shifts import is_technical
from monitor.reports.window_map import STEPS, UNCHANGED, Points
from monitor.reports.wording import percent, plain, plural

WIDTH, HEIGHT = 720, 400
N_COLOURS: Final = 6
_MOST_STATIC: Final = 400
_MOST_CODE: Final = 255


@dataclass(frozen=True)
class Side:
    """The points of one side.

    Parameters
    ----------
    xy
        Base64 of x, y, x, y, … as unsigned 16-bit integers, little-endian, in [0, 65535], y upwards.
    cluster, group
        Base64 of unsigned bytes, one a point; the group plus 1, 0 for a point that did not change.
    n
        How many points there are.
    """

    xy: str
    cluster: str
    group: str
    n: int


@dataclass(frozen=True)
class MapView:
    """A map.

    Parameters
    ----------
    before, after
        The baseline's and the window's points.
    pictures
        JSON: [side, point, number of the picture or −1, label] of each point that is known by name.
    static
        SVG paths by the name of their class, some of the points of each.
    groups
        What the groups are called, in words.
    is_lost
        Whether points of the baseline have vanished.
    title
        What is seen, in a sentence.
    mode
        What is coloured at first: "group", or "side" where nearly all rows changed in the same way.
    """

    before: Side
    after: Side
    pictures: str
    static: tuple[tuple[str, str], ...]
    groups: tuple[str, ...]
    is_lost: bool
    title: str
    mode: str


def map_view(window: WindowDrift, pictures: Pictures, most: int) -> MapView | None:
    """The map of a window with at most `most` points a side; None where it has none."""
    plane = window.map
    if plane is None or not (len(plane.before) and len(plane.after)):
        return None
    names, static = [], []
    sides = []
    for side, points in enumerate((plane.before, plane.after)):
        kept = _few(points, most)
        sides.append(_side(points, kept))
        position = {int(point): i for i, point in enumerate(kept)}
        sources = _sources(window, side)
        for label, point in points.rows.items():
            if point in position:
                number = pictures.number_of(sources.get(label))
                name = f"row {plain(label)}"
                names.append([side, position[point], -1 if number is None else number, name])
        static += _static(points, _few(points, _MOST_STATIC), "before" if side == 0 else "after")
    groups = tuple(
        f"{plain(group.name) or f'group {i + 1}'}, {percent(group.share)}"
        for i, group in enumerate(window.groups)
    )
    return MapView(
        before=sides[0],
        after=sides[1],
        # In an attribute, which the template escapes.
        pictures=json.dumps(names, ensure_ascii=True, separators=(",", ":")),
        static=tuple(static),
        groups=groups,
        is_lost=bool((plane.before.group != UNCHANGED).any()),
        title=(
            f"{plural(len(plane.after), 'row')} of this window among {len(plane.before):,} of the baseline, "
            f"in the two directions in which the baseline varies most ({percent(plane.explained)} of its "
            "variance)"
        ),
        mode="side" if is_technical(window) else "group",
    )


def _sources(window: WindowDrift, side: int) -> dict[str, str]:
    """Source cells by row label, of rows that the page may show."""
    if side == 0:
        shown = [row.nearest for row in window.changed if row.nearest is not None]
        shown += [example for group in window.vanished for example in group.examples]
    else:
        shown = [example for group in window.groups for example in group.examples]
        shown += [row.example for row in window.changed]
        shown += [example for examples in window.examples for example in examples]
    return {e.row: e.source for e in shown if e.source is not None}


def _few(points: Points, most: int) -> NDArray[np.int64]:
    """Which points are drawn: those that changed or are known by name first."""
    n = len(points)
    if n <= most:
        return np.arange(n)
    is_first = points.group != UNCHANGED
    named = np.array(list(points.rows.values()), dtype=np.int64)
    is_first[named[named < n]] = True
    order = np.random.default_rng(0).permutation(n)
    order = order[np.argsort(~is_first[order], kind="stable")]
    return np.sort(order[:most])


def _side(points: Points, kept: NDArray[np.int64]) -> Side:
    xy = np.stack([points.x[kept], points.y[kept]], axis=1).clip(0, STEPS)
    return Side(
        _packed(xy.astype("<u2")),
        _packed(points.cluster[kept].clip(0, _MOST_CODE).astype(np.uint8)),
        _packed((points.group[kept] + 1).clip(0, _MOST_CODE).astype(np.uint8)),
        len(kept),
    )


def _packed(values: NDArray[np.unsignedinteger]) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")


def _static(points: Points, kept: NDArray[np.int64], side: str) -> list[tuple[str, str]]:
    """A path for each group: a dot is a line of no length with round ends."""
    paths = []
    for group in np.unique(points.group[kept]).tolist():
        of_group = kept[points.group[kept] == group]
        x = np.round(points.x[of_group] / STEPS * WIDTH).astype(int)
        y = np.round((1 - points.y[of_group] / STEPS) * HEIGHT).astype(int)
        css = side if group == UNCHANGED else f"{side} g{group % N_COLOURS}"
        dots = "".join(f"M{a} {b}h0" for a, b in zip(x.tolist(), y.tolist(), strict=True))
        paths.append((css, dots))
    return paths
