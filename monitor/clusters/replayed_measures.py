"""Replayed windows, measured by known rows and kernels as production's are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.baseline_rows import BaselineRows
from monitor.clusters.far_rows import FarRows
from monitor.clusters.known_rows import neighbours
from monitor.clusters.measured_rows import MOMENT_ROWS, about_means, evenly
from monitor.clusters.moments import two_moments_of
from monitor.clusters.pixel_scores import PixelDifference
from monitor.clusters.quality_sketch import N_BINS
from monitor.clusters.row_measures import N_NEARNESS_BINS, NOVEL_FROM, nearness_edges

MAX_OUTSIDE: Final = 5_000
"""So many rows outside a block tell their own distances."""

Mask = NDArray[np.bool_]
Compared = tuple[float, float, float, float]
"""A statistic, its mean for independent rows, and numerator and denominator of its degrees of freedom."""


@dataclass(frozen=True, eq=False)
class ReplayedMeasures:
    """The rows outside a block of windows, and those of the block, measured by known rows from outside.

    Parameters
    ----------
    at
        (m,) the outside rows that are measured.
    bins
        (n,) the bin of nearness of each row that is measured.
    features, places
        (n_measured, N_FEATURES) float32, the weighted features of the rows that are measured; and (n,) where
        each row's are.
    strata
        (n,) those of contexts; empty where there are none.
    pixels
        (n, fields) bins of the rows' pixel statistics; None where there are none.
    correlations
        Of pixel scores.
    """

    at: NDArray[np.int64]
    bins: NDArray[np.int64]
    features: NDArray[np.float32]
    places: NDArray[np.int64]
    strata: NDArray[np.int64]
    pixels: NDArray[np.int64] | None
    correlations: NDArray[np.float64]

    @classmethod
    def of(cls, rows: BaselineRows, is_outside: Mask) -> ReplayedMeasures:
        """All rows of the block, and some of those outside."""
        measured = rows.measured
        assert measured is not None
        outside = np.flatnonzero(is_outside[measured.at])
        outside = outside[evenly(len(outside), MAX_OUTSIDE)]
        at = measured.at[outside]
        inside = np.flatnonzero(~is_outside)
        known_at = measured.known_at[is_outside[measured.known_at]]
        known = rows.vectors[known_at]
        bins = np.zeros(len(is_outside), dtype=np.int64)
        if len(known):
            own, _ = neighbours(rows.vectors[at], known, (measured.kin[at], measured.kin[known_at]))
            edges = nearness_edges(own)
            bins[at] = np.searchsorted(edges, own)
            bins[inside] = np.searchsorted(edges, neighbours(rows.vectors[inside], known)[0])
        kernels = measured.measures.kernels
        of_inside = kernels.features(rows.vectors[inside], is_exact=False)
        features = np.concatenate([measured.features[outside], of_inside])
        features *= kernels.weights_of_features.astype(np.float32)
        places = np.zeros(len(is_outside), dtype=np.int64)
        places[np.concatenate([at, inside])] = np.arange(len(features))
        quality = measured.quality
        has_pixels = quality is not None and measured.pixels is not None
        return cls(
            at=at,
            bins=bins,
            features=features,
            places=places,
            strata=rows.strata,
            pixels=quality.bins(measured.pixels) if quality is not None and has_pixels else None,
            correlations=np.empty((0, 0)) if quality is None else quality.correlations,
        )

    def outside(self, mask: Mask) -> OutsideMeasures:
        """The measured rows outside that are in `mask`, (n,)."""
        at = self.at[mask[self.at]]
        few = at[evenly(len(at), MOMENT_ROWS)]
        features = self.features[self.places[few]]
        if len(self.strata) and len(at):
            moments = about_means(features.astype(np.float64), self.strata[few])[:2]
        else:
            about_mean = features - features.mean(axis=0) if len(at) else features
            moments = two_moments_of(about_mean, len(few) - 1)
        return OutsideMeasures(self, at, moments)


@dataclass(frozen=True, eq=False)
class OutsideMeasures:
    """What the windows of a block are held against: the rows at `at`, and their features' moments."""

    measures: ReplayedMeasures
    at: NDArray[np.int64]
    moments: NDArray[np.float64]

    def compare(self, members: NDArray[np.int64]) -> tuple[int, list[Compared]]:
        """The novel rows among `members`, rows of one window, and their novelty, kernel mean and pixels."""
        measures = self.measures
        own = np.bincount(measures.bins[members], minlength=N_NEARNESS_BINS)
        n_novel = int(own[NOVEL_FROM:].sum())
        if not len(self.at):
            nothing = (np.nan, np.nan, np.nan, np.nan)
            return n_novel, [nothing, nothing, nothing]
        weights = self._weights(members)
        n_rows = 1 / float(weights @ weights)
        shares = np.bincount(measures.bins[self.at], weights, minlength=N_NEARNESS_BINS)
        far_rows = FarRows.of(np.rint(n_rows * shares).astype(np.int64), own)
        centre = self._plain_centre if not len(measures.strata) else weights @ self._features
        moved = measures.features[measures.places[members]].mean(axis=0, dtype=np.float64) - centre
        first, second = self.moments.tolist()
        return n_novel, [
            (far_rows.ratio, 1.0, 1.0, 1.0),
            (float(moved @ moved), (1 / n_rows + 1 / len(members)) * first, first**2, second),
            self._pixels(members, weights, n_rows),
        ]

    @cached_property
    def _features(self) -> NDArray[np.float64]:
        """(m, N_FEATURES) of the rows outside, once for all windows of the block."""
        return self.measures.features[self.measures.places[self.at]].astype(np.float64)

    @cached_property
    def _plain_centre(self) -> NDArray[np.float64]:
        """(N_FEATURES,) their mean, which all windows are held against where there are no contexts."""
        features = self.measures.features[self.measures.places[self.at]]
        return np.asarray(features.mean(axis=0, dtype=np.float64))

    def _weights(self, members: NDArray[np.int64]) -> NDArray[np.float64]:
        """(m,) what part each row outside has, so that contexts have the mix of the window's; sum 1."""
        n = len(self.at)
        strata = self.measures.strata
        if not len(strata):
            return np.full(n, 1 / n)
        outside = strata[self.at]
        n_strata = int(strata.max()) + 1
        sizes = np.bincount(outside, minlength=n_strata)
        wanted = np.bincount(strata[members], minlength=n_strata)
        # What is not met outside is compared with all rows there.
        missing = wanted[sizes == 0].sum()
        each = np.divide(wanted, sizes, out=np.zeros(n_strata), where=sizes > 0)
        weights = each[outside] + missing / n
        return np.asarray(weights / weights.sum())

    def _pixels(
        self, members: NDArray[np.int64], weights: NDArray[np.float64], n_rows: float
    ) -> Compared:
        pixels = self.measures.pixels
        if pixels is None:
            return np.nan, np.nan, np.nan, np.nan
        own = np.stack([np.bincount(column, minlength=N_BINS + 1) for column in pixels[members].T])
        shares = [
            np.bincount(column, weights, minlength=N_BINS + 1) for column in pixels[self.at].T
        ]
        up_to = np.rint(np.cumsum(np.stack(shares), axis=1) * n_rows).astype(np.int64)
        table = np.diff(up_to, axis=1, prepend=0)
        difference = PixelDifference.of(table, own, self.measures.correlations)
        first, second, _ = difference.moments.tolist()
        f = 1 / max(difference.n_baseline, 1) + 1 / max(difference.n_window, 1)
        return difference.statistic, f * first, first**2, second
