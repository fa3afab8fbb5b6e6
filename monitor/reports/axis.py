"""Where the labels of a chart's axes stand."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import TypeVar

from monitor.reports.findings import WindowDrift
from monitor.reports.wording import SUPERSCRIPTS, month, tick

_MONTHS_FROM = dt.timedelta(days=75)
_CHARACTER, _GAP = 8, 16
_LONGEST_POWER = 4

_Tick = TypeVar("_Tick")


def rarity_ticks(highest: float) -> tuple[tuple[float, str], ...]:
    """Labels of an axis of powers of ten up to `highest`, as "1 in 1,000".

    >>> rarity_ticks(3.5)
    ((0, 'always'), (1, '1 in 10'), (2, '1 in 100'), (3, '1 in 1,000'))
    >>> rarity_ticks(7.1)
    ((0, 'always'), (2, '1 in 100'), (4, '1 in 10,000'), (6, '1 in 10⁶'))
    """
    step = 1 if highest < 4 else 2 if highest < 8 else 4
    powers = range(0, int(highest) + 1, step)
    return tuple((power, _one_in(power)) for power in powers)


def times_ticks(highest: float) -> tuple[tuple[float, str], ...]:
    """Labels of an axis of multiples up to `highest`.

    >>> times_ticks(2.2)
    ((0, '0'), (1, '1 ×'), (2, '2 ×'))
    """
    return ((0, "0"), *((n, f"{n} ×") for n in range(1, int(highest) + 1)))


def _one_in(power: int) -> str:
    if power == 0:
        return "always"
    if power > _LONGEST_POWER:
        return f"1 in 10{str(power).translate(SUPERSCRIPTS)}"
    return f"1 in {10**power:,}"


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
