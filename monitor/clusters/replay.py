"""The baseline judged by itself: each of its windows beside the others, as production will be.

A window of production is new to everything: clusters, whitening and known rows were made without it.
So is each window here. The windows are dealt to blocks of neighbours; for each block all of these are made
anew from the rows outside it (cross-validation in blocks, since neighbours in time are alike; Roberts et
al. 2017), and the windows of the block are held against those rows. What comes out is how far windows
without drift stray from each other, in the very statistics that drift is judged by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.autocorrelation import Autocorrelation, autocorrelation
from monitor.clusters.baseline_rows import BaselineRows
from monitor.clusters.contingency import chi_square, chi_square_moments
from monitor.clusters.fitted import FittedClusters
from monitor.clusters.kmeans import assign, fit_centroids
from monitor.clusters.moments import spectral_moments
from monitor.clusters.reference import Reference
from monitor.clusters.replayed_measures import OutsideMeasures, ReplayedMeasures
from monitor.clusters.replayed_windows import N_LAGS, ReplayedWindows
from monitor.clusters.strata import stratum_means
from monitor.clusters.time_blocks import time_blocks
from monitor.progress import steps

N_PARTS: Final = 24
"""Parts that groups of rows are dealt to."""
LEAST_WINDOWS: Final = 5
"""From fewer windows nothing is learned: their spread would be a guess."""
LEAST_ROWS: Final = 5
"""A window with fewer rows says nothing about rows of one window."""
_MOMENT_ROWS: Final = 4_000
"""So many rows tell tr Σ and tr Σ² to a percent."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class WindowsOf:
    """Windows that are replayed together.

    Parameters
    ----------
    masks
        Each (n,): windows are compared with rows of their own mask only, and the windows of all masks count
        together, such as those of all days of the week.
    numbers
        (n,) the window of each row, negative for none, where these are shorter than the rows' own: each then
        lies inside one of those. None for the rows' own.
    """

    masks: Sequence[Mask]
    numbers: NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class _Window:
    """One replayed window: a column of `ReplayedWindows`."""

    size: int
    novel: int
    ratios: tuple[float, ...]
    freedoms: tuple[float, ...]
    scale: float


def replay_groups(
    rows: BaselineRows,
    groups: NDArray[np.int64],
    masks: Sequence[Mask],
    random_state: int,
) -> list[ReplayedWindows | None]:
    """How much samples of whole groups differ: the groups are dealt to parts, and these are replayed.

    However large a sample is, its groups make it vary as many times more than independent rows do: all
    scales are 1.

    Parameters
    ----------
    rows, random_state
        As in `replay`.
    groups
        (n,) the group of each row.
    masks
        Rows that are compared with each other only.
    """
    _, which = np.unique(groups, return_inverse=True)
    n_groups = int(which.max()) + 1
    if n_groups < 2 * N_PARTS:
        return [None] * len(masks)
    rng = np.random.default_rng([random_state, 0x6770])
    dealt = replace(rows, windows=(rng.permutation(n_groups) % N_PARTS)[which])
    return [
        replayed
        and replace(
            replayed,
            scales=np.ones(len(replayed.scales)),
            autocorrelations=np.zeros(N_LAGS),
            likeness=0.0,
        )
        for replayed in replay(dealt, [WindowsOf([mask]) for mask in masks], random_state)
    ]


def replay(
    rows: BaselineRows, groups: Sequence[WindowsOf], random_state: int
) -> list[ReplayedWindows | None]:
    """Replay some groups of windows.

    Parameters
    ----------
    rows
        All rows of the baseline.
    groups
        What each result is of.
    random_state
        Seed of k-means.

    Returns
    -------
    Of each group its windows; None for fewer than `LEAST_WINDOWS`.
    """
    blocks = time_blocks(rows.windows)
    windows: list[list[_Window]] = [[] for _ in groups]
    if sum(map(len, blocks)) >= LEAST_WINDOWS:
        for block in steps(blocks, "judging the baseline by itself"):
            others = _Others.of(rows, block, random_state)
            if others is None:
                return [None] * len(groups)
            for group, replayed in zip(groups, windows, strict=True):
                for mask in group.masks:
                    replayed += others.compare(mask, group.numbers)
    return [
        _together(replayed, autocorrelation(_numbered(rows, group), group.masks))
        if len(replayed) >= LEAST_WINDOWS
        else None
        for group, replayed in zip(groups, windows, strict=True)
    ]


def _numbered(rows: BaselineRows, group: WindowsOf) -> BaselineRows:
    return rows if group.numbers is None else replace(rows, windows=group.numbers)


@dataclass(frozen=True, eq=False)
class _Members:
    """Which of the rows outside windows are held against: positions among those, and how they spread."""

    chosen: NDArray[np.int64]
    moments: tuple[NDArray[np.float64], NDArray[np.float64]]
    measured: OutsideMeasures


