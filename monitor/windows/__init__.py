"""Spans of time: how long windows are, where they begin, and which rows lie in them.

::

    Every (a length) + zone ─► Grid (all windows) ─► Window (one, half-open) ─► WindowRows (with its rows)
"""

from monitor.windows.cut import MAX_WINDOWS, Cut, WindowRows, cut
from monitor.windows.every import MAX_COUNT, Every
from monitor.windows.far import far_outside
from monitor.windows.grid import UTC, Grid, first_instant, zone_of
from monitor.windows.window import Window, utc

__all__ = [
    "MAX_COUNT",
    "MAX_WINDOWS",
    "UTC",
    "Cut",
    "Every",
    "Grid",
    "Window",
    "WindowRows",
    "cut",
    "far_outside",
    "first_instant",
    "utc",
    "zone_of",
]
