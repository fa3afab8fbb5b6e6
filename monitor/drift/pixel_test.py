"""The pixel test: did the images' pixels change, whatever the vectors did?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from monitor.clusters.pixel_scores import PixelDifference
from monitor.drift.comparison import Comparison, Ratio
from monitor.drift.judgement import Judgement
from monitor.drift.mean_null import MeanNull
from monitor.drift.subtest import SubTest


@dataclass(frozen=True, eq=False)
class PixelNull:
    """The ranks of the images' pixel statistics, of all fields together, held against the baseline's."""

    comparison: Comparison

    @cached_property
    def difference(self) -> PixelDifference:
        """How far the mean scores lie apart."""
        comparison = self.comparison
        reference, window = comparison.reference.quality, comparison.window.quality
        quality = comparison.baseline.quality
        assert reference is not None
        assert window is not None
        assert quality is not None
        return PixelDifference.of(reference.table, window.table, quality.correlations)

    @property
    def statistic(self) -> float:
        """The squared distance of the mean scores, ≥ 0."""
        return self.difference.statistic

    @cached_property
    def null(self) -> MeanNull:
        """The distribution of independent rows."""
        difference = self.difference
        return MeanNull.independent(
            difference.moments, max(difference.n_baseline, 1), max(difference.n_window, 1)
        )

    def p_value(self, alpha: float) -> float:
        """By three moments, or by the law of the baseline's windows."""
        return self.null.p_value_beside(self.comparison, "pixels", self.statistic)

    def effect(self) -> float:
        """The least share of rows that must have changed to move a field's mean rank so far."""
        if not self.null.is_known:
            return 0.0
        difference = self.difference
        f = 1 / difference.n_baseline + 1 / difference.n_window
        by_chance = difference.rank_variances * f * self.comparison.mean_ratio("pixels")
        beyond = float((difference.ranks**2 - by_chance).max())
        return min(2 * math.sqrt(max(beyond, 0.0)), 1.0)

    def detectable(self, alpha: float) -> float:
        """NaN: pixels can change in too many ways."""
        return math.nan


class PixelTest(SubTest):
    """Ranks of pixel statistics: their means, their spread and missing ones."""

    def applies(self, comparison: Comparison) -> bool:
        """Where both sides were measured."""
        return (
            comparison.baseline.quality is not None
            and comparison.reference.quality is not None
            and comparison.window.quality is not None
        )

    def null(self, comparison: Comparison) -> PixelNull:
        """The distance of the mean scores, beside that of windows without drift."""
        return PixelNull(comparison)

    def ratio(self, comparison: Comparison) -> Ratio:
        """The statistic over its mean."""
        null = PixelNull(comparison)
        return null.null.ratio(null.statistic)

    def clarity(self, comparison: Comparison) -> float:
        """The statistic less its mean, in standard deviations of independent rows."""
        null = PixelNull(comparison)
        return null.null.clarity(null.statistic)

    def sentence(self, judgement: Judgement) -> str:
        """Whether the vectors saw it too."""
        clear = judgement.alpha / max(len(judgement.tests), 1)
        if any(test.p_value <= clear for test in judgement.tests if test.name != self.name):
            return "The images' pixels changed as well."
        return "The images' pixels changed, though the vectors barely did."


PIXELS: Final = PixelTest(
    name="pixels",
    title="Pixels",
    short_title="pixel statistics",
    sees="other pixels in the images: light, contrast, sharpness, colour, size or compression",
)
