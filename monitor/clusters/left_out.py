"""A block of windows left out of the baseline, beside clusters that are made of the rows outside alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.baseline_rows import LEAST_ROWS_OF_CLUSTER, BaselineRows
from monitor.clusters.block_sums import BlockScatters, BlockSums
from monitor.clusters.content import portion_of
from monitor.clusters.contingency import chi_square, chi_square_moments
from monitor.clusters.fitted import whitening
from monitor.clusters.kmeans import assign, assign_left_out, fit_centroids
from monitor.clusters.moments import two_moments_of
from monitor.clusters.reference import Reference
from monitor.clusters.replayed_measures import OutsideMeasures, ReplayedMeasures
from monitor.clusters.strata import stratum_means

LEAST_ROWS: Final = 5
"""A window with fewer rows says nothing about rows of one window."""
_MOMENT_ROWS: Final = 5_000
"""So many rows tell tr Σ and tr Σ² to a percent."""
_CLUSTER_ROWS, _ROWS_OF_CLUSTER = 5_000, 250
"""So many rows, or so many for each cluster, tell where clusters of a block lie: none of them is shown."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ReplayedWindow:
    """One replayed window: a column of `ReplayedWindows`."""

    size: int
    novel: int
    ratios: tuple[float, ...]
    freedoms: tuple[float, ...]
    scale: float


@dataclass(frozen=True, eq=False)
class _Parts:
    """What the rows of a mask that windows may be compared with add up to, by block.

    Parameters
    ----------
    sums
        Of their vectors.
    scatters
        Of some of them, and of some that nothing was fitted on; None where rows have strata.
    """

    sums: BlockSums
    scatters: tuple[BlockScatters, BlockScatters] | None


@dataclass(frozen=True, eq=False)
class WholeBaseline:
    """All rows, with what is computed once for all blocks."""

    rows: BaselineRows
    blocks: NDArray[np.int64]  # of each row, −1 for none
    _known_parts: dict[tuple[bytes, int], _Parts] = field(default_factory=dict)

    @cached_property
    def fitted(self) -> BlockScatters:
        """Of the rows that clusters were fitted on."""
        rows = self.rows
        fitted = np.arange(rows.n_held_out, len(rows.vectors))
        return BlockScatters.of(rows.vectors, fitted, self.blocks)

    def parts(self, mask: Mask, n_compared: int) -> _Parts:
        """Of the first rows, those in `mask`."""
        key = (mask.tobytes(), n_compared)
        if key not in self._known_parts:
            vectors, blocks = self.rows.vectors, self.blocks
            chosen = np.flatnonzero(mask[:n_compared])
            held_out = chosen[chosen < self.rows.n_held_out]
            self._known_parts[key] = _Parts(
                BlockSums.of(vectors, chosen, blocks),
                None
                if len(self.rows.strata)
                else (
                    BlockScatters.of(vectors, chosen[:_MOMENT_ROWS], blocks),
                    BlockScatters.of(vectors, held_out[:_MOMENT_ROWS], blocks),
                ),
            )
        return self._known_parts[key]


@dataclass(frozen=True, eq=False)
class _Members:
    """Which of the rows outside windows are held against, their mean, and how they spread."""

    chosen: NDArray[np.int64]
    mean: NDArray[np.float64]
    moments: tuple[NDArray[np.float64], NDArray[np.float64]]
    measured: OutsideMeasures