@dataclass(frozen=True, eq=False)
class _Others:
    """The rows outside a block of windows, in clusters made of them alone, beside the rows of the block."""

    outside: BaselineRows
    is_outside: Mask
    all_rows: BaselineRows
    labels: NDArray[np.int64]  # of all rows that are not outside; of no use for the others
    measures: ReplayedMeasures
    # By mask: windows of every length are held against the same rows.
    _known_members: dict[bytes, _Members | None] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: BaselineRows, block: NDArray[np.int64], random_state: int) -> _Others | None:
        """None where too few different rows are outside to make clusters of."""
        is_outside = ~np.isin(rows.windows, block)
        positions = np.flatnonzero(is_outside)
        n_held_out = int(np.searchsorted(positions, rows.n_held_out))
        vectors, keys = rows.vectors[positions], rows.keys[positions]
        fit_part, n_distinct = vectors[n_held_out:], len(np.unique(keys[n_held_out:]))
        if n_held_out < 2 or n_distinct < max(rows.clusters.n_clusters, 2):
            return None
        centroids = rows.clusters.centroids
        if not rows.clusters.are_given:
            centroids = fit_centroids(
                fit_part, rows.clusters.n_clusters, random_state=random_state, n_init=1
            )
        clusters = FittedClusters.of(fit_part, centroids, are_given=rows.clusters.are_given)
        split = (np.arange(n_held_out, len(vectors)), np.arange(n_held_out))
        outside = BaselineRows.of(vectors, keys, split, clusters, None)
        if len(rows.strata):
            outside = replace(outside, strata=rows.strata[positions][outside.order])
        labels = np.zeros(len(is_outside), dtype=np.int64)
        labels[~is_outside], _ = assign(rows.vectors[~is_outside], centroids)
        return cls(outside, is_outside, rows, labels, ReplayedMeasures.of(rows, is_outside))

    def compare(self, mask: Mask, numbers: NDArray[np.int64] | None) -> list[_Window]:
        """The windows of the block, each as far as it lies in `mask`, with the rows outside that do too.

        `numbers` as those of `WindowsOf`.
        """
        outside, all_rows = self.outside, self.all_rows
        if numbers is None:
            numbers = all_rows.windows
        beside = self._members(mask)
        if beside is None:
            return []
        dated = numbers[self.is_outside][beside.chosen]
        if len(np.unique(dated)) < 2:
            return []
        clusters = outside.clusters
        whitener = clusters.whitener.astype(np.float64)
        reference = Reference.of(outside, beside.chosen, dated)
        windows = []
        for members in _windows(numbers, mask & ~self.is_outside):
            if len(members) < LEAST_ROWS:
                continue
            strata = all_rows.strata[members] if len(all_rows.strata) else None
            counts, centre, n_rows, unevenness = reference.in_mix_of(strata)
            f = 1 / n_rows + 1 / len(members)
            own = np.bincount(self.labels[members], minlength=clusters.n_clusters)
            moved = all_rows.vectors[members].mean(axis=0, dtype=np.float64) - centre
            expected, variance = chi_square_moments(counts, own)
            compared = [
                (float(chi_square(counts, own)), expected, expected**2, variance / 2),
                *(
                    (float(by @ by), f * first, first**2, second)
                    for by, (first, second, _) in zip(
                        (moved, moved @ whitener), beside.moments, strict=True
                    )
                ),
            ]
            novel, compared_by_measures = beside.measured.compare(members)
            compared += compared_by_measures
            ratios = tuple(_over(statistic, mean) for statistic, mean, _, _ in compared)
            freedoms = tuple(_over(square, half) for _, _, square, half in compared)
            windows.append(
                _Window(
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
            outside = self.outside
            chosen = np.flatnonzero(mask[self.is_outside][: outside.n_compared])
            held_out = chosen[chosen < outside.n_held_out][:_MOMENT_ROWS]
            whitener = outside.clusters.whitener.astype(np.float64)
            self._known_members[key] = (
                _Members(
                    chosen,
                    (
                        _moments(outside, chosen[:_MOMENT_ROWS]),
                        _moments(outside, held_out, whitener),
                    ),
                    self.measures.outside(mask),
                )
                if len(chosen) >= LEAST_ROWS
                else None
            )
        return self._known_members[key]


def _windows(numbers: NDArray[np.int64], mask: Mask) -> list[NDArray[np.int64]]:
    """The positions of each window's rows in `mask`, rising."""
    rows = np.flatnonzero(mask & (numbers >= 0))
    order = np.argsort(numbers[rows], kind="stable")
    _, starts = np.unique(numbers[rows][order], return_index=True)
    return np.split(rows[order], starts[1:])


def _moments(
    rows: BaselineRows, members: NDArray[np.int64], axes: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Of the rows about their mean, or about those of their strata."""
    vectors = rows.vectors[members].astype(np.float64)
    n_means = None
    if len(rows.strata):
        vectors = vectors - stratum_means(rows, members)[rows.strata[members]]
        n_means = len(np.unique(rows.strata[members]))
    return spectral_moments(vectors if axes is None else vectors @ axes, n_means=n_means)


def _over(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else np.nan


def _together(windows: Sequence[_Window], correlation: Autocorrelation) -> ReplayedWindows:
    return ReplayedWindows(
        sizes=np.array([window.size for window in windows], dtype=np.int64),
        novel=np.array([window.novel for window in windows], dtype=np.int64),
        ratios=np.array([window.ratios for window in windows]).T.copy(),
        freedoms=np.array([window.freedoms for window in windows]).T.copy(),
        scales=np.array([window.scale for window in windows]),
        autocorrelations=correlation.lags,
        likeness=correlation.z,
    )
