"""A metadata column's values against the clusters, as counts: of bounded size, and merged exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from monitor.codec import Shape

MOST_VALUES: Final = 50
"""How many values are kept by name: of the baseline, and of those that only a window has."""
MOST_REST: Final = 10_000
"""With more values than this the baseline's column is an identifier, in which new values say nothing."""
OTHER: Final = "(other)"
"""Stands for the rest."""


@dataclass(frozen=True, eq=False)
class ValueTable:
    """Rows per value of one column and cluster. Tables of the same baseline add up in any order.

    Parameters
    ----------
    known
        The values that the baseline has by name.
    counts
        (n_known + 1, n_clusters) int64; the last row counts all `OTHER` values.
    new
        Values that the baseline does not have, in alphabetical order; empty for the baseline itself.
        Beyond `MOST_VALUES` of them, the later ones count as `OTHER`, in whatever pieces a window came.
    new_counts
        (n_new, n_clusters) int64.
    rest
        The names of a baseline's `OTHER` values, so that they are not taken for new ones in a window;
        None when there were more than `MOST_REST`, and then no value counts as new.

    Examples
    --------
    >>> baseline = fit_values(["FR", "DE", "FR"], [0, 1, 1], n_clusters=2)
    >>> window = count_values(["FR", "IT"], [0, 0], baseline) + count_values(["IT"], [1], baseline)
    >>> window.known, window.counts.tolist()
    (('FR', 'DE'), [[1, 0], [0, 0], [0, 0]])
    >>> window.new, window.new_counts.tolist()
    (('IT',), [[1, 1]])
    """

    known: tuple[str, ...]
    counts: Annotated[NDArray[np.int64], Shape(None, "clusters")]
    new: tuple[str, ...]
    new_counts: Annotated[NDArray[np.int64], Shape(None, "clusters")]
    rest: frozenset[str] | None = frozenset()

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.counts.sum() + self.new_counts.sum())

    def __add__(self, other: ValueTable) -> ValueTable:
        if self.known != other.known or self.counts.shape != other.counts.shape:
            raise ValueError(
                "tables of different baselines do not add up: they know "
                f"{len(self.known)} and {len(other.known)} values, and have "
                f"{self.counts.shape[1]} and {other.counts.shape[1]} clusters"
            )
        counts = self.counts + other.counts
        new = dict(zip(self.new, self.new_counts, strict=True))
        for value, row in zip(other.new, other.new_counts, strict=True):
            new[value] = new[value] + row if value in new else row
        return _table(self.known, counts, new)


def fit_values(values: Sequence[str], labels: object, *, n_clusters: int) -> ValueTable:
    """The baseline's table, with its `MOST_VALUES` most frequent values by name.

    Parameters
    ----------
    values
        One for each row; a missing value is a string too, of the caller's choice.
    labels
        (n,) integers, each row's cluster.
    n_clusters
        Number of clusters.

    Raises
    ------
    ValueError
        If there is not one value for each label.
    """
    frequent = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    known = tuple(value for value, _ in frequent[:MOST_VALUES] if value != OTHER)
    rest = frozenset(value for value, _ in frequent) - set(known)
    table = _counted(values, labels, known, rest, n_clusters)
    return replace(table, rest=rest if len(rest) <= MOST_REST else None)


def count_values(values: Sequence[str], labels: object, baseline: ValueTable) -> ValueTable:
    """A window's table, to be compared with `baseline`; the arguments are those of `fit_values`."""
    return _counted(values, labels, baseline.known, baseline.rest, baseline.counts.shape[1])


def _counted(
    values: Sequence[str],
    labels: object,
    known: tuple[str, ...],
    rest: frozenset[str] | None,
    n_clusters: int,
) -> ValueTable:
    clusters = np.asarray(labels, dtype=np.int64)
    if clusters.shape != (len(values),):
        raise ValueError(
            f"{len(values)} values and labels of shape {clusters.shape}; one label for each value "
            "is needed"
        )
    rows = {value: row for row, value in enumerate((*known, OTHER))}
    other = len(known)
    row_of = np.array(
        [
            other
            if value not in rows and (rest is None or value in rest)
            else rows.setdefault(value, len(rows))
            for value in values
        ],
        dtype=np.int64,
    )
    cells = np.bincount(row_of * n_clusters + clusters, minlength=len(rows) * n_clusters)
    table = cells.reshape(len(rows), n_clusters)
    n_kept = len(known) + 1
    return _table(
        known, table[:n_kept], dict(zip(list(rows)[n_kept:], table[n_kept:], strict=True))
    )


def _table(
    known: tuple[str, ...], counts: NDArray[np.int64], new: dict[str, NDArray[np.int64]]
) -> ValueTable:
    names = sorted(new)
    counts = counts.copy()
    for value in names[MOST_VALUES:]:
        counts[-1] += new[value]
    kept = names[:MOST_VALUES]
    new_counts = np.array([new[value] for value in kept], dtype=np.int64)
    return ValueTable(known, counts, tuple(kept), new_counts.reshape(-1, counts.shape[1]))
