"""Vectors ─► clusters ─► histogram: fitting, choosing, counting. Pure numbers, no I/O but a file."""

from monitor.clusters.baseline import Baseline, Example, Scaling
from monitor.clusters.fitting import fit
from monitor.clusters.histogram import ClusterHistogram
from monitor.clusters.kmeans import largest_repeated_share
from monitor.clusters.reference import Reference
from monitor.clusters.sketch import WindowSketch

__all__ = [
    "Baseline",
    "ClusterHistogram",
    "Example",
    "Reference",
    "Scaling",
    "WindowSketch",
    "fit",
    "largest_repeated_share",
]
