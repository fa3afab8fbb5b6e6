"""Vectors ─► Baseline: split, fit clusters on one part, describe both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.clusters.baseline import Baseline
from monitor.clusters.baseline_rows import BaselineRows, RowWindows
from monitor.clusters.baseline_statistics import BaselineStatistics
from monitor.clusters.choice import ClusterChoice, choose_n_clusters
from monitor.clusters.content import (
    content_keys,
    keys_of_blocks,
    largest_share,
    split_by_content,
)
from monitor.clusters.example import Example
from monitor.clusters.fitted import FittedClusters
from monitor.clusters.given_centroids import given_centroids
from monitor.clusters.kmeans import MAX_FIT_ROWS, fit_centroids
from monitor.clusters.measured_rows import MeasuredRows, kin_of
from monitor.clusters.quality_sketch import fit_quality
from monitor.clusters.replay import WindowsOf, replay, replay_groups
from monitor.clusters.replayed_windows import ReplayedWindows
from monitor.clusters.scaling import RAW, STANDARD, UNIT, Scaling
from monitor.clusters.seasons import finer_variations, season_masks, season_statistics
from monitor.clusters.strata import RowContexts, Strata, expected_counts
from monitor.clusters.time_blocks import block_of_rows
from monitor.clusters.twins import twin_groups, twin_share
from monitor.clusters.value_table import ValueTable, fit_values
from monitor.errors import BaselineError, TooFewRowsError

FIT_SHARE: Final = 0.5
"""Of the rows, up to `MAX_FIT_ROWS`, those that clusters are fitted on."""
MAX_SAMPLE_OF_SEGMENTS, LEAST_SAMPLE = 4_000, 64
"""Rows that the statistics of all segments keep together, and each at least."""


@dataclass(frozen=True, eq=False)
class Clustering:
    """How rows come into clusters.

    Parameters
    ----------
    n_clusters
        2 or more, or None to choose it from the data.
    centroids
        (n_clusters, width), used as they are; nothing is fitted then. With `"unit"` scaling they are
        centroids of vectors of length 1, no longer than 1 themselves; where one is longer, vectors are
        not scaled. With `"standard"` scaling they are in the units of the columns.
    random_state
        Seed of the split and of k-means.
    scaling
        See `Scaling`.
    """

    n_clusters: int | None
    centroids: ArrayLike | None = None
    random_state: int = 0
    scaling: Literal["unit", "standard", "raw"] = UNIT


@dataclass(frozen=True, eq=False)
class RowMetadata:
    """What is known of a baseline's rows beside their vectors.

    Parameters
    ----------
    fingerprint
        The encoder of the vectors, if known.
    failures
        Rows left out before, per reason.
    segment_column, segments
        Name of a metadata column and its values, (n,); None for rows that are in no segment.
    windows
        Which window each row lies in. From them the natural variation between windows is learned.
    groups
        (n,) which group of alike rows each row belongs to, such as the photos of one product.
    contexts
        In which context each row is: windows are compared with rows of their own mix of them. Days of the
        week have no statistics of their own then.
    columns
        Further metadata columns and their values, (n,) text each.
    quality, quality_fields
        (n, fields) the images' pixel statistics, NaN where there are none; and their names.
    examples
        Says of rows, by their positions and distances to the nearest centroid, where they are found.
    """

    fingerprint: str | None = None
    failures: Mapping[str, int] = field(default_factory=dict)
    segment_column: str | None = None
    segments: NDArray[np.object_] | None = None
    windows: RowWindows | None = None
    groups: NDArray[np.int64] | None = None
    contexts: RowContexts | None = None
    columns: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    quality: NDArray[np.float32] | None = None
    quality_fields: tuple[str, ...] = ()
    examples: Callable[[NDArray[np.int64], NDArray[np.float32]], tuple[Example, ...]] | None = None


def fit(
    vectors: NDArray[np.floating],
    feature: Mapping[str, Any],
    clustering: Clustering,
    metadata: RowMetadata | None = None,
) -> Baseline:
    """Fit a `Baseline` on usable vectors.

    The rows are split at random by their content (see `split_by_content`), so that the order of the
    rows does not matter. Centroids and whitener come from the first part. Production is
    compared with all rows, those of the first part as if each had been left out of the fit; where the
    rows are too few for that, with the second part only (see `BaselineStatistics`).

    Parameters
    ----------
    vectors
        (n, width) finite numbers, no row all zero.
    feature
        Kept in the baseline as its description; must hold `name`.
    clustering
        How clusters are made.
    metadata
        What else is known of the rows.

    Raises
    ------
    BaselineError
        If there are too few rows, or too few distinct ones.
    InvalidInputError
        If given centroids do not fit the vectors.
    """
    return fit_rows(vectors, feature, clustering, metadata)[0]


def fit_rows(
    vectors: NDArray[np.floating],
    feature: Mapping[str, Any],
    clustering: Clustering,
    metadata: RowMetadata | None = None,
) -> tuple[Baseline, BaselineRows]:
    """What `fit` does, with the rows in their clusters."""
    metadata = metadata or RowMetadata()
    least = 2 * (clustering.n_clusters or 2)
    if len(vectors) < least:
        raise TooFewRowsError(
            f"the baseline of feature {feature['name']!r} has {len(vectors)} usable rows; at least "
            f"{least} are needed for {least // 2} clusters, half of them to fit the clusters on, "
            "and 1,000 or more make good verdicts: give more rows",
            least=least,
        )
    centroids = given_centroids(clustering.centroids, clustering.n_clusters, vectors.shape[1])
    scaling = _scaling(clustering.scaling, vectors, centroids)
    scaled = scaling.apply(vectors)
    n_fit = int(
        np.clip(min(round(len(vectors) * FIT_SHARE), MAX_FIT_ROWS), least // 2, len(vectors) - 1)
    )
    keys = content_keys(scaled, clustering.random_state)
    most_repeated = largest_share(keys)
    if metadata.windows is not None:
        keys = keys_of_blocks(keys, block_of_rows(metadata.windows.numbers))
    twins = 0.0
    if metadata.groups is None:
        twins = twin_share(scaled, clustering.random_state)
        if metadata.windows is None or not metadata.windows.n_windows:
            # Where windows are known, they tell how alike rows are.
            groups = twin_groups(scaled, keys, clustering.random_state)
            metadata = replace(metadata, groups=groups)
    fit_rows, other_rows = split_by_content(keys, n_fit, metadata.groups)
    if len(other_rows) == 0:
        raise BaselineError(_not_split(feature["name"], keys))
    fit_part = scaled[fit_rows]
    choice = None
    if centroids is None:
        choice = _choice(fit_part, clustering, metadata.windows, len(vectors))
        n_clusters = choice.n_clusters if choice else clustering.n_clusters
        assert n_clusters is not None
        centres = fit_centroids(fit_part, n_clusters, random_state=clustering.random_state)
    else:
        # In the columns' own units, as people know them.
        centres = scaling.apply(centroids) if scaling.kind == STANDARD else centroids
    clusters = FittedClusters.of(fit_part, centres, are_given=centroids is not None)
    rows = BaselineRows.of(scaled, keys, (fit_rows, other_rows), clusters, metadata.windows)
    if metadata.contexts is not None:
        rows = replace(rows, strata=metadata.contexts.strata[rows.order])
    kin = kin_of(rows.keys, None if metadata.groups is None else metadata.groups[rows.order])
    measured = MeasuredRows.of(rows.vectors, kin, rows.n_compared, clustering.random_state)
    quality = None
    if metadata.quality is not None:
        quality = fit_quality(metadata.quality, metadata.quality_fields)
        measured = replace(measured, quality=quality, pixels=metadata.quality[rows.order])
    rows, known_at = replace(rows, measured=measured), rows.order[measured.known_at]
    rng = np.random.default_rng([clustering.random_state, 0x736D70])
    masks = _segment_masks(rows, metadata.segments)
    of_seasons = [] if metadata.contexts else season_masks(rows, metadata.windows)
    of_all = [
        WindowsOf([rows.all]),
        WindowsOf([mask for mask in of_seasons if mask is not None]),
    ]
    known_finer = {} if metadata.windows is None or metadata.contexts else metadata.windows.finer
    finer = {every: numbers[rows.order] for every, numbers in known_finer.items()}
    of_finer = [WindowsOf([rows.all], numbers) for numbers in finer.values()]
    of_segments = [WindowsOf([mask]) for mask in masks.values()]
    if metadata.contexts is None:
        replayed = replay(rows, [*of_all, *of_segments, *of_finer], clustering.random_state)
    else:
        # Segments are compared with their own rows in any context.
        plain = replace(rows, strata=rows.strata[:0])
        replayed = replay(rows, of_all, clustering.random_state)
        if masks:
            replayed += replay(plain, of_segments, clustering.random_state)
    whole, replayed_seasons, *others = replayed
    replayed_segments, replayed_finer = others[: len(masks)], others[len(masks) :]
    grouped = _grouped(rows, metadata, [rows.all, *masks.values()], clustering.random_state)
    baseline = Baseline(
        feature=feature,
        fingerprint=metadata.fingerprint,
        centroids=clusters.centroids,
        whitener=clusters.whitener,
        distance_edges=clusters.distance_edges,
        quantum=clusters.quantum,
        known=measured.known_rows(
            None
            if metadata.examples is None
            else metadata.examples(known_at, rows.distances[measured.known_at])
        ),
        nearness_edges=measured.measures.edges,
        kernels=measured.measures.kernels,
        statistics=rows.statistics(
            rows.all,
            rows.dated(rows.all).variation(whole, expected=expected_counts(rows)),
            rng,
            failures=metadata.failures,
            grouped=grouped[0],
        ),
        n_fit=len(fit_part),
        random_state=clustering.random_state,
        scaling=scaling,
        most_repeated=most_repeated,
        twins=twins,
        choice=choice.reason if choice else None,
        segment_column=metadata.segment_column,
        segments=_segments(
            rows, masks, list(zip(replayed_segments, grouped[1:], strict=True)), rng
        ),
        seasons=season_statistics(rows, of_seasons, (whole, replayed_seasons), rng),
        finer=finer_variations(rows, finer, replayed_finer),
        context=None if metadata.contexts is None else Strata.of(rows, metadata.contexts),
        columns={name: _value_table(rows, values) for name, values in metadata.columns.items()},
        quality=quality,
    )
    return baseline, rows


def _choice(
    fit_part: NDArray[np.float32],
    clustering: Clustering,
    windows: RowWindows | None,
    n_rows: int,
) -> ClusterChoice | None:
    """The number of clusters that the rows ask for; None where it is set."""
    if clustering.n_clusters is not None:
        return None
    return choose_n_clusters(
        fit_part,
        random_state=clustering.random_state,
        window_rows=None if windows is None else windows.usual_size,
        baseline_rows=n_rows,
    )


def _grouped(
    rows: BaselineRows,
    metadata: RowMetadata,
    masks: Sequence[NDArray[np.bool_]],
    random_state: int,
) -> list[ReplayedWindows | None]:
    """How much groups of alike rows make samples differ; windows, where there are any, tell it too."""
    if metadata.groups is None or (rows.windows >= 0).any():
        return [None] * len(masks)
    groups = metadata.groups[rows.order]
    return replay_groups(rows, groups, masks, random_state)


def _segment_masks(
    rows: BaselineRows, values: NDArray[np.object_] | None
) -> dict[str, NDArray[np.bool_]]:
    """The rows of each value of a metadata column."""
    if values is None:
        return {}
    values = np.asarray(values, dtype=object)[rows.order]
    return {name: values == name for name in sorted(set(values.tolist()) - {None})}


def _segments(
    rows: BaselineRows,
    masks: Mapping[str, NDArray[np.bool_]],
    replayed: Sequence[tuple[ReplayedWindows | None, ReplayedWindows | None]],
    rng: np.random.Generator,
) -> dict[str, BaselineStatistics]:
    """The statistics of each value of a metadata column."""
    max_sample = max(MAX_SAMPLE_OF_SEGMENTS // max(len(masks), 1), LEAST_SAMPLE)
    return {
        name: rows.statistics(
            mask, rows.dated(mask).variation(windows), rng, max_sample=max_sample, grouped=grouped
        )
        for (name, mask), (windows, grouped) in zip(masks.items(), replayed, strict=True)
    }


def _value_table(rows: BaselineRows, values: NDArray[np.object_]) -> ValueTable:
    """The values of a metadata column against the clusters, of the rows that windows are compared with."""
    compared = rows.order[: rows.n_compared]
    labels = rows.labels[: rows.n_compared]
    return fit_values(values[compared].tolist(), labels, n_clusters=rows.clusters.n_clusters)


def _scaling(
    kind: Literal["unit", "standard", "raw"],
    vectors: NDArray[np.floating],
    centroids: NDArray[np.float32] | None,
) -> Scaling:
    if kind == STANDARD:
        return Scaling.standard(np.asarray(vectors, dtype=np.float64))
    # A mean of unit vectors is no longer than 1, so longer centroids are of vectors as they are.
    if centroids is not None and np.linalg.norm(centroids, axis=1).max() > 1.001:
        return Scaling(RAW)
    return Scaling(kind)


def _not_split(name: str, keys: NDArray[np.uint64]) -> str:
    """Why no rows are left that nothing was fitted on."""
    what = f"all {len(keys)} rows of the baseline of feature {name!r}"
    if len(np.unique(keys)) > 1:
        return f"{what} are of one group: give a group_column that tells rows apart, or none"
    return (
        f"{what} hold one vector: give rows that differ, or check that the feed is not one placeholder "
        "image"
    )
