"""Where the labels of a chart's axes stand."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from typing import TypeVar

from monitor.reports.findings import WindowDrift
from monitor.reports.wording import month, tick

_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
_MONTHS_FROM = dt.timedelta(days=75)
_CHARACTER, _GAP = 8, 16

_Tick = TypeVar("_Tick")


def scale(values: Iterable[float]) -> tuple[float, float]:
    """The top of the axis and the step between its labels, with room above the highest value."""
    wanted = 1.08 * max((v for v in values if not math.isnan(v)), default=0.0)
    wanted = min(max(wanted, 0.1), 1.0)
    step = next(step for step in _STEPS if wanted / step <= 5 or step == _STEPS[-1])
    return step * math.ceil(wanted / step - 1e-9), step


def time_ticks(
    windows: Sequence[WindowDrift], centres: Sequence[float], width: int
) -> tuple[tuple[float, str], ...]:
    """Labels of the windows' starts, in months where there are many: as many as fit in `width`."""
    dated = [
        (x, w.start, w.end)
        for x, w in zip(centres, windows, strict=True)
        if w.start is not None and w.end is not None
    ]
    if not dated:
        return ()
    if dated[-1][2] - dated[0][1] > _MONTHS_FROM and len(dated) > 1:
        firsts = [
            (x, start)
            for i, (x, start, _) in enumerate(dated)
            if i > 0 and (start.year, start.month) != (dated[i - 1][1].year, dated[i - 1][1].month)
        ]
        shown = _thinned(firsts, len("May 2026"), width)
        return tuple(
            (x, month(start, year=i == 0 or start.year != shown[i - 1][1].year))
            for i, (x, start) in enumerate(shown)
        )
    ticks = [(x, tick(start, end)) for x, start, end in dated]
    return tuple(_thinned(ticks, max(len(text) for _, text in ticks), width))


def _thinned(ticks: list[_Tick], n_characters: int, width: int) -> list[_Tick]:
    """As many of the ticks as fit beside one another, evenly spaced."""
    most = max(1, int(width / (n_characters * _CHARACTER + _GAP)))
    step = math.ceil(len(ticks) / most)
    return ticks[step // 2 :: step]
