"""Frame with vectors ─► baseline."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.clusters import (
    Baseline,
    Clustering,
    FitFacts,
    RowContexts,
    RowMetadata,
    RowWindows,
    draw_rows,
    fit_rows,
)
from monitor.drift import MINIMUM_ROWS
from monitor.errors import InvalidFeatureError, InvalidInputError, TooFewRowsError
from monitor.failures import count_failures, counts_in_words
from monitor.features import ClusteredFeature, CustomFeature
from monitor.frames import Times
from monitor.images.remembered import remembered_policy
from monitor.pipeline.contexts import context_keys, fitted_contexts
from monitor.pipeline.examples import RowExamples
from monitor.pipeline.fit_notes import FittedRows
from monitor.pipeline.naming import with_names
from monitor.pipeline.rows import (
    EMPTY,
    Segments,
    category_values,
    quality_fields,
    read_quality,
    read_vectors,
)
from monitor.pipeline.suspects import suspected_movements
from monitor.progress import progress_shown
from monitor.windows import Every, Grid, far_outside, utc, zone_of

if TYPE_CHECKING:
    from monitor.images import SourcePolicy
    from monitor.naming import Vocabulary

logger = logging.getLogger(__name__)


def fit_baseline(
    frame: Any,
    feature: CustomFeature,
    *,
    timestamp_column: str | None = None,
    every: str | Every = "1d",
    timezone: str = "UTC",
    segment_column: str | None = None,
    explain_columns: Sequence[str] = (),
    group_column: str | None = None,
    context: Sequence[str] = (),
    policy: SourcePolicy | None = None,
    learn_changes: bool = True,
    vocabulary: Vocabulary | None = None,
    previous: Baseline | None = None,
    progress: bool | None = None,
) -> Baseline:
    """Fit the clusters of a feature, and keep what later windows are compared with.

    Half of the rows, drawn by their content, fit the clusters. Windows are compared with all rows, those
    of this half as if each had been left out of the fit. The same rows in any order give the same baseline.

    Parameters
    ----------
    frame
        Holds the feature's column of vectors, from `embed` or from elsewhere.
    feature
        Any feature but an enrichment.
    timestamp_column
        When each row happened. From the baseline's own windows is learned how much windows vary without
        drift; without times rows are taken as independent.
    every
        The length of those windows, as production will be cut: `"1d"`, `"6h"`, … Of shorter ones that hold
        20 rows or more it is learned too, so that days do for production in hours.
    timezone
        Whose days, weeks and months they are, as production's, such as `"Europe/Berlin"`.
    segment_column
        A metadata column; each of its values gets a reference of its own, so that
        `detect_drift(..., segment_column=)` compares like with like.
    explain_columns
        Further metadata columns; when a window drifts, the report says which of their values carry the
        shift.
    group_column
        What rows that are alike have in common, such as a product or a visit: rows of one group are no
        independent evidence.
    context
        What belongs to the traffic, not to the images: `"hour"` and `"weekday"` of each row's time, and any
        metadata columns, such as a camera or a country. Windows are compared with rows of the baseline in the
        mix of their own contexts, so that nights, Sundays and more traffic from one country are no drift.
    policy
        From where images may be read again for `learn_changes`. By default as this process has embedded the
        column; where it has not, no image is read.
    learn_changes
        Read 60 of the images again and change them as faulty pipelines do (blurred, cropped, red and blue
        swapped, …), to learn how that moves their vectors: a drift of that kind is then told by its name.
    vocabulary
        The words that clusters, and later what changed, are named by: a list, or the path of a text file with
        a word a line; by default about 1,400 everyday things. An empty list names nothing by words. It takes
        vectors whose encoder is known and has a text tower; otherwise values of `explain_columns` name.
    previous
        An earlier baseline of this feature: clusters that are the same keep their names.
    progress
        Show on stderr how far it is when that takes a while; by default only when that is a terminal.

    Raises
    ------
    MissingColumnError, BaselineError, InvalidFeatureError, InvalidInputError
        If columns are missing, the feature cannot be monitored, rows are too few or too
        alike, or given centroids do not fit.

    Examples
    --------
    >>> import monitor, numpy as np, pandas as pd
    >>> points = monitor.VectorFeature(name="points", column="vector", n_clusters=3)
    >>> rows = np.random.default_rng(0).normal(size=(200, 16))
    >>> monitor.fit_baseline(pd.DataFrame({"vector": list(rows)}), points).centroids.shape
    (3, 16)
    """
    if not isinstance(feature, CustomFeature):
        raise InvalidInputError(
            f"expected a feature, got {type(feature).__name__}: describe one with "
            "monitor.VectorFeature(name=, column=) or monitor.ImageEmbedding(name=, ...)"
        )
    if not isinstance(feature, ClusteredFeature):
        raise InvalidFeatureError(
            f"feature {feature.name!r} has {feature.origin.kind} vectors but does not say how they are "
            f"clustered: make {type(feature).__name__} a subclass of ClusteredFeature"
        )
    feature.check_fit()
    vectors = read_vectors(frame, feature)
    if len(vectors.matrix) == 0:
        counts = count_failures(vectors.failures)
        raise TooFewRowsError(
            f"no row of the baseline has a vector for feature {feature.name!r} "
            f"({counts_in_words(counts) if counts else 'the frame is empty'}): embed the frame first, or "
            "check the column",
            least=2 * (feature.n_clusters or 2),
        )
    grid = Grid(Every.parse(every), zone_of(timezone))
    times = None if timestamp_column is None else frames.read_times(frame, timestamp_column)
    numbers = _window_numbers(times, grid)
    segments = None
    if segment_column is not None:
        category_values(frame, segment_column)
        of_rows = Segments.read(frame, segment_column)
        of_rows.refuse_key()
        segments = of_rows.values[vectors.usable]
    rows = np.flatnonzero(vectors.usable)
    fitted_rows = FittedRows(
        group_column=group_column,
        groups=None
        if group_column is None
        else _groups(frame, group_column, vectors.usable, feature.name),
        numbers=None if numbers is None else numbers[rows],
        contexts=None if not context else _contexts(frame, context, times, grid, vectors.usable),
        vectors=vectors.matrix,
    )
    row_examples = RowExamples(frame, feature, times)
    measured = read_quality(frame, feature)
    quality = None if measured is None else measured[rows]
    with progress_shown(progress):
        baseline, placed = fit_rows(
            vectors.matrix,
            _description(feature),
            Clustering(
                n_clusters=feature.n_clusters,
                centroids=feature.centroids,
                random_state=feature.random_state,
                scaling=feature.vector_scaling,
            ),
            RowMetadata(
                fingerprint=vectors.fingerprint,
                failures=count_failures(vectors.failures),
                segment_column=segment_column,
                segments=segments,
                windows=None
                if fitted_rows.numbers is None
                else RowWindows(
                    str(grid.every),
                    fitted_rows.numbers,
                    seasons_of(grid.every),
                    _finer_windows(times, grid, vectors.usable),
                ),
                groups=None if fitted_rows.groups is None else fitted_rows.groups[0],
                contexts=fitted_rows.contexts,
                columns={
                    name: category_values(frame, name)[vectors.usable] for name in explain_columns
                },
                quality=quality,
                quality_fields=quality_fields() if quality is not None else (),
                examples=lambda at, distances: row_examples.at(rows[at], distances),
            ),
        )
    logger.info(
        "%s: baseline of %d rows, %d clusters", feature.name, len(rows), baseline.n_clusters
    )
    # As windows are compared with them: rows of the fitted part as if left out of the fit.
    labels, distances = placed.labels[placed.places], placed.distances[placed.places]
    policy = policy or remembered_policy(feature.origin.source_column)
    baseline = with_names(
        baseline,
        feature,
        placed.vectors,
        placed.labels,
        vocabulary=vocabulary,
        previous=previous,
    )
    return replace(
        baseline,
        examples=row_examples.per_cluster(rows, labels, distances, baseline.n_clusters),
        movements=None
        if policy is None or not learn_changes
        else suspected_movements(
            frame, feature, baseline, rows[draw_rows(len(rows), feature.random_state)], policy
        ),
        time_range=_time_range(times, numbers),
        timezone=grid.zone.key,
        windows_per_week=grid.every.per_week,
        closed=() if numbers is None else closed_times(numbers, grid.every.per_week),
        facts=FitFacts(group_column, fitted_rows.notes(baseline)),
    )


def _contexts(
    frame: Any,
    names: Sequence[str],
    times: Times | None,
    grid: Grid,
    usable: NDArray[np.bool_],
) -> RowContexts:
    """In which context each usable row is."""
    keys = context_keys(frame, names, times, grid.zone)
    return fitted_contexts(names, [keys[at] for at in np.flatnonzero(usable)])


def _groups(
    frame: Any, column: str, usable: NDArray[np.bool_], name: str
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Of each usable row, a number for its group, and whether it has one, or is a group of its own."""
    values = category_values(frame, column)[usable]
    has_group = values != EMPTY
    if not has_group.any():
        raise InvalidInputError(
            f"column {column!r} has no value in any row of the baseline of feature {name!r}, and "
            "group_column names what rows have in common, such as a product: fill it, or leave group_column "
            "out"
        )
    _, groups = np.unique(values.astype(str), return_inverse=True)
    return np.where(has_group, groups, len(values) + np.arange(len(values))), has_group


