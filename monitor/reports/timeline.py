"""Windows ─► the coordinates of a chart: distances over time, above a strip of row counts."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.drift import Score, Verdict
from monitor.reports.axis import scale, time_ticks
from monitor.reports.findings import WindowDrift
from monitor.reports.wording import count, moment, number, p_equals, period

PLOT_TOP, PLOT_HEIGHT = 14, 190
STRIP_TOP, STRIP_HEIGHT = 226, 44
LEFT, RIGHT = 44, 10
HEIGHT = 296
_DENSE = 90
"""From so many windows on, a mark on each would hide the line: only drifted and open ones get one."""
_WIDEST_BAR = 34.0


@dataclass(frozen=True)
class Mark:
    """One window in the chart.

    Parameters
    ----------
    x
        Where its slot is centred.
    y
        Where its distance lies; at the foot of the plot when it has none.
    verdict
        Which mark it gets; None for no mark.
    is_together
        Whether it drifts only together with the windows before it, which has a mark of its own.
    tooltip
        The window in a line.
    target
        The id of the block that tells more, or None.
    """

    x: float
    y: float
    verdict: Verdict | None
    is_together: bool
    tooltip: str
    target: str | None


@dataclass(frozen=True)
class Span:
    """A shift from its beginning to the last window that shows it: where it starts and ends, in words."""

    start: float
    end: float
    tooltip: str


@dataclass(frozen=True)
class Timeline:
    """A chart's coordinates, in units of a `width` × `HEIGHT` view box.

    Parameters
    ----------
    width, slot, bar
        Of the chart, of one window and of its bar.
    line, floor, band
        SVG paths: the distance, its noise floor, and the area up to its noise ceiling.
    rows, failed
        SVG paths of the bars: rows with a vector, and failed rows on top.
    x_ticks, y_ticks
        Positions and labels.
    most_rows
        What a full bar stands for.
    marks
        One per window.
    spans
        Where shifts last, in the order of time; none overlap.
    """

    width: int
    slot: float
    bar: float
    line: str
    floor: str
    band: str
    rows: str
    failed: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    most_rows: str
    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]


def has_chart(windows: Sequence[WindowDrift]) -> bool:
    """Whether there is something to see over time: two windows or more, one of them judged."""
    return len(windows) > 1 and any(not math.isnan(_score(w).value) for w in windows)


def timeline(
    windows: Sequence[WindowDrift], width: int, *, targets: Sequence[str | None] | None = None
) -> Timeline:
    """The chart of one feature's windows, in their order.

    Parameters
    ----------
    windows
        One or more.
    width
        Of the view box.
    targets
        Per window, the id of the block that tells more.
    """
    scores = [_score(w) for w in windows]
    highest, step = scale(v for s in scores for v in (s.value, s.noise_ceiling))
    slot = (width - LEFT - RIGHT) / len(windows)
    centres = [round(LEFT + slot * (i + 0.5), 2) for i in range(len(windows))]

    def height_of(value: float) -> float:
        return round(PLOT_TOP + PLOT_HEIGHT * (1 - value / highest), 2)

    most = max(1, *(w.n_rows for w in windows))
    targets = targets or [None] * len(windows)
    bar = round(min(slot * 0.68, _WIDEST_BAR), 2)
    failed = [STRIP_HEIGHT * w.n_failed / most for w in windows]
    good = [STRIP_HEIGHT * (w.n_rows - w.n_failed) / most for w in windows]
    return Timeline(
        width=width,
        slot=round(slot, 2),
        bar=bar,
        line=_path(centres, [height_of(s.value) for s in scores]),
        floor=_path(*_widened(centres, [height_of(s.noise_floor) for s in scores], slot)),
        band=_area(*_widened(centres, [height_of(s.noise_ceiling) for s in scores], slot)),
        rows=_bars(centres, bar, [0.0] * len(windows), good),
        failed=_bars(centres, bar, good, failed),
        x_ticks=time_ticks(windows, centres, width - LEFT - RIGHT),
        y_ticks=tuple(
            (height_of(value), f"{value:.2f}" if step < 0.1 else f"{value:.2g}")
            for value in (step * i for i in range(round(highest / step) + 1))
        ),
        most_rows=count(most),
        marks=tuple(
            Mark(
                x=centres[i],
                y=PLOT_TOP + PLOT_HEIGHT if math.isnan(s.value) else height_of(s.value),
                verdict=_mark(w, len(windows)),
                is_together=w.judgement.deciding_pooled_test is not None,
                tooltip=tooltip(w),
                target=targets[i],
            )
            for i, (w, s) in enumerate(zip(windows, scores, strict=True))
        ),
        spans=_spans(windows, slot),
    )


def _spans(windows: Sequence[WindowDrift], slot: float) -> tuple[Span, ...]:
    runs: list[tuple[int, int, dt.datetime]] = []
    for at, window in enumerate(windows):
        began = window.began
        if began is None:
            continue
        first = next((i for i, w in enumerate(windows[:at]) if w.start and w.start >= began), at)
        # A shift that began before the end of an earlier one is drawn as one with it.
        while runs and first <= runs[-1][1]:
            earlier, _, its_began = runs.pop()
            first, began = min(first, earlier), min(began, its_began)
        runs.append((first, at, began))
    return tuple(
        Span(
            start=round(LEFT + slot * first + min(2.0, slot / 8), 2),
            end=round(LEFT + slot * (last + 1) - min(2.0, slot / 8), 2),
            tooltip=f"shift since {moment(began)}",
        )
        for first, last, began in runs
    )


def tooltip(window: WindowDrift) -> str:
    """A window in a few lines."""
    judgement = window.judgement
    score = judgement.scores["jsd"]
    rows = f"{count(window.n_rows)} rows, {count(window.n_failed)} failed"
    lines = [f"{period(window.start, window.end)}: {judgement.verdict}"]
    if not math.isnan(score.value):
        lines.append(
            f"JSD {number(score.value)} (noise {number(score.noise_floor)}, "
            f"up to {number(score.noise_ceiling)})"
        )
    if not math.isnan(judgement.p_value):
        lines.append(p_equals(judgement.p_value))
    if pooled := judgement.deciding_pooled_test:
        lines.append(f"the last {pooled.n_windows} windows together: {p_equals(pooled.p_value)}")
    if window.began is not None:
        lines.append(f"began {moment(window.began)}")
    return "\n".join([*lines, rows])


def _score(window: WindowDrift) -> Score:
    """The window's distance; none when it is inconclusive, where it is mostly noise."""
    judgement = window.judgement
    if judgement.verdict is Verdict.INCONCLUSIVE:
        return Score(*[math.nan] * 5)
    return judgement.scores["jsd"]


