"""What must be known to read a report's verdicts, in sentences."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from monitor.clusters import MANY_TWINS, Baseline, Variation
from monitor.drift import replayed_p_values
from monitor.frames import Times
from monitor.pipeline.placed import PlacedRows
from monitor.pipeline.rows import COMPOUND, Segments
from monitor.reports import WindowDrift
from monitor.reports.wording import period, plural
from monitor.windows import Cut, Every, Grid, zone_of

TWICE_SHARE, TWICE_ROWS = 0.25, 10
"""From so many rows on that repeat another one, a note asks whether rows were delivered twice."""
DAYS_OF_YEAR: Final = 365
MUCH_LARGER: Final = 2.5
"""The mean of so many times the rows errs by half as much, and shows what the other hides."""


def other_windows(baseline: Baseline, grid: Grid | None) -> str | None:
    """A warning where a baseline learned from other windows than those that it is compared with.

    How much windows vary depends on their length: quiet ones may be called drifted.
    """
    variation = baseline.statistics.variation
    if grid is None or variation is None:
        return None
    learned = Grid(Every.parse(variation.every), zone_of(baseline.timezone))
    if str(learned) == str(grid) or (
        str(grid.every) in baseline.finer and learned.zone == grid.zone
    ):
        return None
    return (
        f"the baseline of feature {baseline.name!r} learned its natural variation from windows of "
        f"{learned}, and these are {grid}, so that quiet windows may be called drifted: fit it again with "
        f"every='{grid.every}' and timezone='{grid.zone.key}'"
    )


def feature_notes(
    placed: PlacedRows, sizes: Sequence[int], grid: Grid | None, alpha: float
) -> list[str]:
    """What must be known of a feature and its baseline.

    Parameters
    ----------
    placed
        The feature's rows.
    sizes
        How many of them each window has.
    grid
        How windows are cut.
    alpha
        The significance level of a window.
    """
    baseline = placed.baseline
    notes = [_variation_note(baseline, grid, alpha), *baseline.facts.notes]
    if warning := other_windows(baseline, grid):
        notes.append(warning)
    if warning := _larger_windows(baseline, sizes, grid):
        notes.append(warning)
    if baseline.twins >= MANY_TWINS and baseline.statistics.variation is None:
        notes.append(
            f"{baseline.twins:.0%} of the baseline's rows have a twin, another row that is far nearer than "
            "all others: such rows are no independent evidence, "
            + (
                "and quiet windows may be called drifted; "
                if baseline.statistics.grouped is None
                else "and were taken as groups; "
            )
            + "name what they have in common, such as a product, by group_column"
        )
    if baseline.fingerprint and not placed.vectors.fingerprint:
        notes.append(
            f"the vectors of feature {baseline.name!r} do not say which encoder made them, so it was not "
            f"checked against the baseline's, {baseline.fingerprint}"
        )
    if placed.missing_columns:
        notes.append(
            f"the frame has no column {', '.join(placed.missing_columns)}, which the baseline of feature "
            f"{baseline.name!r} would explain shifts by"
        )
    return notes


def twice_notes(baseline: Baseline, windows: Sequence[WindowDrift]) -> list[str]:
    """That rows came twice, where they do not in the baseline: one line or none."""
    usual = max(TWICE_SHARE, 2 * baseline.twins)
    twice = [
        window
        for window in windows
        if window.repeated > usual
        and window.repeated * (window.n_rows - window.n_failed) >= TWICE_ROWS
        # Of one vector that stands in for many, another note tells.
        and window.most_repeated < window.repeated / 2
    ]
    if not twice:
        return []
    worst = max(twice, key=lambda window: window.repeated)
    where = f"{worst.repeated:.0%} in {period(worst.start, worst.end)}"
    what = f"in {plural(len(twice), 'window')} of feature {baseline.name!r} many rows repeat the vector of "
    why = "Copies tell nothing new, but p-values take them for rows of their own"
    return [f"{what}another one ({where}): was a file delivered twice? {why}"]


def lessons_note(name: str, n_lessons: int) -> str:
    """That windows of production taught."""
    return (
        f"how much windows of feature {name!r} differ, {n_lessons} calm ones of production taught as well: "
        "the first that were held against its baseline"
    )


def _larger_windows(baseline: Baseline, sizes: Sequence[int], grid: Grid | None) -> str | None:
    """That windows have so many more rows than the baseline's that they show variation which those hide."""
    variation = _variation_of(baseline, grid)
    filled = [size for size in sizes if size]
    if variation is None or not filled:
        return None
    usual, known = float(np.median(filled)), float(np.median(variation.sizes))
    if usual < MUCH_LARGER * known:
        return None
    return (
        f"windows of feature {baseline.name!r} hold about {usual:,.0f} rows, those of its baseline "
        f"{known:,.0f}: they show variation that so few rows cannot show, so that quiet ones may be called "
        "drifted; fit it on windows of more rows"
    )


