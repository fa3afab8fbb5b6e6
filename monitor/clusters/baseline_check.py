"""Numbers that cannot be a baseline's: a wrong one would give verdicts, not errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitor.clusters.scaling import STANDARD

if TYPE_CHECKING:
    from monitor.clusters.baseline import Baseline


def check(baseline: Baseline) -> None:
    """Refuse such numbers.

    Raises
    ------
    ValueError
        If there are any.
    """
    n_scaled = baseline.width if baseline.scaling.kind == STANDARD else 0
    if len(baseline.scaling.center) != n_scaled:
        raise ValueError(
            f"{len(baseline.scaling.center)} columns are scaled by {baseline.scaling.kind!r}, not {n_scaled}"
        )
    if baseline.quantum <= 0:
        raise ValueError(f"the unit of sums is {baseline.quantum}")
    if (np.diff(baseline.distance_edges) <= 0).any() or (
        np.diff(baseline.nearness_edges) < 0
    ).any():
        raise ValueError("the distance edges do not rise")
    if not isinstance(baseline.feature.get("name"), str):
        raise ValueError("it names no feature")
    if baseline.quality is not None and len(baseline.quality.fields) != len(baseline.quality.edges):
        raise ValueError("the fields of pixel statistics have other names than numbers")
    if baseline.names and len(baseline.names) != baseline.n_clusters:
        raise ValueError(
            f"{len(baseline.names)} names are not those of {baseline.n_clusters} clusters"
        )
    for name, table in baseline.columns.items():
        if len(table.known) + 1 != len(table.counts) or table.new or len(table.new_counts):
            raise ValueError(f"the values of column {name!r} and their counts do not agree")
    baseline.statistics.check()
    in_context = () if baseline.context is None else baseline.context.parts
    for statistics in (*baseline.segments.values(), *baseline.seasons, *in_context):
        statistics.check()
    for every, variation in baseline.finer.items():
        if variation.counts.min() < 0 or variation.counts.sum() > baseline.statistics.sketch.n:
            raise ValueError(f"the counts of windows of {every} and of rows do not agree")