def _mark(window: WindowDrift, n_windows: int) -> Verdict | None:
    verdict = window.judgement.verdict
    return None if verdict is Verdict.NO_DRIFT and n_windows > _DENSE else verdict


def _path(xs: Sequence[float], ys: Sequence[float]) -> str:
    """An SVG path through the points, broken where y is NaN."""
    parts = []
    for run in _runs(xs, ys):
        # A lone point still shows, as the dot of a round line cap.
        points = run if len(run) > 1 else run * 2
        parts.append("M" + "L".join(f"{x:g} {y:g}" for x, y in points))
    return "".join(parts)


def _area(xs: Sequence[float], ys: Sequence[float]) -> str:
    """The area between the points and the foot of the plot, broken where y is NaN."""
    foot = PLOT_TOP + PLOT_HEIGHT
    return "".join(
        f"M{run[0][0]:g} {foot}L{'L'.join(f'{x:g} {y:g}' for x, y in run)}L{run[-1][0]:g} {foot}Z"
        for run in _runs(xs, ys)
    )


def _bars(
    xs: Sequence[float], width: float, bottoms: Sequence[float], heights: Sequence[float]
) -> str:
    """Bars that stand `bottoms` above the foot of the strip; none where the height is 0."""
    return "".join(
        f"M{x - width / 2:.5g} {STRIP_TOP + STRIP_HEIGHT - bottom:.5g}v{-height:.4g}h{width:g}v{height:.4g}z"
        for x, bottom, height in zip(xs, bottoms, heights, strict=True)
        if height
    )


def _runs(xs: Sequence[float], ys: Sequence[float]) -> list[list[tuple[float, float]]]:
    pairs = itertools.groupby(zip(xs, ys, strict=True), key=lambda point: math.isnan(point[1]))
    return [list(points) for is_gap, points in pairs if not is_gap]


def _widened(
    xs: Sequence[float], ys: Sequence[float], slot: float
) -> tuple[list[float], list[float]]:
    """The points, carried on to the edges of the first and the last slot of each run."""
    wide_x: list[float] = []
    wide_y: list[float] = []
    n = len(ys)
    for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
        if i == 0 or math.isnan(ys[i - 1]):
            wide_x.append(round(x - slot / 2, 2))
            wide_y.append(y)
        wide_x.append(x)
        wide_y.append(y)
        if i == n - 1 or math.isnan(ys[i + 1]):
            wide_x.append(round(x + slot / 2, 2))
            wide_y.append(y)
    return wide_x, wide_y
