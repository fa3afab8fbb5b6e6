"""The windows that rules look at: new ones, earlier ones, and what was read in them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from monitor.alerts.alert import Alert
from monitor.alerts.reading import Reading, read, same_time
from monitor.alerts.rule import AlertRule
from monitor.errors import InvalidInputError
from monitor.reports import WindowDrift

MOST_SILENT: Final = 30
"""So many windows without rows end a segment's alert: nothing else would."""

_Series = tuple[str, str | None]


class History:
    """All windows by series, the newest revision of each, and what rules read in them."""

    def __init__(
        self,
        earlier: Sequence[WindowDrift],
        windows: Iterable[WindowDrift],
    ) -> None:
        judged = list(windows)
        latest = {_place(window): window for window in (*earlier, *judged)}
        new = {_place(window): window for window in judged}
        self.new = [new[place] for place in sorted(new, key=_in_time)]
        self.series: dict[_Series, list[WindowDrift]] = defaultdict(list)
        for place in sorted(latest, key=_in_time):
            window = latest[place]
            self.series[window.feature, window.segment].append(window)
        self._at: dict[tuple[str, dt.datetime], list[WindowDrift]] = defaultdict(list)
        for (feature, _, start), window in latest.items():
            self._at[feature, start].append(window)
        self._readings: dict[tuple[str, int], Reading] = {}

    def reading(self, rule: AlertRule, window: WindowDrift) -> Reading:
        key = rule.name, id(window)
        if key not in self._readings:
            before = None
            if rule.days_before is not None:
                of_series = self.series[window.feature, window.segment]
                days = rule.days_before
                before = next((w for w in of_series if same_time(window, w, days)), None)
            self._readings[key] = read(rule, window, before)
        return self._readings[key]

    def beside(self, window: WindowDrift) -> list[WindowDrift]:
        """The windows of all rows and of every segment at the same time."""
        return self._at[window.feature, start_of(window)]

    def is_silent(self, alert: Alert) -> bool:
        """Whether the alert's segment has had no rows for long, while its feature had windows."""
        if alert.segment is None:
            return False
        since = alert.window_end
        if any(start_of(w) >= since for w in self.series.get((alert.feature, alert.segment), ())):
            return False
        whole = [w for w in self.series.get((alert.feature, None), ()) if start_of(w) >= since]
        return len(whole) >= MOST_SILENT

    def n_calm(self, rule: AlertRule, window: WindowDrift, since: dt.datetime) -> int:
        """Calm windows in a row that end with `window`, from `since` on; unknown ones do not count."""
        n = 0
        for before in reversed(self.series[window.feature, window.segment]):
            if since <= start_of(before) <= start_of(window):
                reading = self.reading(rule, before)
                if reading.severity is not None:
                    break
                n += reading.is_calm
        return n


def _place(window: WindowDrift) -> tuple[str, str | None, dt.datetime]:
    return window.feature, window.segment, start_of(window)


def _in_time(place: tuple[str, str | None, dt.datetime]) -> tuple[dt.datetime, str, bool, str]:
    feature, segment, start = place
    # All rows before their segments, which may lean on them.
    return start, feature, segment is not None, segment or ""


def start_of(window: WindowDrift) -> dt.datetime:
    """The window's start; an error where it has none."""
    if window.start is None:
        raise InvalidInputError(
            f"a window of {window.feature!r} has no times, so no alert can name it: judge windows of "
            "a length, with a timestamp column"
        )
    return window.start


def end_of(window: WindowDrift) -> dt.datetime:
    """The window's end."""
    return start_of(window) if window.end is None else window.end
