"""A drifted window beside the baseline's known rows, as points of a map."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Example
from monitor.clusters.kmeans import assign
from monitor.clusters.plane import Plane
from monitor.drift import RowEvidence
from monitor.pipeline.changed import ChangedRowsOf
from monitor.reports import WindowDrift
from monitor.reports.window_map import MOST_POINTS, STEPS, UNCHANGED, Points, WindowMap

_MARGIN = 0.04


def window_map(window: WindowDrift, rows: ChangedRowsOf, evidence: RowEvidence) -> WindowMap | None:
    """Where the rows of `window` lie among the baseline's; None where there is no plane.

    The plane is that of the known rows, so that windows do not move it.
    """
    placed, of_window = rows.placed, rows.window
    known = placed.baseline.known
    if known is None or len(known) < 2 or placed.baseline.width < 2:
        return None
    plane = Plane.of(known.vectors)
    before, after = plane.place(known.vectors), plane.place(placed.scaled[of_window.at])
    low = np.minimum(before.min(axis=0), after.min(axis=0))
    span = np.maximum(before.max(axis=0), after.max(axis=0)) - low
    low, span = low - _MARGIN * span, np.maximum(span * (1 + 2 * _MARGIN), np.finfo(float).tiny)
    at, groups = rows.grouped(evidence)
    group = np.full(len(after), UNCHANGED)
    group[at] = groups
    gone = evidence.parts.gone if window.vanished else np.zeros(len(known), dtype=bool)
    labels = rows.examples.labels(of_window.rows)
    return WindowMap(
        before=_points(
            (before - low) / span,
            assign(known.vectors, placed.baseline.centroids)[0],
            np.where(gone, 0, UNCHANGED),
            _named([example.row for example in known.examples], _before(window, rows)),
        ),
        after=_points(
            (after - low) / span,
            placed.labels[of_window.at],
            group,
            _named(labels, {example.row for example in _after(window)}),
        ),
        explained=plane.explained,
    )


def _points(
    places: NDArray[np.float64],
    cluster: NDArray[np.int64],
    group: NDArray[np.int64],
    rows: dict[str, int],
) -> Points:
    kept = np.arange(len(places))
    if len(kept) > MOST_POINTS:
        # Those that have a picture, and others as they come.
        order = np.random.default_rng(0).permutation(len(kept))
        named = np.array(sorted(rows.values()), dtype=np.int64)
        kept = np.sort(np.concatenate([named, order[~np.isin(order, named)]])[:MOST_POINTS])
    position = {int(row): i for i, row in enumerate(kept)}
    x, y = np.clip(np.round(places[kept] * STEPS), 0, STEPS).astype(np.int64).T
    return Points(
        x,
        y,
        cluster[kept].astype(np.int64),
        group[kept].astype(np.int64),
        {label: position[row] for label, row in rows.items() if row in position},
    )


def _named(labels: list[str], wanted: Collection[str]) -> dict[str, int]:
    return {label: i for i, label in enumerate(labels) if label in wanted}


def _after(window: WindowDrift) -> chain[Example]:
    """The rows of the window that a report may show."""
    return chain(
        (row.example for row in window.changed[:MOST_POINTS]),
        *(group.examples for group in window.groups),
        *window.examples,
        window.novel_examples,
    )


def _before(window: WindowDrift, rows: ChangedRowsOf) -> set[str]:
    shown = chain(
        (row.nearest for row in window.changed if row.nearest is not None),
        *(group.examples for group in window.vanished),
        *rows.placed.baseline.examples,
    )
    return {example.row for example in shown}
