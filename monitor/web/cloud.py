"""The map of a feature: the baseline and some windows as one cloud of points, each column an array."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Baseline
from monitor.errors import InvalidInputError
from monitor.store.lines import WindowLine
from monitor.web import index
from monitor.web.codes import Codes, coded
from monitor.web.index import Part

_EDGE: Final = 0.985
"""Where those stand: far enough inside to be seen whole."""
_FAR: Final = 0.002
"""The share of rows at each end of an axis that may lie at the edge: a few must not shrink all others."""


@dataclass(frozen=True, eq=False)
class Placed:
    """A part in a cloud.

    Parameters
    ----------
    part
        Its rows.
    window
        Which window it is; None for the baseline.
    rows
        The rows that are shown, rising.
    first
        The number of its first point.
    """

    part: Part
    window: WindowLine | None
    rows: NDArray[np.int64]
    first: int


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points with their columns, (n,) each.

    Parameters
    ----------
    key
        Changes whenever a point could.
    parts
        Where points come from, the baseline first.
    xy
        (n, 2) float32 in [-1, 1].
    cluster
        uint16.
    window
        uint16: 0 for the baseline, else the number of the window in `parts`.
    distance
        float32: to the nearest centroid: above 1 a row is farther than 99 % of the baseline's.
    n_all
        Rows with a vector, also where only a sample is shown.
    columns
        The metadata columns.
    """

    key: str
    parts: tuple[Placed, ...]
    xy: NDArray[np.float32]
    cluster: NDArray[np.uint16]
    window: NDArray[np.uint16]
    distance: NDArray[np.float32]
    n_all: int
    columns: tuple[str, ...]
    baseline: Baseline = field(repr=False)
    _coded: dict[str, Codes] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.xy)

    @property
    def is_window(self) -> NDArray[np.bool_]:
        """(n,) which points are of a window."""
        return self.window > 0

    def placed(self, point: int) -> tuple[Placed, int]:
        """The part of a point, and its row there."""
        for placed in reversed(self.parts):
            if point >= placed.first:
                return placed, int(placed.rows[point - placed.first])
        raise InvalidInputError(f"there is no point {point}")

    def describe(self, points: Sequence[int]) -> list[dict[str, Any]]:
        """Label, source, time and metadata of these points."""
        by_part: dict[int, list[int]] = {}
        for point in points:
            first = self.placed(point)[0].first
            by_part.setdefault(first, []).append(point)
        known: dict[int, dict[str, Any]] = {}
        for members in by_part.values():
            placed = self.placed(members[0])[0]
            rows = [int(placed.rows[point - placed.first]) for point in members]
            columns = [name for name in self.columns if name in placed.part.columns]
            times = placed.part.array("time")
            for point, row, cells in zip(
                members, rows, placed.part.rows(rows, columns), strict=True
            ):
                known[point] = {
                    "point": point,
                    "row": cells.pop(index.ROW_LABEL),
                    "source": cells.pop(index.SOURCE),
                    "time": _time(int(times[row])),
                    "cluster": int(self.cluster[point]),
                    "window": None if placed.window is None else placed.window.start,
                    "distance": float(self.distance[point]),
                    "columns": cells,
                }
        return [known[point] for point in points]

    def codes(self, column: str) -> Codes:
        """A metadata column as categories.

        Raises
        ------
        InvalidInputError
            If there is no such column.
        """
        if column not in self.columns:
            raise InvalidInputError(
                f"the rows have no column {column!r}; they have: {', '.join(self.columns) or 'none'}"
            )
        if column not in self._coded:
            self._coded[column] = coded(self._pieces(column))
        return self._coded[column]

    def _pieces(self, column: str) -> list[Any]:
        import pyarrow as pa

        return [
            placed.part.column(column).take(pa.array(placed.rows))
            if column in placed.part.columns
            else pa.chunked_array([pa.nulls(len(placed.rows), pa.string())])
            for placed in self.parts
        ]


def assemble(
    key: str, parts: Sequence[Part], windows: Sequence[WindowLine], baseline: Baseline, most: int
) -> Cloud:
    """One cloud of these parts, the baseline's first; a sample where they have more than `most` rows."""
    n_all = sum(part.n for part in parts)
    share = min(1.0, most / n_all) if n_all else 1.0
    placed: list[Placed] = []
    first = 0
    for number, part in enumerate(parts):
        rows = np.arange(part.n)
        if share < 1:
            rng = np.random.default_rng(number)
            rows = np.sort(rng.choice(part.n, int(part.n * share), replace=False))
        placed.append(Placed(part, None if number == 0 else windows[number - 1], rows, first))
        first += len(rows)
    xy = np.concatenate([p.part.array("xy")[p.rows] for p in placed])
    radius = baseline.distance_radius or 1.0
    distance = np.concatenate([p.part.array("distance")[p.rows] for p in placed])
    columns = list(dict.fromkeys(name for part in reversed(parts) for name in part.columns))
    return Cloud(
        key=key,
        parts=tuple(placed),
        xy=_framed(xy, placed[0].part.array("xy")),
        cluster=np.concatenate([p.part.array("cluster")[p.rows] for p in placed]),
        window=np.repeat(np.arange(len(placed), dtype=np.uint16), [len(p.rows) for p in placed]),
        distance=np.asarray(distance / np.float32(radius), dtype=np.float32),
        n_all=n_all,
        columns=tuple(columns),
        baseline=baseline,
    )


def _framed(xy: NDArray[np.float32], frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """`xy` in [-1, 1], both axes by the same factor; the few that lie far outside stand at the edge."""
    if not len(xy):
        return xy
    ends = [np.quantile(points, (_FAR, 1 - _FAR), axis=0) for points in (xy, frame) if len(points)]
    low, high = np.min([e[0] for e in ends], axis=0), np.max([e[1] for e in ends], axis=0)
    half = max(float((high - low).max()) / 2 * 1.06, 1e-9)
    framed = np.clip((xy - (low + high) / 2) / half, -_EDGE, _EDGE)
    return np.asarray(framed, dtype=np.float32)


def _time(microseconds: int) -> dt.datetime | None:
    if microseconds == index.NO_TIME:
        return None
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=microseconds)
