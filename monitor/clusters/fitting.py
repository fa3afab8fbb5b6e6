"""Vectors ─► Baseline: split, fit clusters on one part, describe the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.clusters.baseline import STANDARD, Baseline, Scaling
from monitor.clusters.choice import choose_n_clusters
from monitor.clusters.kmeans import (
    assign,
    content_order,
    duplicate_end,
    fit_centroids,
)
from monitor.clusters.moments import spectral_moments
from monitor.clusters.sketch import sketch_rows
from monitor.errors import BaselineError, InvalidInputError

FIT_SHARE = 0.5
NOVELTY_QUANTILE = 0.99


def fit(
    vectors: NDArray[np.floating],
    feature: Mapping[str, Any],
    *,
    n_clusters: int | None,
    centroids: ArrayLike | None = None,
    random_state: int = 0,
    fingerprint: str | None = None,
    failures: Mapping[str, int] | None = None,
    scaling: str = "unit",
    fit_share: float = FIT_SHARE,
    segment_column: str | None = None,
    segments: NDArray[np.object_] | None = None,
) -> Baseline:
    """Fit a `Baseline` on usable vectors.

    The rows are split at random by their content, so that duplicates stay on one side and the order of
    the rows does not matter. Centroids, whitener and novelty radius come from the first part; counts,
    sums and covariance moments from the second, so that production is compared with rows that nothing
    was fitted on.

    Parameters
    ----------
    vectors
        (n, width) finite numbers, no row all zero.
    feature
        Kept in the baseline as its description; must hold `name`.
    n_clusters
        2 or more, or None to choose it from the data.
    centroids
        (n_clusters, width), used as they are; nothing is fitted then. With `"standard"` scaling they
        are in the units of the columns.
    random_state
        Seed of the split and of k-means.
    fingerprint
        The encoder of the vectors, if known.
    failures
        Rows left out before, per reason.
    scaling
        `"unit"` or `"standard"` (see `Scaling`).
    fit_share
        Share of the rows that clusters are fitted on, in (0, 1).
    segment_column, segments
        Name of a metadata column and its values, (n,).

    Raises
    ------
    BaselineError
        If there are too few rows, or too few distinct ones.
    InvalidInputError
        If given centroids do not fit the vectors.
    """
    n, width = vectors.shape
    smallest = 2 * (n_clusters or 2)
    if n < smallest:
        raise BaselineError(
            f"the baseline of feature {feature['name']!r} has {n} usable rows; at least {smallest} are "
            f"needed for {n_clusters or 2} clusters, half of them to fit and half to compare with, "
            "and 1,000 or more make good verdicts: give more rows"
        )
    scale = (
        Scaling.standard(np.asarray(vectors, dtype=np.float64))
        if scaling == STANDARD
        else Scaling()
    )
    scaled = scale.apply(vectors)
    order = content_order(scaled, random_state)
    least_fit = n_clusters or 2
    cut = int(np.clip(round(n * fit_share), least_fit, n - 1))
    cut = duplicate_end(scaled, order, cut)
    if cut == n:
        raise BaselineError(
            f"the baseline of feature {feature['name']!r} holds nearly one vector only "
            f"({n} rows): give rows that differ, or check that the feed is not one placeholder image"
        )
    fit_part, calibration = scaled[order[:cut]], scaled[order[cut:]]

    choice = None
    if centroids is not None:
        centres = _checked_centroids(centroids, n_clusters, width)
        if scaling == STANDARD:
            # Given in the columns' own units, as people know them.
            centres = scale.apply(centres)
    else:
        if n_clusters is None:
            choice = choose_n_clusters(fit_part, random_state=random_state)
            n_clusters = choice.n_clusters
        centres = fit_centroids(fit_part, n_clusters, random_state=random_state)

    radius = float(np.quantile(assign(fit_part, centres)[1], NOVELTY_QUANTILE))
    whitener = _whitener(fit_part)
    exact = calibration.astype(np.float64)
    labels, distances = assign(calibration, centres)

    def sketch(rows: NDArray[np.bool_] | slice, lost: Mapping[str, int]) -> Any:
        return sketch_rows(
            calibration[rows],
            labels[rows],
            distances[rows],
            n_clusters=len(centres),
            novelty_radius=radius,
            failures=dict(lost),
        )

    values = None if segments is None else np.asarray(segments, dtype=object)[order[cut:]]
    return Baseline(
        feature=feature,
        fingerprint=fingerprint,
        centroids=centres,
        whitener=whitener.astype(np.float32),
        novelty_radius=radius,
        reference=sketch(slice(None), failures or {}),
        mean_moments=spectral_moments(exact),
        whitened_moments=spectral_moments(exact @ whitener),
        n_fit=cut,
        random_state=random_state,
        scaling=scale,
        most_repeated=largest_repeated_share(scaled),
        choice=choice.reason if choice else None,
        segment_column=segment_column,
        segments={}
        if values is None
        else {value: sketch(values == value, {}) for value in sorted(set(values.tolist()))},
    )


def largest_repeated_share(vectors: NDArray[np.float32]) -> float:
    """The share of rows, in [0, 1], that hold the most frequent vector; 0 when all differ."""
    if len(vectors) == 0:
        return 0.0
    rows = np.ascontiguousarray(vectors).view(np.dtype((np.void, vectors.shape[1] * 4))).ravel()
    most = int(np.unique(rows, return_counts=True)[1].max())
    return most / len(vectors) if most > 1 else 0.0


def _whitener(fit_part: NDArray[np.float32]) -> NDArray[np.float64]:
    """(width, width): the eigenbasis V of the covariance with columns scaled by (λ + mean λ)^(−1/2)."""
    centred = fit_part.astype(np.float64) - fit_part.mean(axis=0, dtype=np.float64)
    eigenvalues, eigenvectors = np.linalg.eigh(centred.T @ centred / max(len(centred) - 1, 1))
    eigenvalues = np.clip(eigenvalues, 0, None)
    ridge = float(eigenvalues.mean()) or 1.0
    return np.asarray(eigenvectors / np.sqrt(eigenvalues + ridge))


def _checked_centroids(
    centroids: ArrayLike, n_clusters: int | None, width: int
) -> NDArray[np.float32]:
    centres = np.asarray(centroids, dtype=np.float32)
    if centres.ndim != 2 or centres.shape[1] != width:
        raise InvalidInputError(
            f"the centroids have shape {centres.shape}, the vectors are {width} wide; give a list of "
            f"{n_clusters or 'n_clusters'} rows of {width} numbers"
        )
    if n_clusters is not None and len(centres) != n_clusters:
        raise InvalidInputError(
            f"{len(centres)} centroids were given for n_clusters={n_clusters}: let the two agree"
        )
    if not np.isfinite(centres).all():
        raise InvalidInputError("the centroids hold NaN or infinity: give finite numbers")
    return centres
