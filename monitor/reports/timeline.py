"""Windows ─► the coordinates of a chart: what decides about each over time, above a strip of row counts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from monitor.drift import Verdict
from monitor.reports.axis import rarity_ticks, time_ticks, times_ticks
from monitor.reports.episodes import can_belong, dated, judged, runs_of
from monitor.reports.findings import WindowDrift
from monitor.reports.wording import count, moment, number, p_equals, percent, period

PLOT_TOP, PLOT_HEIGHT = 14, 150
STRIP_TOP, STRIP_HEIGHT = 182, 34
LEFT, RIGHT = 84, 10
HEIGHT = 242
_DENSE = 90
"""From so many windows on, a mark on each would hide the line: only drifted and open ones get one."""
_WIDEST_BAR = 34.0
_RAREST: Final = 12.0
"""Powers of ten; rarer still is drawn at the top."""
_MOST_TIMES: Final = 5.0
_ROOM: Final = 1.12


@dataclass(frozen=True)
class Mark:
    """One window in the chart.

    Parameters
    ----------
    x
        Where its slot is centred.
    y
        Where it lies; at the foot of the plot when it has no verdict.
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
    line
        SVG path: how far each window is from chance.
    limit
        Where drift begins; what lies below is within chance.
    is_by_thresholds
        Whether the user's own thresholds decide, and the axis counts multiples of them.
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
    limit: float
    is_by_thresholds: bool
    rows: str
    failed: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    most_rows: str
    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]


def has_chart(windows: Sequence[WindowDrift]) -> bool:
    """Whether there is something to see over time: two windows or more, one of them judged."""
    return len(windows) > 1 and any(not math.isnan(_excess(w)) for w in windows)


def timeline(
    windows: Sequence[WindowDrift], width: int, *, targets: Sequence[str | None] | None = None
) -> Timeline:
    """The chart of one feature's windows, in their order.

    It shows what decides: how seldom chance alone would make a window look like this one, as −log₁₀ p
    beside the limit −log₁₀ alpha; where the user's thresholds decide, the distance as a multiple of its
    threshold.

    Parameters
    ----------
    windows
        One or more.
    width
        Of the view box.
    targets
        Per window, the id of the block that tells more.
    """
    windows = dated(windows)
    is_by_thresholds = any(w.judgement.thresholds for w in windows)
    limit = 1.0 if is_by_thresholds else -math.log10(windows[0].judgement.alpha)
    cap = _MOST_TIMES if is_by_thresholds else _RAREST
    values = [min(_excess(w), cap) if not math.isnan(_excess(w)) else math.nan for w in windows]
    highest = _ROOM * max(limit * 1.25, *(v for v in values if not math.isnan(v)), 0.0)
    slot = (width - LEFT - RIGHT) / len(windows)
    centres = [round(LEFT + slot * (i + 0.5), 2) for i in range(len(windows))]

    def height_of(value: float) -> float:
        return round(PLOT_TOP + PLOT_HEIGHT * (1 - value / highest), 2)

    most = max(1, *(w.n_rows for w in windows))
    targets = targets or [None] * len(windows)
    bar = round(min(slot * 0.68, _WIDEST_BAR), 2)
    failed = [STRIP_HEIGHT * w.n_failed / most for w in windows]
    good = [STRIP_HEIGHT * (w.n_rows - w.n_failed) / most for w in windows]
    ticks = times_ticks(highest) if is_by_thresholds else rarity_ticks(highest)
    return Timeline(
        width=width,
        slot=round(slot, 2),
        bar=bar,
        line=_path(centres, [height_of(v) for v in values]),
        limit=height_of(limit),
        is_by_thresholds=is_by_thresholds,
        rows=_bars(centres, bar, [0.0] * len(windows), good),
        failed=_bars(centres, bar, good, failed),
        x_ticks=time_ticks(windows, centres, width - LEFT - RIGHT),
        y_ticks=tuple((height_of(value), text) for value, text in ticks),
        most_rows=count(most),
        marks=tuple(
            Mark(
                x=centres[i],
                y=PLOT_TOP + PLOT_HEIGHT if math.isnan(value) else height_of(value),
                verdict=_mark(w, len(windows)),
                is_together=w.judgement.deciding_pooled_test is not None,
                tooltip=tooltip(w),
                target=targets[i],
            )
            for i, (w, value) in enumerate(zip(windows, values, strict=True))
        ),
        spans=_spans(windows, slot),
    )


def _spans(windows: Sequence[WindowDrift], slot: float) -> tuple[Span, ...]:
    """A bracket over each episode."""
    filled = [(i, w) for i, w in enumerate(windows) if can_belong(w)]
    spans = []
    for first, last in runs_of([judged(w) for _, w in filled]):
        (left, begin), (right, _) = filled[first], filled[last]
        known = [begin.start, *(w.began for _, w in filled[first : last + 1])]
        spans.append(
            Span(
                start=round(LEFT + slot * left + min(2.0, slot / 8), 2),
                end=round(LEFT + slot * (right + 1) - min(2.0, slot / 8), 2),
                tooltip=f"shift since {moment(min(at for at in known if at is not None))}",
            )
        )
    return tuple(spans)


def tooltip(window: WindowDrift) -> str:
    """A window in a few lines."""
    judgement = window.judgement
    score = judgement.scores["jsd"]
    rows = f"{count(window.n_rows)} rows, {count(window.n_failed)} failed"
    lines = [f"{period(window.start, window.end)}: {judgement.verdict}"]
    if window.kinds:
        lines[0] += f", {', '.join(window.kinds)}"
    if (change := window.change) is not None:
        lines.append(
            f"{percent(change.share)} of the rows changed ({percent(change.low)} to "
            f"{percent(change.high)})"
        )
    if not math.isnan(judgement.p_value):
        lines.append(p_equals(judgement.p_value))
    if pooled := judgement.deciding_pooled_test:
        lines.append(f"the last {pooled.n_windows} windows together: {p_equals(pooled.p_value)}")
    if not math.isnan(score.value):
        lines.append(
            f"JSD {number(score.value)} (noise {number(score.noise_floor)}, "
            f"up to {number(score.noise_ceiling)})"
        )
    if window.began is not None:
        lines.append(f"began {moment(window.began)}")
    return "\n".join([*lines, rows])


def _excess(window: WindowDrift) -> float:
    """How far the window is from chance; NaN when it is inconclusive."""
    judgement = window.judgement
    if judgement.verdict is Verdict.INCONCLUSIVE:
        return math.nan
    if judgement.thresholds:
        times = [
            judgement.scores[name].value / limit
            for name, limit in judgement.thresholds.items()
            if name in judgement.scores and limit > 0
        ]
        return max(times, default=math.nan)
    if pooled := judgement.deciding_pooled_test:
        # At its own level, so that it lies above the line that is drawn.
        return _rarity(pooled.p_value * judgement.alpha / pooled.alpha)
    return _rarity(judgement.p_value)


def _rarity(p: float) -> float:
    if math.isnan(p):
        return math.nan
    return max(0.0, -math.log10(p)) if p > 0 else _RAREST


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