def _description(feature: ClusteredFeature) -> dict[str, Any]:
    """The feature without its centroids, which the baseline holds as an array."""
    return feature.to_dict() | {"centroids": None}


DAYS_OF_WEEK: Final = 7
MOST_FINER: Final = 2_000
"""More windows of one length would swell the baseline."""
LEAST_WEEKS: Final = 4
"""A time of the week without rows in fewer weeks may be chance, or a holiday."""


def seasons_of(every: Every) -> int:
    """How many seasons windows may have: the days of the week where a window is a day."""
    return DAYS_OF_WEEK if every == Every(1, "D") else 1


def _finer_windows(
    times: Times | None, grid: Grid, usable: NDArray[np.bool_]
) -> dict[str, NDArray[np.int64]]:
    """The numbers of shorter windows that production may be cut into, where these have rows enough."""
    finer = {}
    for every in grid.every.finer:
        numbers = _window_numbers(times, replace(grid, every=every))
        assert numbers is not None
        windows = RowWindows(str(every), numbers[usable])
        if (windows.usual_size or 0) >= MINIMUM_ROWS and windows.n_windows <= MOST_FINER:
            finer[windows.every] = windows.numbers
    return finer


def _window_numbers(times: Times | None, grid: Grid) -> NDArray[np.int64] | None:
    """(rows,) the window of each row; −1 for one without a time, or with one far from all others."""
    if times is None:
        return None
    numbers = np.full(len(times.values), -1, dtype=np.int64)
    dated = np.flatnonzero(~np.isnat(times.values))
    if len(dated):
        of_dated = grid.numbers(times.values[dated])
        # A wrong clock makes no window.
        is_near = ~far_outside(of_dated)
        dated, of_dated = dated[is_near], of_dated[is_near]
        # Not negative, and the same days and hours of the week.
        period = DAYS_OF_WEEK * max(grid.every.per_week, 1)
        numbers[dated] = of_dated - of_dated.min() // period * period
    return numbers


def closed_times(numbers: NDArray[np.int64], per_week: int) -> tuple[int, ...]:
    """Which windows of the week never have a row, in at least `LEAST_WEEKS` weeks.

    Parameters
    ----------
    numbers
        The window of each row; negative ones are none.
    per_week
        How many windows a week has; 0 where windows are not parts of weeks.

    Examples
    --------
    >>> closed_times(np.array([day for day in range(28) if day % 7 != 3]), 7)
    (3,)
    """
    present = np.unique(numbers[numbers >= 0])
    if per_week < 2 or len(present) == 0:
        return ()
    all_windows = np.arange(present[0], present[-1] + 1)
    n_times = np.bincount(all_windows % per_week, minlength=per_week)
    n_open = np.bincount(present % per_week, minlength=per_week)
    return tuple(np.flatnonzero((n_open == 0) & (n_times >= LEAST_WEEKS)).tolist())


def _time_range(times: Times | None, numbers: NDArray[np.int64] | None) -> tuple[str, str] | None:
    if times is None or numbers is None or (numbers < 0).all():
        return None
    dated = times.values[numbers >= 0]
    return utc(dated.min()).isoformat(), utc(dated.max()).isoformat()
