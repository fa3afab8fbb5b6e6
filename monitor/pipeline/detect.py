"""Frame with vectors + baseline ─► drift report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.clusters import Baseline
from monitor.drift import (
    DISTANCES,
    MINIMUM_CHANGE,
    MINIMUM_ROWS,
    Distance,
    PastWindow,
    Rules,
    resolve_thresholds,
)
from monitor.errors import InvalidInputError, TimestampError
from monitor.frames import Times
from monitor.pipeline.feature_run import FeatureRun
from monitor.pipeline.levels import Levels, thresholds_in_words
from monitor.pipeline.rows import segment_values
from monitor.reports import DriftReport, WindowDrift
from monitor.windows import Every, Window, cut


def detect_drift(
    frame: Any,
    baseline: Baseline | Sequence[Baseline],
    *,
    timestamp_column: str | None = None,
    every: str | None = None,
    window: tuple[dt.datetime, dt.datetime] | None = None,
    segment_column: str | None = None,
    max_false_alarms_per_year: float = 1.0,
    alpha: float | None = None,
    minimum_rows: int = MINIMUM_ROWS,
    minimum_change: float = MINIMUM_CHANGE,
    thresholds: Mapping[str, float | str] | None = None,
    distances: Sequence[Distance] = (),
    history: Mapping[str, Sequence[PastWindow]] | None = None,
) -> DriftReport:
    """Judge production rows against a baseline, window by window.

    Parameters
    ----------
    frame
        Holds the feature's column of vectors, from `embed` or from elsewhere.
    baseline
        One baseline, or one per feature.
    timestamp_column
        When each row happened; needed for `every`. Rows without a time are counted in a note.
    every
        The window's length: `"1d"`, `"6h"`, `"30min"`, `"1w"`, `"1mo"`; windows are half-open and in
        UTC. By default all rows are one window.
    window
        Take all rows as this one window, half-open, aware datetimes; `every` then only sets the level.
    segment_column
        A metadata column; each of its values is judged too, against the same value in the baseline.
        That must have been fitted with this column; otherwise, and for values that are new, distances
        are to the whole baseline and the verdict is inconclusive.
    max_false_alarms_per_year
        How many false alarms there may be in a year of such windows, over all features and segments, on
        average; an alarm is a run of windows without drift that are called drifted. It sets alpha;
        without `every` alpha is 0.01 over all features and segments. Segments together get half of it.
        Of the rest, single windows get one half and tests of the last 2, 4, 8, 16 and 32 windows together
        the other (7, 14 and 28 where days of the week differ): these see small shifts that last.
    alpha
        The level of one feature in one window or segment, in (0, 1), instead of the above; no pooled
        tests are made then.
    minimum_rows
        Windows with fewer vectors are inconclusive.
    minimum_change
        A change is called drift from this share of rows on, in [0, 1): as if so many had been swapped for
        unrelated images. Without it, a million rows would alarm on nothing.
    thresholds
        Your own rule instead of the p-value: a window has drifted when a distance reaches its threshold, a
        number or such as `"3 sd"`, standard deviations above the mean over the baseline's own windows.
    distances
        Distances of your own beside `jsd`, `psi`, `hellinger`, `chi2` and `wasserstein`.
    history
        By feature, windows that were judged before, in the order of time, so that pooled tests reach back
        beyond this frame.

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
    baselines = (
        tuple(baseline) if isinstance(baseline, list | tuple) else (cast(Baseline, baseline),)
    )
    _check_arguments(
        baselines, every, timestamp_column, max_false_alarms_per_year, minimum_rows, minimum_change
    )
    times = None if timestamp_column is None else frames.read_times(frame, timestamp_column)
    windows = _windows(frame, times, every) if window is None else [_given(frame, window)]
    segments = None if segment_column is None else segment_values(frame, segment_column)
    n_segments = 0 if segments is None else len(set(segments.tolist()))
    levels = Levels.share_out(every, alpha, max_false_alarms_per_year, len(baselines), n_segments)
    every_distance = _known_distances(distances)
    decides = thresholds_in_words(thresholds, every_distance) if thresholds else levels.note
    entries: list[WindowDrift] = []
    runs = []
    for one in baselines:
        limits = resolve_thresholds(
            thresholds or {}, one.statistics, every_distance, minimum_rows=minimum_rows
        )
        rules = Rules(levels.window, minimum_rows, minimum_change, limits, every_distance)
        run = FeatureRun.open(frame, one, times, rules, thresholds or {}, levels)
        runs.append(run)
        past = (history or {}).get(one.name, ())
        entries += run.windows(windows, Every.parse(every) if every else None, past)
        if segments is not None and segment_column is not None:
            entries += [
                run.segment(part, segment_column, value)
                for span in windows
                for value, part in _split(span, segments)
            ]
    return DriftReport(
        features=tuple(run.summary() for run in runs),
        windows=tuple(entries),
        every=every,
        segment_column=segment_column,
        notes=(
            decides,
            *_time_notes(times),
            *(note for run in runs for note in run.notes(Every.parse(every) if every else None)),
        ),
    )


