"""The same name for the same cluster after a refit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from monitor.clusters import Name

_NEARER: Final = 0.5
"""A cluster is the same if its centre moved by at most this part of the way to its nearest neighbour."""


def kept_names(
    centroids: NDArray[np.float32], earlier: NDArray[np.float32], names: Sequence[Name]
) -> dict[int, Name]:
    """The names that clusters keep from an earlier fit, by the clusters' numbers.

    Clusters are matched one to one so that their centres lie nearest together (Kuhn 1955).

    Parameters
    ----------
    centroids
        (n, width) the new centres.
    earlier, names
        (m, width) the centres of an earlier fit in the same space, and their names.

    Examples
    --------
    >>> centres = np.array([[0, 0], [9, 0]], dtype=np.float32)
    >>> kept = kept_names(centres, centres[::-1] + 1, [Name("cap"), Name("shoes")])
    >>> [kept[at].text for at in (0, 1)]
    ['shoes', 'cap']
    """
    if len(names) != len(earlier) or not len(earlier) or not len(centroids):
        return {}
    distances = cdist(centroids, earlier)
    apart = cdist(centroids, centroids)
    np.fill_diagonal(apart, np.inf)
    return {
        int(at): names[before]
        for at, before in zip(*linear_sum_assignment(distances), strict=True)
        if names[before] and distances[at, before] <= _NEARER * apart[at].min()
    }
