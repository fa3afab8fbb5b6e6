"""Counts of rows per cluster, which merge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from monitor.codec import Shape


@dataclass(frozen=True, eq=False)
class ClusterHistogram:
    """How many rows fell into each cluster, and how many have no vector.

    Histograms of the same clusters add up in any order, so a window may come in pieces and from many
    workers.

    Parameters
    ----------
    counts
        (n_clusters,) int64, rows per cluster.
    failures
        Rows without a usable vector, counted per reason (see `monitor.failures`).

    Examples
    --------
    >>> first = ClusterHistogram(np.array([3, 1]), {"missing": 1})
    >>> both = first + ClusterHistogram(np.array([0, 4]), {"missing": 1, "http_404": 2})
    >>> both.counts.tolist(), both.n, both.n_failed, both.n_rows
    ([3, 5], 8, 4, 12)
    """

    counts: Annotated[NDArray[np.int64], Shape("clusters")]
    failures: Mapping[str, int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Rows with a usable vector."""
        return int(self.counts.sum())

    @property
    def n_failed(self) -> int:
        """Rows without a usable vector."""
        return sum(self.failures.values())

    @property
    def n_rows(self) -> int:
        """All rows."""
        return self.n + self.n_failed

    @property
    def shares(self) -> NDArray[np.float64]:
        """(n_clusters,) float64 in [0, 1], summing to 1; all NaN when no row has a vector."""
        with np.errstate(invalid="ignore"):
            return self.counts / np.float64(self.n)

    def __add__(self, other: ClusterHistogram) -> ClusterHistogram:
        if self.counts.shape != other.counts.shape:
            raise ValueError(
                f"histograms of {self.counts.size} and {other.counts.size} clusters do not add up"
            )
        reasons = sorted({*self.failures, *other.failures})
        return ClusterHistogram(
            counts=self.counts + other.counts,
            failures={r: self.failures.get(r, 0) + other.failures.get(r, 0) for r in reasons},
        )
