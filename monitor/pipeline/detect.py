"""Frame with vectors + baseline ─► drift report."""

from __future__ import annotations

import datetime as dt
import logging
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Baseline, WindowSketch
from monitor.drift import DISTANCES, Distance, PastWindow, own_distances
from monitor.errors import InvalidInputError, TimestampError
from monitor.pipeline.budget import AlarmBudget, thresholds_in_words
from monitor.pipeline.causes import Causes
from monitor.pipeline.feature_run import FeatureRun
from monitor.pipeline.notes import feature_notes, lessons_note, other_windows
from monitor.pipeline.pieces import gathered
from monitor.pipeline.windowed import WindowedRows, rows_of_frame
from monitor.progress import progress_shown
from monitor.reports import DriftReport, WindowDrift
from monitor.rules import RunRules
from monitor.windows import Every, Window, zone_of

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)


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
        Holds the feature's column of vectors, from `embed` or from elsewhere.
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
    for of_feature in _baselines(baseline):
        if warning := other_windows(of_feature, rules.grid):
            warnings.warn(warning, stacklevel=2)
    span = None if window is None else Window(*(edge.astimezone(dt.UTC) for edge in window))
    with progress_shown(progress):
        return judge_frame(
            frame, baseline, rules, timestamp_column=timestamp_column, window=span, history=history
        ).report


@dataclass(frozen=True, eq=False)
class Judged:
    """A report, and what it was made from.

    Parameters
    ----------
    report
        The report.
    sketches
        By feature, the statistics of each window, in the order of time.
    instants
        (rows of the frame,) datetime64[us] in UTC, when each row happened; None without times.
    """

    report: DriftReport
    sketches: Mapping[str, Sequence[WindowSketch]]
    instants: NDArray[np.datetime64] | None = None


def judge_frame(
    frame: Any,
    baseline: Baseline | Sequence[Baseline],
    rules: RunRules,
    *,
    timestamp_column: str | None,
    window: Window | None = None,
    history: Mapping[str, Sequence[PastWindow]] | None = None,
    are_pooled: bool = True,
) -> Judged:
    """What `detect_drift` does, by rules that are one value.

    Without `are_pooled` windows are not looked at together, and single ones get all of the false alarms.
    """
    baselines = _baselines(baseline)
    if rules.every is not None and timestamp_column is None:
        raise TimestampError(
            f"every='{rules.every}' needs to know when each row happened: give timestamp_column too"
        )
    _refuse_same_names(rules.distances)
    rows = rows_of_frame(frame, baselines, rules, timestamp_column, window)
    judged = judge_rows(rows, baselines, rules, history=history, are_pooled=are_pooled)
    return replace(judged, instants=rows.instants)


def judge_pieces(
    pieces: Iterable[pa.Table],
    baseline: Baseline | Sequence[Baseline],
    rules: RunRules,
    *,
    timestamp_column: str | None,
    window: Window | None = None,
    history: Mapping[str, Sequence[PastWindow]] | None = None,
    are_pooled: bool = True,
) -> Judged:
    """What `judge_frame` does with one window, of which one piece at a time is in memory.

    The verdict is that of all rows, to the bit. Which of them changed is read off `MOST_SHOWN` rows with
    vectors, drawn by their place among all. `Judged.instants` is None.

    Parameters
    ----------
    pieces
        Plain Arrow tables, in the order of the rows; one at least.
    """
    baselines = _baselines(baseline)
    _refuse_same_names(rules.distances)
    rows = gathered(pieces, baselines, rules, timestamp_column, window)
    return judge_rows(rows, baselines, rules, history=history, are_pooled=are_pooled)


def judge_rows(
    rows: WindowedRows,
    baselines: Sequence[Baseline],
    rules: RunRules,
    *,
    history: Mapping[str, Sequence[PastWindow]] | None,
    are_pooled: bool,
) -> Judged:
    """The windows and segments of all features, judged."""
    budget = AlarmBudget.share_out(rules, len(baselines), len(rows.segments), are_pooled=are_pooled)
    notes = [
        thresholds_in_words(rules.thresholds, (*DISTANCES, *rules.distances))
        if rules.thresholds
        else budget.note,
        *rows.notes,
    ]
    entries: list[WindowDrift] = []
    summaries, sketches = [], {}
    for of_feature in baselines:
        of_rows = rows.feature(of_feature)
        run = FeatureRun(Causes(of_rows.placed, of_rows.examples, rules.zone), rules, budget)
        windows = of_rows.windows
        judged = run.judge_windows(windows, (history or {}).get(of_feature.name, ()))
        entries += judged
        if rules.segment_column is not None:
            entries += [
                run.judge_segment(part, rules.segment_column, value)
                for value, part in of_rows.segments
            ]
        summaries.append(run.summary())
        sketches[of_feature.name] = [placed_window.sketch for placed_window in windows]
        sizes = [placed_window.sketch.n for placed_window in windows]
        notes += feature_notes(of_rows.placed, sizes, rules.grid, budget.window)
        if n_lessons := max((entry.judgement.n_lessons for entry in judged), default=0):
            notes.append(lessons_note(of_feature.name, n_lessons))
    report = DriftReport(
        features=tuple(summaries),
        windows=tuple(entries),
        every=None if rules.every is None else str(rules.every),
        segment_column=rules.segment_column,
        notes=tuple(notes),
        timezone=rules.zone.key,
    )
    for entry in entries:
        logger.debug(
            "%s, %s, %s: %s", entry.feature, entry.start, entry.segment, entry.judgement.reason
        )
    logger.info("judged %d windows and segments, %d notes", len(entries), len(notes))
    return Judged(report, sketches)


def _baselines(baseline: Baseline | Sequence[Baseline]) -> tuple[Baseline, ...]:
    baselines = tuple(baseline) if isinstance(baseline, list | tuple) else (baseline,)
    if not baselines:
        raise InvalidInputError("no baseline was given: fit one with monitor.fit_baseline")
    checked = []
    for value in baselines:
        if not isinstance(value, Baseline):
            raise InvalidInputError(
                f"expected a Baseline, got {type(value).__name__}: fit one with monitor.fit_baseline, or "
                "read one with monitor.Baseline.load(path)"
            )
        checked.append(value)
    names = [value.name for value in checked]
    if len(set(names)) < len(names):
        raise InvalidInputError(
            f"two baselines are of one feature ({', '.join(names)}): give one per feature"
        )
    return tuple(checked)


def _refuse_same_names(own: Sequence[Distance]) -> None:
    names = [distance.name for distance in (*DISTANCES, *own)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidInputError(
            f"two distances are called {twice[0]!r}; built in are "
            f"{', '.join(distance.name for distance in DISTANCES)}: give yours another name"
        )
