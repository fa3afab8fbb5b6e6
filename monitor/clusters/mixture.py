"""What windows are compared with, in another mix of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.baseline_statistics import BaselineStatistics
from monitor.clusters.sketch import WindowSketch


def mixed(parts: Sequence[BaselineStatistics], rows: Sequence[int]) -> BaselineStatistics:
    """What rows of several kinds are compared with: the statistics of each kind, in the mix of these rows.

    The mean of the parts' distributions with weights w has the variance of Σ w² / N of a row's; so it
    counts as 1 / Σ (w² / N) rows.

    Parameters
    ----------
    parts
        Of each kind, such as a day of the week; without drift the rows come from them.
    rows
        How many rows are of each.
    """
    if len(parts) == 1:
        return parts[0]
    weights = np.array(rows) / sum(rows)
    n_rows = effective_rows([part.sketch.n for part in parts], weights)
    n_held_out = effective_rows([part.n_held_out for part in parts], weights)
    sketch = _scaled(parts[0].sketch, n_rows * weights[0])
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        sketch = sketch + _scaled(part.sketch, n_rows * weight)
    counts = [part.variation.counts for part in parts if part.variation is not None]
    variation = parts[0].variation
    return replace(
        parts[0],
        sketch=sketch,
        n_held_out=round(n_held_out),
        mean_moments=_averaged([part.mean_moments for part in parts], weights),
        whitened_moments=_averaged([part.whitened_moments for part in parts], weights),
        kernel_moments=_averaged([part.kernel_moments for part in parts], weights),
        # Rows of one part would stand for all of them.
        sample=parts[0].sample[:0],
        fit_sample=parts[0].fit_sample[:0],
        variation=None
        if variation is None or len(counts) < len(parts)
        else replace(variation, counts=np.concatenate(counts)),
    )


def effective_rows(sizes: Sequence[int] | NDArray[np.int64], weights: NDArray[np.float64]) -> float:
    """1 / Σ (w² / N): how many rows of one distribution tell its mean as well as parts of N rows do."""
    return 0.0 if min(sizes) == 0 else float(1 / (weights**2 / np.array(sizes)).sum())


def _averaged(
    values: Sequence[NDArray[np.float64]], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.asarray(weights @ np.stack(values))


def _scaled(sketch: WindowSketch, n_rows: float) -> WindowSketch:
    """The same shares and cluster means of about `n_rows` rows."""
    counts = sketch.histogram.counts
    scaled = np.rint(counts * (n_rows / max(sketch.n, 1))).astype(np.int64)
    ratio = np.divide(scaled, counts, out=np.zeros(len(counts)), where=counts > 0)
    of_measured = min(n_rows, sketch.n_measured) / max(sketch.n_measured, 1)
    of_quality = n_rows / max(0 if sketch.quality is None else sketch.quality.n, 1)
    nearness = np.rint(sketch.nearness_counts * of_measured).astype(np.int64)
    n_measured = int(nearness.sum())
    per_row = n_measured / max(sketch.n_measured, 1)
    return replace(
        sketch,
        histogram=replace(sketch.histogram, counts=scaled),
        cluster_units=np.rint(sketch.cluster_units * ratio[:, None]).astype(np.int64),
        nearness_counts=nearness,
        kernel_units=np.rint(sketch.kernel_units * per_row).astype(np.int64),
        n_measured=n_measured,
        quality=None if sketch.quality is None else sketch.quality.scaled(of_quality),
        rows=None,
    )
