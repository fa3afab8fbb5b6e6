"""The baseline judged by itself: each of its windows beside the others, as production will be.

A window of production is new to everything: clusters, whitening and known rows were made without it.
So is each window here. The windows are dealt to blocks of neighbours; for each block all of these are made
anew from the rows outside it (cross-validation in blocks, since neighbours in time are alike; Roberts et
al. 2017), and the windows of the block are held against those rows. What comes out is how far windows
without drift stray from each other, in the very statistics that drift is judged by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.autocorrelation import Autocorrelation, autocorrelation
from monitor.clusters.baseline_rows import BaselineRows
from monitor.clusters.left_out import LeftOutBlock, ReplayedWindow, WholeBaseline
from monitor.clusters.replayed_windows import N_LAGS, ReplayedWindows
from monitor.clusters.time_blocks import block_of_rows, time_blocks
from monitor.progress import steps

N_PARTS: Final = 24
"""Parts that groups of rows are dealt to, two groups or more to each."""
LEAST_WINDOWS: Final = 5
"""From fewer windows nothing is learned: their spread would be a guess."""
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
    n_parts = min(N_PARTS, n_groups // 2)
    if n_parts < LEAST_WINDOWS:
        return [None] * len(masks)
    rng = np.random.default_rng([random_state, 0x6770])
    dealt = replace(rows, windows=(rng.permutation(n_groups) % n_parts)[which])
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
    windows: list[list[ReplayedWindow]] = [[] for _ in groups]
    if sum(map(len, blocks)) >= LEAST_WINDOWS:
        whole = WholeBaseline(rows, block_of_rows(rows.windows))
        for block in steps(range(len(blocks)), "judging the baseline by itself"):
            others = LeftOutBlock.of(whole, block, random_state)
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


def _together(windows: Sequence[ReplayedWindow], correlation: Autocorrelation) -> ReplayedWindows:
    return ReplayedWindows(
        sizes=np.array([window.size for window in windows], dtype=np.int64),
        novel=np.array([window.novel for window in windows], dtype=np.int64),
        ratios=np.array([window.ratios for window in windows]).T.copy(),
        freedoms=np.array([window.freedoms for window in windows]).T.copy(),
        scales=np.array([window.scale for window in windows]),
        autocorrelations=correlation.lags,
        likeness=correlation.z,
    )
