"""The baseline's rows measured by its known rows, each as if it were not one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.content import portion_of
from monitor.clusters.example import Example
from monitor.clusters.known_rows import KnownRows, draw_rows, neighbours
from monitor.clusters.moments import spectral_moments
from monitor.clusters.quality_sketch import QualityReference
from monitor.clusters.row_measures import Kernels, RowMeasures, nearness_counts, nearness_edges
from monitor.clusters.sketch import WindowSketch

MAX_MEASURED: Final = 20_000
"""So many rows tell the baseline's own distances far better than any window tells its."""
MOMENT_ROWS: Final = 4_000
"""So many rows tell tr Σ and tr Σ² to a percent."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class MeasuredRows:
    """Rows of `BaselineRows` that windows are compared with, measured: all, or as many, evenly chosen.

    Parameters
    ----------
    measures
        What they are measured by.
    at
        (n_measured,) which they are, rising.
    known_at
        (m,) which rows the known ones are, rising.
    kin
        (n,) numbers of all rows: rows of one number, such as copies of a picture or photos of a product, do
        not tell how near a new row would lie.
    distances
        (n_measured,) float64, the mean distance to the nearest known rows that are no kin.
    features
        (n_measured, N_FEATURES) float32.
    quality, pixels
        The images' pixel statistics, and those of each row, (n, fields); None where they were not measured.
    """

    measures: RowMeasures
    at: NDArray[np.int64]
    known_at: NDArray[np.int64]
    kin: NDArray[np.int64]
    distances: NDArray[np.float64]
    features: NDArray[np.float32]
    quality: QualityReference | None = None
    pixels: NDArray[np.float32] | None = None

    @classmethod
    def of(
        cls,
        vectors: NDArray[np.float32],
        kin: NDArray[np.int64],
        n_compared: int,
        random_state: int,
    ) -> MeasuredRows:
        """Draw the known rows of `vectors`, (n, width), and measure `n_compared` rows, or fewer."""
        known_at = draw_rows(len(vectors), random_state)
        known = vectors[known_at]
        at = evenly(n_compared, MAX_MEASURED)
        measured = vectors[at]
        distances, _ = neighbours(measured, known, (kin[at], kin[known_at]))
        kernels = Kernels.of(
            known[np.random.default_rng(random_state).permutation(len(known))], random_state
        )
        return cls(
            measures=RowMeasures(known, nearness_edges(distances), kernels),
            at=at,
            known_at=known_at,
            kin=kin,
            distances=distances,
            features=kernels.features(measured, is_exact=False),
        )

    def known_rows(self, examples: tuple[Example, ...] | None) -> KnownRows:
        """The known rows, with their pixel statistics; `examples` say where they are found."""
        quality = np.empty((len(self.known_at), 0), np.float32)
        if self.pixels is not None:
            quality = self.pixels[self.known_at]
        return KnownRows(self.measures.known, quality, examples or ())

    def within_moments(self, strata: NDArray[np.int64]) -> NDArray[np.float64]:
        """The spectral moments of the features about the means of their strata, (n,) those of all rows."""
        few = evenly(len(self.at), MOMENT_ROWS)
        return about_means(self.measures.kernels.weighted(self.features[few]), strata[self.at[few]])

    def fill(self, sketch: WindowSketch, mask: Mask) -> tuple[WindowSketch, NDArray[np.float64]]:
        """The sketch of the rows in `mask` with their sums, and the spectral moments of their features."""
        chosen = np.flatnonzero(mask[self.at])
        features = self.features[chosen]
        kernels = self.measures.kernels
        return replace(
            sketch,
            nearness_counts=nearness_counts(self.distances[chosen], self.measures.edges),
            kernel_units=kernels.summed(features),
            n_measured=len(chosen),
            quality=None
            if self.quality is None or self.pixels is None
            else self.quality.count(self.pixels[mask]),
        ), spectral_moments(kernels.weighted(features[evenly(len(features), MOMENT_ROWS)]))


def evenly(n: int, most: int) -> NDArray[np.int64]:
    """(min(n, most),) positions among `n`, rising: rows that nothing was fitted on come first, others last.

    Examples
    --------
    >>> evenly(3, 5).tolist(), evenly(10, 4).tolist()
    ([0, 1, 2], [0, 2, 5, 7])
    """
    size = min(n, most)
    return np.arange(size) * n // max(size, 1)


def about_means(features: NDArray[np.float64], strata: NDArray[np.int64]) -> NDArray[np.float64]:
    """The spectral moments of features about the means of their strata."""
    present, which, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    # Row by row in each, which is ten times as fast as np.add.at and adds in the same order.
    of_strata = np.split(np.argsort(which, kind="stable"), np.cumsum(sizes)[:-1])
    means = np.stack([features[rows].mean(axis=0, dtype=np.float64) for rows in of_strata])
    return spectral_moments(features - means[which], n_means=len(present))


def kin_of(keys: NDArray[np.uint64], groups: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """(n,) numbers that rows share which are alike for a known reason: of one group, or copies.

    A row with so many copies that new rows hold some as well is kin to itself only.
    """
    if groups is not None:
        return groups
    _, which, counts = np.unique(keys, return_inverse=True, return_counts=True)
    alone = len(keys) + np.arange(len(keys))
    return np.where(counts[which] > portion_of(len(keys)), alone, which)