def _check_arguments(
    baselines: Sequence[Baseline],
    every: str | None,
    timestamp_column: str | None,
    max_false_alarms_per_year: float,
    minimum_rows: int,
    minimum_change: float,
) -> None:
    if not baselines:
        raise InvalidInputError("no baseline was given: fit one with monitor.fit_baseline")
    for one in baselines:
        if not isinstance(one, Baseline):
            raise InvalidInputError(
                f"expected a Baseline, got {type(one).__name__}: fit one with monitor.fit_baseline, or "
                "read one with monitor.Baseline.load(path)"
            )
    names = [one.name for one in baselines]
    if len(set(names)) < len(names):
        raise InvalidInputError(
            f"two baselines are of one feature ({', '.join(names)}): give one per feature"
        )
    if every is not None and timestamp_column is None:
        raise TimestampError(
            f"every={every!r} needs to know when each row happened: give timestamp_column too"
        )
    if not max_false_alarms_per_year > 0:
        raise InvalidInputError(
            f"max_false_alarms_per_year={max_false_alarms_per_year} must be above 0: a test that never "
            "errs never speaks"
        )
    if not 0 <= minimum_change < 1:
        raise InvalidInputError(
            f"minimum_change={minimum_change} is a share of rows: give 0 or more and less than 1"
        )
    if minimum_rows < 2:
        raise InvalidInputError(f"minimum_rows={minimum_rows} must be 2 or more")


def _known_distances(own: Sequence[Distance]) -> tuple[Distance, ...]:
    every = (*DISTANCES, *own)
    names = [distance.name for distance in every]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidInputError(
            f"two distances are called {twice[0]!r}; built in are {', '.join(m.name for m in DISTANCES)}: "
            "give yours another name"
        )
    return every


def _windows(frame: Any, times: Times | None, every: str | None) -> list[Window]:
    if times is None:
        return [Window(None, None, np.arange(frames.n_rows(frame)))]
    dated = np.flatnonzero(~np.isnat(times.values))
    if len(dated) == 0:
        # One empty window, which is inconclusive: no window at all would look like no drift.
        return [Window(None, None, dated)]
    if every is not None:
        return cut(times.values, Every.parse(every))
    instants = times.values[dated]
    # Half-open: the last row lies inside.
    return [Window(instants.min(), instants.max() + np.timedelta64(1, "us"), dated)]


def _given(frame: Any, window: tuple[dt.datetime, dt.datetime]) -> Window:
    start, end = (
        np.datetime64(edge.astimezone(dt.UTC).replace(tzinfo=None), "us") for edge in window
    )
    return Window(start, end, np.arange(frames.n_rows(frame)))


def _split(window: Window, segments: NDArray[np.object_]) -> Iterator[tuple[str, Window]]:
    values = segments[window.rows]
    for value in sorted(set(values.tolist())):
        yield value, Window(window.start, window.end, window.rows[values == value])


def _time_notes(times: Times | None) -> tuple[str, ...]:
    notes = []
    if times is not None:
        if times.note:
            notes.append(times.note)
        if n_undated := int(np.isnat(times.values).sum()):
            notes.append(f"{n_undated} rows have no readable time and are in no window")
    return tuple(notes)
