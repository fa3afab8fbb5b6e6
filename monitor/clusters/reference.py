"""Rows that windows are held against while they are replayed, in the mix of the windows' own contexts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.baseline_rows import BaselineRows
from monitor.clusters.mixture import effective_rows
from monitor.clusters.strata import stratum_means, window_shares

Compared = tuple[NDArray[np.int64], NDArray[np.float64], float, float]
"""(k,) counts, (width,) mean, how many rows that is as good as, and the unevenness of their windows."""


@dataclass(frozen=True, eq=False)
class Reference:
    """Rows beside which windows are replayed.

    Parameters
    ----------
    rows
        All rows, in clusters that were made without the windows.
    members
        (m,) which of them windows are compared with.
    mean
        (width,) their mean.
    windows
        (n_windows, strata + 1) rows of each window in each stratum, and in all.
    """

    rows: BaselineRows
    members: NDArray[np.int64]
    mean: NDArray[np.float64]
    windows: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        rows: BaselineRows,
        members: NDArray[np.int64],
        mean: NDArray[np.float64],
        dated: NDArray[np.int64],
    ) -> Reference:
        """These members, `mean` being theirs and `dated` the window of each."""
        _, index = np.unique(dated, return_inverse=True)
        n_windows = int(index.max()) + 1
        in_all = np.bincount(index, minlength=n_windows)[:, None]
        if not len(rows.strata):
            return cls(rows, members, mean, in_all)
        n_strata = int(rows.strata.max()) + 1
        cells = index * n_strata + rows.strata[members]
        table = np.bincount(cells, minlength=n_windows * n_strata).reshape(n_windows, n_strata)
        return cls(rows, members, mean, np.column_stack([table, in_all]))

    def in_mix_of(self, strata: NDArray[np.int64] | None) -> Compared:
        """What a window is compared with, (n,) `strata` being those of its rows."""
        n_strata = self.windows.shape[1] - 1
        own = np.zeros(n_strata + 1, dtype=np.int64)
        if strata is None:
            own[-1] = 1
        else:
            own[:-1] = np.bincount(np.minimum(strata, n_strata), minlength=n_strata + 1)[:-1]
            own[-1] = len(strata) - own.sum()
            is_missing = np.append(self._sizes[:-1] == 0, False)
            own[-1] += own[is_missing].sum()
            own[is_missing] = 0
        weights = own / own.sum()
        used = np.flatnonzero(own)
        n_rows = effective_rows(self._sizes[used], weights[used])
        shares = weights[used] @ self._shares[used]
        unevenness = float((window_shares(self.windows, own) ** 2).sum())
        counts = np.rint(n_rows * shares).astype(np.int64)
        return counts, weights[used] @ self._means[used], n_rows, unevenness

    @cached_property
    def _sizes(self) -> NDArray[np.int64]:
        return np.asarray(self.windows.sum(axis=0))

    @cached_property
    def _means(self) -> NDArray[np.float64]:
        if not len(self.rows.strata):
            return self.mean[None]
        return np.vstack([stratum_means(self.rows, self.members), self.mean])

    @cached_property
    def _shares(self) -> NDArray[np.float64]:
        """(strata + 1, k) of each cluster."""
        k = self.rows.clusters.n_clusters
        labels = self.rows.labels[self.members]
        counts = np.bincount(labels, minlength=k)[None]
        if len(self.rows.strata):
            n_strata = self.windows.shape[1] - 1
            cells = self.rows.strata[self.members] * k + labels
            table = np.bincount(cells, minlength=n_strata * k).reshape(n_strata, k)
            counts = np.vstack([table, counts])
        shares: NDArray[np.float64] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        return shares
