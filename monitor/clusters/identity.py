"""The id of a baseline."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.baseline_statistics import BaselineStatistics

if TYPE_CHECKING:
    from monitor.clusters.baseline import Baseline


def identity(baseline: Baseline) -> str:
    """16 hexadecimal digits over everything that a verdict depends on."""
    digest = hashlib.sha256()
    for name, array in sorted(_arrays(baseline).items()):
        digest.update(f"{name}{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    decisive = [
        baseline.name,
        baseline.fingerprint,
        float(baseline.novelty_radius),
        float(baseline.quantum),
        baseline.scaling.kind,
        baseline.segment_column,
        list(baseline.segments),
        list(baseline.columns),
        [
            [
                part.sketch.n_novel,
                part.n_held_out,
                part.n_held_out_novel,
                part.variation and part.variation.every,
            ]
            for part in _references(baseline).values()
        ],
    ]
    digest.update(json.dumps(decisive).encode())
    return digest.hexdigest()[:16]


def _references(baseline: Baseline) -> dict[str, BaselineStatistics]:
    segments = {f"segment{i}": part for i, part in enumerate(baseline.segments.values())}
    seasons = {f"season{i}": part for i, part in enumerate(baseline.seasons)}
    return {"reference": baseline.statistics, **segments, **seasons}


def _arrays(baseline: Baseline) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "centroids": baseline.centroids,
        "whitener": baseline.whitener,
        "scaling.center": baseline.scaling.center,
        "scaling.scale": baseline.scaling.scale,
        "distance_edges": baseline.distance_edges,
    }
    for name, reference in _references(baseline).items():
        sketch, variation = reference.sketch, reference.variation
        arrays[f"{name}.counts"] = sketch.histogram.counts
        arrays[f"{name}.cluster_units"] = sketch.cluster_units
        arrays[f"{name}.distance_counts"] = sketch.distance_counts
        arrays[f"{name}.mean_moments"] = reference.mean_moments
        arrays[f"{name}.whitened_moments"] = reference.whitened_moments
        arrays[f"{name}.window_counts"] = reference.window_counts
        arrays[f"{name}.sample"] = reference.sample
        arrays[f"{name}.fit_sample"] = reference.fit_sample
        if variation is not None:
            arrays[f"{name}.windows.counts"] = variation.counts
            for kind, counted in (("mix", variation.mix), ("novelty", variation.novelty)):
                arrays[f"{name}.windows.{kind}"] = np.array([counted.effects, counted.freedoms])
                arrays[f"{name}.windows.{kind}_all"] = np.array(
                    [counted.correlation, counted.design_effect, counted.freedom, counted.mean_rows]
                )
            for kind, moved in (("plain", variation.plain), ("whitened", variation.whitened)):
                arrays[f"{name}.windows.{kind}_moments"] = np.array([moved.rows, moved.windows])
                arrays[f"{name}.windows.{kind}"] = np.array([moved.mean_size, moved.freedom])
    for i, column in enumerate(baseline.columns.values()):
        arrays[f"column{i}.counts"] = column.counts
    if baseline.quality is not None:
        sketch_of_pixels = baseline.quality.sketch
        arrays["quality.edges"] = baseline.quality.edges
        arrays["quality.counts"] = sketch_of_pixels.counts
        arrays["quality.missing_counts"] = sketch_of_pixels.n_missing
        arrays["quality.least"] = sketch_of_pixels.least
        arrays["quality.greatest"] = sketch_of_pixels.greatest
    return arrays
