"""Vectors ─► Baseline: split, fit clusters on one part, describe both."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.clusters.baseline import Baseline
from monitor.clusters.baseline_rows import BaselineRows
from monitor.clusters.baseline_statistics import BaselineStatistics
from monitor.clusters.choice import choose_n_clusters
from monitor.clusters.kmeans import (
    MAX_FIT_ROWS,
    assign,
    fit_centroids,
    largest_repeated_share,
    split_by_content,
)
from monitor.clusters.scaling import RAW, STANDARD, UNIT, Scaling
from monitor.clusters.sketch import N_DISTANCE_BINS, quantum_for, sketch_rows
from monitor.clusters.value_table import fit_values
from monitor.errors import BaselineError, InvalidInputError

FIT_SHARE = 0.5
NOVELTY_QUANTILE = 0.99
MAX_SAMPLE_OF_SEGMENTS, LEAST_SAMPLE = 4_000, 64
"""Rows that the references of all segments keep together, and each at least."""


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
    every: str = "1d",
    windows: NDArray[np.int64] | None = None,
    n_seasons: int = 1,
    columns: Mapping[str, NDArray[np.object_]] | None = None,
) -> Baseline:
    """Fit a `Baseline` on usable vectors.

    The rows are split at random by their content (see `split_by_content`), so that the order of the
    rows does not matter. Centroids, whitener and novelty radius come from the first part. Production is
    compared with all rows, those of the first part as if each had been left out of the fit; where that
    cannot be told, with the second part only (see `BaselineStatistics`).

    Parameters
    ----------
    vectors
        (n, width) finite numbers, no row all zero.
    feature
        Kept in the baseline as its description; must hold `name`.
    n_clusters
        2 or more, or None to choose it from the data.
    centroids
        (n_clusters, width), used as they are; nothing is fitted then. With `"unit"` scaling they are
        centroids of vectors of length 1, no longer than 1 themselves; where one is longer, vectors are
        not scaled. With `"standard"` scaling they are in the units of the columns.
    random_state
        Seed of the split and of k-means.
    fingerprint
        The encoder of the vectors, if known.
    failures
        Rows left out before, per reason.
    scaling
        `"unit"` or `"standard"` (see `Scaling`).
    fit_share
        Share of the rows that clusters are fitted on, in (0, 1), up to `MAX_FIT_ROWS` rows.
    segment_column, segments
        Name of a metadata column and its values, (n,).
    every, windows
        A length of time, and (n,) the number of the window of that length that each row lies in,
        negative where it has no time. From them the natural variation between windows is learned.
    n_seasons
        Windows whose numbers are alike modulo this may differ from others as a rule: 7 for days. Each
        such season gets a reference of its own when the rows show that they do.
    columns
        Further metadata columns and their values, (n,) text each.

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
            f"needed for {n_clusters or 2} clusters, half of them to fit the clusters on, "
            "and 1,000 or more make good verdicts: give more rows"
        )
    given = None if centroids is None else _checked_centroids(centroids, n_clusters, width)
    scale = _scaling(scaling, vectors, given)
    scaled = scale.apply(vectors)
    least = n_clusters or 2
    n_fit = int(np.clip(min(round(n * fit_share), MAX_FIT_ROWS), least, n - 1))
    fit_rows, other_rows = split_by_content(scaled, n_fit, random_state)
    if len(other_rows) == 0:
        raise BaselineError(
            f"all {n} rows of the baseline of feature {feature['name']!r} hold one vector: give rows "
            "that differ, or check that the feed is not one placeholder image"
        )
    fit_part = scaled[fit_rows]

    choice = None
    if given is None:
        if n_clusters is None:
            choice = choose_n_clusters(
                fit_part,
                random_state=random_state,
                window_rows=_usual_size(windows),
                baseline_rows=n,
            )
            n_clusters = choice.n_clusters
        centres = fit_centroids(fit_part, n_clusters, random_state=random_state)
    else:
        # In the columns' own units, as people know them.
        centres = scale.apply(given) if scale.kind == STANDARD else given

    _, fit_distances = assign(fit_part, centres)
    radius = float(np.quantile(fit_distances, NOVELTY_QUANTILE))
    edges = np.linspace(0.0, 2 * float(fit_distances.max() or 1.0), N_DISTANCE_BINS)[1:]
    quantum = quantum_for(float(np.abs(fit_part).max()))
    whitener = _whitener(fit_part)
    rng = np.random.default_rng([random_state, 0x736D70])
    compared = BaselineRows.of(
        scaled,
        fit_rows,
        other_rows,
        centres,
        whitener,
        are_fitted=given is None,
        novelty_radius=radius,
        every=every,
        windows=windows,
    )

    sketch = partial(
        sketch_rows,
        n_clusters=len(centres),
        quantum=quantum,
        novelty_radius=radius,
        distance_edges=edges,
    )

    by_value: dict[str, BaselineStatistics] = {}
    if segments is not None:
        values = np.asarray(segments, dtype=object)[compared.order]
        names = sorted(set(values.tolist()))
        of_each = max(MAX_SAMPLE_OF_SEGMENTS // len(names), LEAST_SAMPLE)
        for name in names:
            rows = values == name
            varied = compared.dated(rows).variation()
            by_value[name] = compared.statistics(rows, sketch, {}, varied, rng, of_each)
    all_rows = np.ones(len(compared), dtype=bool)
    all_dated = compared.dated(all_rows)
    seasons: tuple[BaselineStatistics, ...] = ()
    if n_seasons > 1 and all_dated.has_seasons(n_seasons):
        seasons = tuple(
            compared.statistics(
                (compared.windows >= 0) & (compared.windows % n_seasons == season),
                sketch,
                {},
                all_dated.variation(n_seasons, season),
                rng,
            )
            for season in range(n_seasons)
        )
    return Baseline(
        feature=feature,
        fingerprint=fingerprint,
        centroids=centres,
        whitener=whitener,
        novelty_radius=radius,
        distance_edges=edges,
        quantum=quantum,
        statistics=compared.statistics(
            all_rows, sketch, failures or {}, all_dated.variation(), rng
        ),
        n_fit=len(fit_part),
        random_state=random_state,
        scaling=scale,
        most_repeated=largest_repeated_share(scaled),
        choice=choice.reason if choice else None,
        segment_column=segment_column,
        segments=by_value,
        seasons=seasons,
        columns={
            name: fit_values(
                column[compared.order[: compared.n_compared]].tolist(),
                compared.labels[: compared.n_compared],
                n_clusters=len(centres),
            )
            for name, column in (columns or {}).items()
        },
    )


def _usual_size(windows: NDArray[np.int64] | None) -> int | None:
    """The median number of rows of the windows; None without times."""
    dated = np.empty(0) if windows is None else windows[windows >= 0]
    return int(np.median(np.unique(dated, return_counts=True)[1])) if len(dated) else None


def _scaling(
    kind: str, vectors: NDArray[np.floating], given: NDArray[np.float32] | None
) -> Scaling:
    if kind == STANDARD:
        return Scaling.standard(np.asarray(vectors, dtype=np.float64))
    # A mean of unit vectors is no longer than 1, so longer centroids are of vectors as they are.
    if given is not None and np.linalg.norm(given, axis=1).max() > 1.001:
        return Scaling(RAW)
    return Scaling(UNIT)


def _whitener(fit_part: NDArray[np.float32]) -> NDArray[np.float32]:
    """(width, width): the eigenbasis V of the covariance with columns scaled by (λ + mean λ)^(−1/2)."""
    centred = fit_part.astype(np.float64) - fit_part.mean(axis=0, dtype=np.float64)
    eigenvalues, eigenvectors = np.linalg.eigh(centred.T @ centred / max(len(centred) - 1, 1))
    eigenvalues = np.clip(eigenvalues, 0, None)
    ridge = float(eigenvalues.mean()) or 1.0
    return np.asarray(eigenvectors / np.sqrt(eigenvalues + ridge), dtype=np.float32)


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
