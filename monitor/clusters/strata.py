"""Contexts: hours, weekdays, cameras, countries. Windows are compared with rows of their own mix of them.

What belongs to a context is no drift: a camera's nights are dark, and more traffic from one country is
other traffic, not other images. The baseline's rows are kept in *strata*, one for each combination of the
contexts' values; a window is held against the strata in the mix of its own rows (post-stratification;
Holt & Smith 1979, and Cobb & Van Looveren 2022 for drift).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from monitor.clusters.baseline_rows import BaselineRows
from monitor.clusters.baseline_statistics import BaselineStatistics
from monitor.clusters.mixture import mixed
from monitor.clusters.moments import spectral_moments
from monitor.clusters.overdispersion import Expected
from monitor.codec import Shape

MOST_STRATA: Final = 200
"""Combinations of values that have a reference of their own, those with most rows; the others share one."""
_MOMENT_ROWS: Final = 20_000


@dataclass(frozen=True, eq=False)
class RowContexts:
    """In which context each row of a baseline is.

    Parameters
    ----------
    names
        The contexts, such as "hour" and "country".
    keys
        The strata: a value of each context.
    strata
        (n,) which of `keys` each row is in.
    """

    names: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]
    strata: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Strata:
    """The baseline's rows by context.

    Parameters
    ----------
    names, keys
        See `RowContexts`.
    parts
        The statistics of each stratum.
    windows
        (n_windows, strata) int64: how many rows of each of the baseline's windows are in each stratum; no row
        where the baseline has no times.
    """

    names: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]
    parts: tuple[BaselineStatistics, ...]
    windows: Annotated[NDArray[np.int64], Shape(None, "_strata")]

    @classmethod
    def of(cls, rows: BaselineRows, contexts: RowContexts) -> Strata:
        """The strata of rows that know theirs."""
        n, n_strata = rows.n_compared, len(contexts.keys)
        strata = rows.strata[:n]
        moments, measured = within_moments(rows), rows.measured
        assert measured is not None
        parts = []
        for stratum in range(n_strata):
            members = np.flatnonzero(strata == stratum)
            held_out = members[members < rows.n_held_out]
            vectors = rows.vectors[members]
            sketch = rows.clusters.sketcher.sketch(
                vectors, rows.labels[members], rows.distances[members], {}
            )
            sketch, _ = measured.fill(sketch, rows.strata == stratum)
            parts.append(
                BaselineStatistics(
                    sketch.without_rows(),
                    n_held_out=len(held_out),
                    mean_moments=moments[0],
                    whitened_moments=moments[1],
                    kernel_moments=measured.within_moments(rows.strata),
                    sample=vectors[:0],
                    fit_sample=vectors[:0],
                    window_counts=np.zeros((0, rows.clusters.n_clusters), dtype=np.int64),
                )
            )
        dated = rows.windows[:n] >= 0
        numbers, index = np.unique(rows.windows[:n][dated], return_inverse=True)
        windows = np.bincount(
            index * n_strata + strata[dated], minlength=len(numbers) * n_strata
        ).reshape(-1, n_strata)
        return cls(contexts.names, contexts.keys, tuple(parts), windows)

    def statistics(
        self, counts: NDArray[np.int64], whole: BaselineStatistics
    ) -> BaselineStatistics:
        """What rows with such contexts are compared with.

        Parameters
        ----------
        counts
            (strata + 1,) how many rows are in each; the last number is of rows in none, which are compared
            with all of the baseline.
        whole
            The statistics of all of the baseline.
        """
        used = np.flatnonzero(counts)
        if len(used) == 0:
            return whole
        parts = [whole if at == len(self.parts) else self.parts[at] for at in used]
        result = mixed(parts, counts[used].tolist())
        variation = whole.variation
        if variation is not None:
            parts_of_windows = np.column_stack([self.windows, variation.sizes])
            share = window_shares(parts_of_windows, counts)
            factor = share * variation.sizes.sum() / np.maximum(variation.sizes, 1)
            reweighted = np.rint(variation.counts * factor[:, None]).astype(np.int64)
            variation = replace(variation, counts=reweighted)
        return replace(
            result,
            variation=variation,
            grouped=whole.grouped,
            window_counts=whole.window_counts,
        )


def window_shares(windows: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n_windows,) what part each window of the baseline has in a reference; they sum to 1.

    Parameters
    ----------
    windows
        (n_windows, strata + 1) its rows in each stratum, and in all.
    counts
        (strata + 1,) how many rows of the judged window are in each stratum, and in none.
    """
    weights = counts / counts.sum()
    totals = windows.sum(axis=0)
    of_row = np.divide(weights, totals, out=np.zeros(len(weights)), where=totals > 0)
    share = windows @ of_row
    return np.asarray(
        share / share.sum() if share.sum() > 0 else np.full(len(share), 1 / len(share))
    )


def stratum_means(rows: BaselineRows, members: NDArray[np.int64]) -> NDArray[np.float64]:
    """(strata, width) the mean vectors of the rows at `members`; 0 where there is none."""
    n_strata = int(rows.strata.max()) + 1
    order = members[np.argsort(rows.strata[members], kind="stable")]
    present, starts = np.unique(rows.strata[order], return_index=True)
    means = np.zeros((n_strata, rows.vectors.shape[1]))
    for stratum, part in zip(present, np.split(order, starts[1:]), strict=True):
        means[stratum] = rows.vectors[part].mean(axis=0, dtype=np.float64)
    return means


def within_moments(rows: BaselineRows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The moments of rows about the means of their strata, plain and, of held-out rows, whitened."""
    whitener = rows.clusters.whitener.astype(np.float64)
    result = []
    for n, axes in ((rows.n_compared, None), (rows.n_held_out, whitener)):
        members = np.arange(n)[:: max(n // _MOMENT_ROWS, 1)]
        means = stratum_means(rows, members)
        about = rows.vectors[members].astype(np.float64) - means[rows.strata[members]]
        n_means = len(np.unique(rows.strata[members]))
        result.append(spectral_moments(about if axes is None else about @ axes, n_means=n_means))
    return result[0], result[1]


def expected_counts(rows: BaselineRows) -> Expected | None:
    """The shares of clusters that each window has by its mix of strata; None without strata."""
    if not len(rows.strata):
        return None
    n, k = rows.n_compared, rows.clusters.n_clusters
    strata, labels = rows.strata[:n], rows.labels[:n]
    n_strata = int(rows.strata.max()) + 1
    by_cluster = np.bincount(strata * k + labels, minlength=n_strata * k).reshape(-1, k)
    sizes = by_cluster.sum(axis=1)
    shares = by_cluster / np.maximum(sizes, 1)[:, None]
    dated = rows.windows[:n] >= 0
    numbers, index = np.unique(rows.windows[:n][dated], return_inverse=True)
    table = np.bincount(
        index * n_strata + strata[dated], minlength=len(numbers) * n_strata
    ).reshape(-1, n_strata)
    mix = table / np.maximum(table.sum(axis=1), 1)[:, None]
    return Expected(mix @ shares, (mix * (table / np.maximum(sizes, 1))).sum(axis=1))