@dataclass(frozen=True, eq=False)
class LeftOutBlock:
    """The rows outside a block of windows, in clusters made of them alone, beside the rows of the block."""

    whole: WholeBaseline
    block: int
    is_outside: Mask
    n_compared: int  # the first so many rows are those that windows may be compared with
    rows: BaselineRows  # all of them, with the labels of these clusters
    axes: NDArray[np.float64]  # (width, width) whitening
    measures: ReplayedMeasures
    # By mask: windows of every length are held against the same rows.
    _known_members: dict[bytes, _Members | None] = field(default_factory=dict)

    @classmethod
    def of(cls, whole: WholeBaseline, block: int, random_state: int) -> LeftOutBlock | None:
        """None where too few different rows are outside to make clusters of."""
        rows = whole.rows
        is_outside = whole.blocks != block
        fitted = rows.n_held_out + np.flatnonzero(is_outside[rows.n_held_out :])
        n_outside = int(np.count_nonzero(is_outside))
        n_distinct, k = len(np.unique(rows.keys[fitted])), rows.clusters.n_clusters
        if n_outside - len(fitted) < 2 or n_distinct < max(k, 2):
            return None
        centroids = rows.clusters.centroids
        is_given = rows.clusters.are_given
        fit_part = rows.vectors[fitted]
        if not is_given:
            few = fit_part[: max(_CLUSTER_ROWS, _ROWS_OF_CLUSTER * k)]
            if len(few) < len(fit_part) and len(np.unique(rows.keys[fitted[: len(few)]])) < k:
                few = fit_part
            centroids = fit_centroids(few, k, random_state=random_state, n_init=1)
        labels, _ = assign(rows.vectors, centroids)
        are_enough = is_given or n_distinct >= LEAST_ROWS_OF_CLUSTER * k
        if are_enough and not is_given:
            labels[fitted], _ = assign_left_out(
                fit_part, centroids, rows.keys[fitted], most_copies=portion_of(n_outside)
            )
        return cls(
            whole,
            block,
            is_outside,
            len(rows.vectors) if are_enough else rows.n_held_out,
            replace(rows, labels=labels),
            whitening(whole.fitted.outside(block)),
            ReplayedMeasures.of(rows, is_outside),
        )

    def compare(self, mask: Mask, numbers: NDArray[np.int64] | None) -> list[ReplayedWindow]:
        """The windows of the block, each as far as it lies in `mask`, with the rows outside that do too.

        `numbers` as those of `WindowsOf`.
        """
        rows = self.rows
        if numbers is None:
            numbers = rows.windows
        beside = self._members(mask)
        if beside is None:
            return []
        dated = numbers[beside.chosen]
        if len(np.unique(dated)) < 2:
            return []
        reference = Reference.of(rows, beside.chosen, beside.mean, dated)
        windows = []
        for members in _windows(numbers, mask & ~self.is_outside):
            if len(members) < LEAST_ROWS:
                continue
            strata = rows.strata[members] if len(rows.strata) else None
            counts, centre, n_rows, unevenness = reference.in_mix_of(strata)
            f = 1 / n_rows + 1 / len(members)
            own = np.bincount(rows.labels[members], minlength=rows.clusters.n_clusters)
            moved = rows.vectors[members].mean(axis=0, dtype=np.float64) - centre
            expected, variance = chi_square_moments(counts, own)
            compared = [
                (float(chi_square(counts, own)), expected, expected**2, variance / 2),
                *(
                    (float(by @ by), f * first, first**2, second)
                    for by, (first, second) in zip(
                        (moved, moved @ self.axes), beside.moments, strict=True
                    )
                ),
            ]
            novel, compared_by_measures = beside.measured.compare(members)
            compared += compared_by_measures
            ratios = tuple(_over(statistic, mean) for statistic, mean, _, _ in compared)
            freedoms = tuple(_over(square, half) for _, _, square, half in compared)
            windows.append(
                ReplayedWindow(
                    size=len(members),
                    novel=novel,
                    ratios=ratios,
                    freedoms=freedoms,
                    scale=(1 + unevenness) / f,
                )
            )
        return windows

    def _members(self, mask: Mask) -> _Members | None:
        """The rows outside that lie in `mask`; None if they are too few."""
        key = mask.tobytes()
        if key not in self._known_members:
            chosen = np.flatnonzero((mask & self.is_outside)[: self.n_compared])
            self._known_members[key] = None
            if len(chosen) >= LEAST_ROWS:
                parts = self.whole.parts(mask, self.n_compared)
                self._known_members[key] = _Members(
                    chosen,
                    parts.sums.mean_outside(self.block),
                    self._moments(chosen, parts),
                    self.measures.outside(mask),
                )
        return self._known_members[key]

    def _moments(
        self, chosen: NDArray[np.int64], parts: _Parts
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of the rows about their mean, or about those of their strata; the second whitened."""
        if parts.scatters is not None:
            plain, held_out = (scatters.outside(self.block) for scatters in parts.scatters)
            return plain.two_moments(), held_out.two_moments(self.axes)
        of_held_out = chosen[chosen < self.rows.n_held_out]
        return (
            _moments(self.rows, chosen[:_MOMENT_ROWS]),
            _moments(self.rows, of_held_out[:_MOMENT_ROWS], self.axes),
        )


def _windows(numbers: NDArray[np.int64], mask: Mask) -> list[NDArray[np.int64]]:
    """The positions of each window's rows in `mask`, rising."""
    rows = np.flatnonzero(mask & (numbers >= 0))
    order = np.argsort(numbers[rows], kind="stable")
    _, starts = np.unique(numbers[rows][order], return_index=True)
    return np.split(rows[order], starts[1:])


def _moments(
    rows: BaselineRows, members: NDArray[np.int64], axes: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Of rows about the means of their strata."""
    means = stratum_means(rows, members)[rows.strata[members]]
    vectors = rows.vectors[members].astype(np.float64) - means
    m = len(members) - len(np.unique(rows.strata[members]))
    return two_moments_of(vectors if axes is None else vectors @ axes, m)


def _over(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else np.nan