def _variation_of(baseline: Baseline, grid: Grid | None) -> Variation | None:
    """How much windows of this length differ."""
    finer = None if grid is None else baseline.finer.get(str(grid.every))
    return finer or baseline.statistics.variation


def time_notes(times: Times | None, in_time: Cut) -> list[str]:
    """What must be known of the rows' times, and of the windows that they were cut into."""
    if times is None:
        return []
    notes = [times.note] if times.note else []
    if n_undated := int(np.isnat(times.values).sum()):
        notes.append(f"{_rows(n_undated)} no readable time and {_are(n_undated)} in no window")
    if n_far := len(in_time.far):
        example = str(times.values[in_time.far[0]].astype("datetime64[m]")).replace("T", " ")
        notes.append(
            f"{_rows(n_far)} a time far from all others, such as {example} UTC, and "
            f"{_are(n_far)} in no window: is a clock wrong?"
        )
    if in_time.n_left_out:
        notes.append(
            f"there are long times without rows: {in_time.n_left_out:,} empty windows are left out"
        )
    return notes


def segment_notes(segments: Segments | None) -> list[str]:
    """What must be known of the segments."""
    if segments is None:
        return []
    notes = []
    if n_compound := segments.n_compound:
        notes.append(
            f"{_rows(n_compound)} several values in column {segments.column!r} and {_are(n_compound)} the "
            f"segment {COMPOUND!r}"
        )
    if not segments.n_left_out:
        return notes
    n_values = len(segments.names) + segments.n_left_out
    note = (
        f"column {segments.column!r} has {n_values:,} different values: {len(segments.names)} of them are "
        "judged each by itself, those that the baseline knows and those with most rows first; the others "
        "count in the whole only"
    )
    return [*notes, note]


def _rows(n: int) -> str:
    return "1 row has" if n == 1 else f"{n:,} rows have"


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def _variation_note(baseline: Baseline, grid: Grid | None, alpha: float) -> str:
    variation = _variation_of(baseline, grid)
    if variation is None and baseline.statistics.grouped is not None:
        return (
            f"feature {baseline.name!r} is judged against how much samples of whole groups of its baseline "
            "differ: rows of one group are no independent evidence"
        )
    if variation is None:
        return (
            f"for feature {baseline.name!r} rows are taken as independent"
            + ("" if grid is None else ", until calm windows of production have taught otherwise")
            + ": its baseline does not know how windows vary without drift (fit it with timestamp_column on "
            "5 windows or more), so that traffic which varies from day to day may be called drifted too often"
        )
    note = (
        f"feature {baseline.name!r} is judged against the natural variation of {len(variation.sizes)} "
        f"windows of {variation.every} of its baseline: rows of one window are alike with a correlation "
        f"of {variation.mix.correlation:.2g}"
    )
    if baseline.seasons and variation is baseline.statistics.variation:
        note += "; each day of the week is compared with its own"
        variation = baseline.seasons[0].variation or variation
    p_values = replayed_p_values(variation.replayed)
    n = len(p_values)
    note += (
        f"; judged against the rest, {(p_values <= alpha).sum()} of these {n} windows would have been "
        "called drifted"
    )
    if alpha * (n + 1) < 1:
        note += (
            f". By themselves {n} windows show what happens once in {n + 1}; the rate asked for, once in "
            f"{round(1 / alpha):,}, rests on the shape of their tail, and {math.ceil(1 / alpha) - 1 - n:,} "
            "windows more would show it"
        )
    if (days := _days_covered(baseline)) is not None and days < DAYS_OF_YEAR:
        note += f". It covers {days:,} days: what comes back with the seasons of the year it does not know"
    return note


def _days_covered(baseline: Baseline) -> int | None:
    if baseline.time_range is None:
        return None
    first, last = (dt.datetime.fromisoformat(text) for text in baseline.time_range)
    return math.ceil((last - first) / dt.timedelta(days=1))
