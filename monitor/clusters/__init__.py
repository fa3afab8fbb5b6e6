"""Vectors ─► clusters ─► histogram: fitting, choosing, counting. Pure numbers, no I/O but a file."""

from monitor.clusters.autocorrelation import (
    UNRELATED,
    Autocorrelation,
    autocorrelation_of_means,
)
from monitor.clusters.baseline import Baseline
from monitor.clusters.baseline_rows import RowWindows
from monitor.clusters.baseline_statistics import BaselineStatistics
from monitor.clusters.content import most_repeated
from monitor.clusters.example import Example
from monitor.clusters.experience import with_experience
from monitor.clusters.far_rows import FarRows
from monitor.clusters.fit_facts import FitFacts
from monitor.clusters.fitting import Clustering, RowMetadata, fit, fit_rows
from monitor.clusters.harmonic_mean import combine_p_values
from monitor.clusters.histogram import ClusterHistogram
from monitor.clusters.known_rows import KnownRows, Movements, draw_rows, neighbours
from monitor.clusters.mixture import mixed
from monitor.clusters.quality_sketch import QualityReference, QualitySketch, fit_quality
from monitor.clusters.replayed_windows import RATIOS, ReplayedWindows
from monitor.clusters.scaling import Scaling
from monitor.clusters.sketch import WindowSketch
from monitor.clusters.strata import RowContexts, Strata
from monitor.clusters.twins import MANY_TWINS
from monitor.clusters.value_table import ValueTable, count_values, fit_values
from monitor.clusters.variation import Variation
from monitor.clusters.words import Name, Words

__all__ = [
    "MANY_TWINS",
    "RATIOS",
    "UNRELATED",
    "Autocorrelation",
    "Baseline",
    "BaselineStatistics",
    "ClusterHistogram",
    "Clustering",
    "Example",
    "FarRows",
    "FitFacts",
    "KnownRows",
    "Movements",
    "Name",
    "QualityReference",
    "QualitySketch",
    "ReplayedWindows",
    "RowContexts",
    "RowMetadata",
    "RowWindows",
    "Scaling",
    "Strata",
    "ValueTable",
    "Variation",
    "WindowSketch",
    "Words",
    "autocorrelation_of_means",
    "combine_p_values",
    "count_values",
    "draw_rows",
    "fit",
    "fit_quality",
    "fit_rows",
    "fit_values",
    "mixed",
    "most_repeated",
    "neighbours",
    "with_experience",
]
