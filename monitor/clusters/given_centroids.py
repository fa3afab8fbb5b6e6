"""Centroids that a user gave."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.errors import InvalidInputError


def given_centroids(
    given: ArrayLike | None, n_clusters: int | None, width: int
) -> NDArray[np.float32] | None:
    """Centroids as a user gave them, (n_clusters, width), checked; None where none were given.

    Raises
    ------
    InvalidInputError
        If they do not fit the vectors or the number of clusters, or are not finite.
    """
    if given is None:
        return None
    centroids = np.asarray(given, dtype=np.float32)
    if centroids.ndim != 2 or centroids.shape[1] != width:
        raise InvalidInputError(
            f"the centroids have shape {centroids.shape}, the vectors are {width} wide; give a list of "
            f"{n_clusters or 'n_clusters'} rows of {width} numbers"
        )
    if n_clusters is not None and len(centroids) != n_clusters:
        raise InvalidInputError(
            f"{len(centroids)} centroids were given for n_clusters={n_clusters}: let the two agree"
        )
    if not np.isfinite(centroids).all():
        raise InvalidInputError("the centroids hold NaN or infinity: give finite numbers")
    return centroids
