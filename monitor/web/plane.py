"""Where rows lie on the map: fitted on the baseline once, so that windows are placed in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitor.clusters.plane import Plane

if TYPE_CHECKING:
    from monitor.clusters import Baseline


def plane_of(baseline: Baseline) -> Plane:
    """The plane of the rows that the baseline keeps whole, or of its centroids."""
    rows = baseline.centroids
    if baseline.known is not None and len(baseline.known) > 1:
        rows = baseline.known.vectors
    plane = Plane.of(rows)
    # Vectors of one number, or a baseline of one known row, have but one axis.
    missing = np.zeros((2 - len(plane.axes), rows.shape[1]))
    return Plane(plane.centre, np.concatenate([plane.axes, missing]), plane.explained)
