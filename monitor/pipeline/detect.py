"""Frame with vectors + baseline ─► drift report."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from monitor import frames
from monitor.clusters import Baseline
from monitor.drift import Distance, PastWindow, own_distances
from monitor.errors import InvalidInputError
from monitor.pipeline.judged import Judged, checked_baselines, judge_frame, judge_tables
from monitor.pipeline.notes import other_windows
from monitor.progress import progress_shown
from monitor.reports import DriftReport
from monitor.rules import RunRules
from monitor.windows import Every, Window, zone_of

if TYPE_CHECKING:
    import pyarrow as pa


def detect_drift(
    frame: Any,
    baseline: Baseline | Sequence[Baseline],
    *,
    timestamp_column: str | None = None,
    every: str | Every | None = None,
    timezone: str = "UTC",
    window: tuple[dt.datetime, dt.datetime] | None = None,
    segment_column: str | None = None,
    max_false_alarms_per_year: float = RunRules.max_false_alarms_per_year,
    alpha: float | None = None,
    minimum_rows: int = RunRules.minimum_rows,
    minimum_change: float = RunRules.minimum_change,
    thresholds: Mapping[str, float | str] | None = None,
    distances: Sequence[Distance | str] = (),
    history: Mapping[str, Sequence[PastWindow]] | None = None,
    progress: bool | None = None,
) -> DriftReport:
    """Judge production rows against a baseline, window by window.

    Parameters
    ----------
    frame
        Holds the feature's column of vectors, from `embed` or from elsewhere. Or an iterator of such frames,
        as `pyarrow.parquet.ParquetFile(…).iter_batches()` is: the rows in pieces. Of more than 100,000 rows
        one piece at a time is in memory then, and which rows changed is read off some of each window.
    baseline
        One baseline, or one per feature.
    timestamp_column
        When each row happened; needed for `every`. Rows without a time are counted in a note.
    every
        The window's length: `"1d"`, `"6h"`, `"30min"`, `"1w"`, `"1mo"`; windows are half-open. By default
        all rows are one window.
    timezone
        Whose days, weeks and months these are, such as `"Europe/Berlin"`; hours and minutes are counted
        in UTC. Fit the baseline with the same one.
    window
        Take all rows as this one window, half-open, aware datetimes; `every` then only sets alpha.
    segment_column
        A metadata column; each of its values is judged too, against the same value in the baseline.
        That must have been fitted with this column; otherwise, and for values that are new, distances
        are to the whole baseline and the verdict is inconclusive.
    max_false_alarms_per_year
        How many false alarms there may be in a year of such windows, over all features and segments, on
        average; an alarm is a run of windows without drift that are called drifted. It sets alpha;
        without `every` alpha is 0.01 over all features and segments. Segments together get half of it.
        Of the rest, single windows get one half, and pooled tests of the last 2, 4, 8, 16 and 32 windows
        together the other (7, 14 and 28 where days of the week differ): these see small shifts that last.
    alpha
        The significance level of one feature in one window or segment, in (0, 1), instead of the above;
        no pooled tests are made then.
    minimum_rows
        Windows with fewer vectors are inconclusive.
    minimum_change
        A change is called drift from this share of rows on, in [0, 1): as if so many had been swapped for
        unrelated images. Without it, a million rows would alarm on nothing.
    thresholds
        Your own rule instead of the p-value: a window has drifted when a distance reaches its threshold,
        a number or such as `"3 sd"`, standard deviations above the mean over the baseline's own windows.
    distances
        Distances of your own beside `jsd`, `psi`, `hellinger`, `chi2` and `wasserstein`, or the names of
        a plug-in's; those that `thresholds` names are computed anyway.
    history
        By feature, windows that were judged before, in the order of time, so that pooled tests reach back
        beyond this frame. Of many the first 96 and the last 64 are enough: the first teach how much windows
        differ, the last are pooled.
    progress
        Show on stderr how far it is when that takes a while; by default only when that is a terminal.

    Raises
    ------
    MissingColumnError, TimestampError, FingerprintMismatchError, InvalidInputError
        If columns are missing, times cannot be read, or the vectors come from another encoder.

    Examples
    --------
    >>> import monitor, numpy as np, pandas as pd
    >>> points = monitor.VectorFeature(name="points", column="vector", n_clusters=3)
    >>> rng = np.random.default_rng(0)
    >>> calm = pd.DataFrame({"vector": list(rng.normal(size=(400, 16)))})
    >>> moved = pd.DataFrame({"vector": list(rng.normal(size=(200, 16)) + 1)})
    >>> report = monitor.detect_drift(moved, monitor.fit_baseline(calm, points))
    >>> report.to_frame()["verdict"].tolist()
    ['drift']
    """
    rules = RunRules(
        every=None if every is None else Every.parse(every),
        zone=zone_of(timezone),
        segment_column=segment_column,
        max_false_alarms_per_year=max_false_alarms_per_year,
        alpha=alpha,
        minimum_rows=minimum_rows,
        minimum_change=minimum_change,
        thresholds=thresholds or {},
        distances=own_distances(distances, thresholds or ()),
    )
    for of_feature in checked_baselines(baseline):
        if warning := other_windows(of_feature, rules.grid):
            warnings.warn(warning, stacklevel=2)
    span = None if window is None else Window(*(edge.astimezone(dt.UTC) for edge in window))
    judge: Callable[..., Judged] = judge_tables if isinstance(frame, Iterator) else judge_frame
    rows = _as_tables(frame) if isinstance(frame, Iterator) else frame
    with progress_shown(progress):
        return judge(
            rows, baseline, rules, timestamp_column=timestamp_column, window=span, history=history
        ).report


def _as_tables(pieces: Iterator[Any]) -> Iterator[pa.Table]:
    import pyarrow as pa

    is_empty = True
    for piece in pieces:
        is_empty = False
        is_batch = isinstance(piece, pa.RecordBatch)
        yield frames.as_arrow(pa.Table.from_batches([piece]) if is_batch else piece)
    if is_empty:
        raise InvalidInputError(
            "the iterator gave no frame: give an empty one with its columns when there are no rows"
        )
