"""The rows of a window that changed: as blocks of the page, and as a data frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from monitor.clusters import Example
from monitor.drift import ChangedGroup
from monitor.reports.findings import WindowDrift
from monitor.reports.gallery import Gallery, Pictures
from monitor.reports.shifts import is_technical
from monitor.reports.views import ChangedView
from monitor.reports.wording import percent

if TYPE_CHECKING:
    import pandas as pd

_PICTURES: Final = 12
_PAIRS: Final = 6
COLUMNS: Final = (
    *("feature", "window_start", "window_end", "row", "source", "timestamp"),
    *("score", "group", "group_name", "distance", "nearest_row", "nearest_source"),
)


def changed_examples(window: WindowDrift) -> Iterator[Example]:
    """The rows that `changed_views` shows, those that matter most first."""
    if is_technical(window):
        for row, nearest in pairs(window, _PAIRS):
            yield from (row, nearest)
        return
    for group in (*window.groups, *window.vanished):
        yield from group.examples[:_PICTURES]


def changed_views(window: WindowDrift, pictures: Pictures) -> tuple[ChangedView, ...]:
    """What changed in a window, in pictures: pairs for a technical change, else groups."""
    if is_technical(window):
        shown = pairs(window, _PAIRS)
        if not shown:
            return ()
        return (
            ChangedView(
                "Changed images, and what they are most like in the baseline",
                pictures.gallery([row for row, _ in shown], _PAIRS),
                pictures.gallery([nearest for _, nearest in shown], _PAIRS),
            ),
        )
    return (
        *_groups(window.groups, "Changed: {} of the rows", pictures),
        *_groups(window.vanished, "Hardly seen any more: {} of the baseline", pictures),
    )


def pairs(window: WindowDrift, most: int) -> list[tuple[Example, Example]]:
    """The rows that changed most surely, each with what it is most like in the baseline.

    Of rows that are most like the same one, only the first: a picture that is there twice tells nothing.
    """
    by_nearest: dict[str, tuple[Example, Example]] = {}
    for row in window.changed:
        if row.nearest is not None and len(by_nearest) < most:
            by_nearest.setdefault(row.nearest.row, (row.example, row.nearest))
    return list(by_nearest.values())


def _groups(
    groups: Sequence[ChangedGroup], title: str, pictures: Pictures
) -> Iterator[ChangedView]:
    for group in groups:
        name = f", {group.name}" if group.name else ""
        yield ChangedView(
            title.format(percent(group.share)) + name,
            pictures.gallery(group.examples, _PICTURES),
            Gallery(),
        )


def changed_frame(windows: Sequence[WindowDrift]) -> pd.DataFrame:
    """One line for each changed row of these windows; see `DriftReport.changed_rows`."""
    import pandas as pd

    lines = [
        {
            "feature": window.feature,
            "window_start": window.start,
            "window_end": window.end,
            "row": row.example.row,
            "source": row.example.source,
            "timestamp": row.example.timestamp,
            "score": row.score,
            "group": row.group,
            "group_name": window.groups[row.group].name if row.group < len(window.groups) else "",
            "distance": row.example.distance,
            "nearest_row": None if row.nearest is None else row.nearest.row,
            "nearest_source": None if row.nearest is None else row.nearest.source,
        }
        for window in windows
        for row in window.changed
    ]
    frame = pd.DataFrame(lines, columns=list(COLUMNS))
    for column in ("window_start", "window_end", "timestamp"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    return frame
