"""What windows of one day of the week, and windows of other lengths, are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.baseline_rows import MAX_SAMPLE, BaselineRows, RowWindows
from monitor.clusters.baseline_statistics import BaselineStatistics
from monitor.clusters.replayed_windows import ReplayedWindows
from monitor.clusters.variation import Variation


def season_masks(rows: BaselineRows, windows: RowWindows | None) -> list[NDArray[np.bool_] | None]:
    """The rows of each season, such as a day of the week; none where seasons do not differ.

    Of a season with too few windows it is None.
    """
    n_seasons = 1 if windows is None else windows.n_seasons
    dated = rows.dated(rows.all)
    if n_seasons == 1 or not dated.has_seasons(n_seasons):
        return []
    return [
        (rows.windows >= 0) & (rows.windows % n_seasons == season) if is_known else None
        for season, is_known in enumerate(dated.known_seasons(n_seasons))
    ]


def season_statistics(
    rows: BaselineRows,
    masks: Sequence[NDArray[np.bool_] | None],
    replayed: tuple[ReplayedWindows | None, ReplayedWindows | None],
    rng: np.random.Generator,
) -> tuple[BaselineStatistics, ...]:
    """The statistics of each season; `replayed` are all windows, each by all and by its own season."""
    dated = rows.dated(rows.all)
    by_all, by_season = replayed
    return tuple(
        rows.statistics(
            rows.all if mask is None else mask,
            dated.variation(by_all)
            if mask is None
            else dated.variation(by_season, len(masks), season),
            rng,
            max_sample=MAX_SAMPLE,
        )
        for season, mask in enumerate(masks)
    )


def finer_variations(
    rows: BaselineRows,
    numbers: Mapping[str, NDArray[np.int64]],
    replayed: Sequence[ReplayedWindows | None],
) -> dict[str, Variation]:
    """How much shorter windows differ, by their length; `numbers` are the window of each row."""
    variations = {
        every: replace(rows, windows=of_length, every=every).dated(rows.all).variation(of_windows)
        for (every, of_length), of_windows in zip(numbers.items(), replayed, strict=True)
    }
    return {every: known for every, known in variations.items() if known is not None}
