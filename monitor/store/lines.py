"""Windows in a line each, for pages that show many: no document is read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from monitor.reports import FeatureSummary, WindowDrift
from monitor.reports.json_report import part_from_json
from monitor.store.series import IS_NOW
from monitor.store.tables import (
    DONE,
    WHOLE,
    baselines,
    changes,
    failures,
    features,
    results,
    windows,
)
from monitor.windows import Grid


@dataclass(frozen=True)
class FeatureLine:
    """A feature that the store knows.

    Parameters
    ----------
    id
        The store's number.
    name
        Its name.
    grid
        How its windows are cut; None before the first.
    is_monitored
        Whether the config still has it.
    """

    id: int
    name: str
    grid: Grid | None
    is_monitored: bool


@dataclass(frozen=True)
class WindowLine:
    """The numbers of one window, or of one segment of it.

    Parameters
    ----------
    start, end
        [start, end) in UTC.
    revision
        0 at first; one more each time that rows came late.
    segment
        None for all rows.
    verdict
        `drift`, `no drift` or `inconclusive`.
    p_value
        Of the test that decided; None where there is none.
    alpha
        What it is compared with.
    jsd
        Jensen–Shannon distance, 0 to 1; None where not defined.
    share, share_low, share_high
        The share of rows that changed, 0 to 1, and its interval; None where not known.
    n_rows, n_failed
        All rows, and those without a vector.
    kinds
        What the shift looks like.
    judged_at
        When.
    began, ended
        Start and end of the shift that was found after it; `ended` is None where that went on.
    is_pooled
        Whether only several windows together show the drift.
    """

    start: dt.datetime
    end: dt.datetime
    revision: int
    segment: str | None
    verdict: str
    p_value: float | None
    alpha: float
    jsd: float | None
    share: float | None
    share_low: float | None
    share_high: float | None
    n_rows: int
    n_failed: int
    kinds: tuple[str, ...]
    judged_at: dt.datetime | None
    began: dt.datetime | None = None
    ended: dt.datetime | None = None
    is_pooled: bool = False


@dataclass(frozen=True)
class StoredWindow:
    """One window in full, with its neighbours.

    Parameters
    ----------
    line
        Its numbers.
    window, summary
        What was found, and of the feature; as a report has them.
    segments
        Its segments, the most drifted first.
    segment_column
        What they are values of.
    notes
        Of the run.
    before, after
        The starts of its neighbours.
    """

    line: WindowLine
    window: WindowDrift
    summary: FeatureSummary
    segments: tuple[WindowLine, ...]
    segment_column: str | None
    notes: tuple[str, ...]
    before: dt.datetime | None
    after: dt.datetime | None


def known_features(connection: Connection) -> list[FeatureLine]:
    """All features, monitored or not, the oldest first."""
    rows = connection.execute(select(features).order_by(features.c.id))
    return [_feature(row) for row in rows]


def recent(
    connection: Connection, feature: int, n: int, before: dt.datetime | None = None
) -> list[WindowLine]:
    """The feature's last `n` windows that start before `before`, oldest first."""
    wanted = _lines().where(
        windows.c.feature_id == feature, windows.c.is_current, IS_NOW, results.c.segment == WHOLE
    )
    if before is not None:
        wanted = wanted.where(windows.c.window_start < before)
    rows = connection.execute(wanted.order_by(windows.c.window_start.desc()).limit(n)).all()
    return [_line(row) for row in reversed(rows)]


def between(
    connection: Connection, feature: int, since: dt.datetime, until: dt.datetime, n: int
) -> list[WindowLine]:
    """The feature's windows that start in [since, until), oldest first, at most `n`."""
    rows = connection.execute(
        _lines()
        .where(
            windows.c.feature_id == feature,
            windows.c.is_current,
            IS_NOW,
            results.c.segment == WHOLE,
            windows.c.window_start >= since,
            windows.c.window_start < until,
        )
        .order_by(windows.c.window_start)
        .limit(n)
    )
    return [_line(row) for row in rows]


def window_at(
    connection: Connection, feature: int, start: dt.datetime, *, most_segments: int = 500
) -> StoredWindow | None:
    """The current result of the window that starts at `start`; None if there is none."""
    chosen = (windows.c.feature_id == feature) & windows.c.is_current & IS_NOW
    row = connection.execute(
        _lines()
        .add_columns(
            windows.c.id, windows.c.segment_column, windows.c.notes, results.c.document,
            results.c.baseline_id,
        )
        .where(chosen, windows.c.window_start == start, results.c.segment == WHOLE)
    ).one_or_none()  # fmt: skip
    if row is None:
        return None
    segments = connection.execute(
        _lines()
        .where(windows.c.id == row.id, results.c.segment != WHOLE)
        # "drift" sorts before the other two.
        .order_by(results.c.verdict, results.c.p_value, results.c.segment)
        .limit(most_segments)
    )
    summary = connection.execute(
        select(baselines.c.summary).where(baselines.c.id == row.baseline_id)
    ).scalar_one()
    starts = (
        select(windows.c.window_start)
        .join(features, features.c.id == windows.c.feature_id)
        .where(chosen, windows.c.state == DONE)
        .limit(1)
    )
    before = starts.where(windows.c.window_start < start).order_by(windows.c.window_start.desc())
    after = starts.where(windows.c.window_start > start).order_by(windows.c.window_start)
    return StoredWindow(
        line=_line(row),
        window=part_from_json(row.document, WindowDrift),
        summary=part_from_json(summary, FeatureSummary),
        segments=tuple(_line(segment) for segment in segments),
        segment_column=row.segment_column,
        notes=tuple(row.notes or ()),
        before=connection.execute(before).scalar(),
        after=connection.execute(after).scalar(),
    )


def failures_of(
    connection: Connection, feature: int, since: dt.datetime, until: dt.datetime
) -> dict[str, int]:
    """Rows without a vector by reason, in the windows that start in [since, until)."""
    rows = connection.execute(
        select(failures.c.reason, failures.c.n_rows)
        .join(windows, windows.c.id == failures.c.window_id)
        .join(features, features.c.id == windows.c.feature_id)
        .where(
            windows.c.feature_id == feature,
            windows.c.is_current,
            IS_NOW,
            windows.c.window_start >= since,
            windows.c.window_start < until,
        )
    )
    counts: dict[str, int] = {}
    for reason, n in rows:
        counts[reason] = counts.get(reason, 0) + n
    return counts


def latest_baseline(connection: Connection, feature: int) -> tuple[str, bytes] | None:
    """The baseline of the feature's newest window: its id and its file; None before the first."""
    row = connection.execute(
        select(baselines.c.baseline_id, baselines.c.content)
        .join(results, results.c.baseline_id == baselines.c.id)
        .join(windows, windows.c.id == results.c.window_id)
        .join(features, features.c.id == windows.c.feature_id)
        .where(
            windows.c.feature_id == feature,
            windows.c.is_current,
            IS_NOW,
            results.c.segment == WHOLE,
        )
        .order_by(windows.c.window_start.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def _lines() -> Select[Any]:
    return (
        select(
            *(windows.c[name] for name in ("window_start", "window_end", "revision", "judged_at")),
            *(results.c[name] for name in ("segment", "verdict", "alpha", "jsd")),
            results.c.n_rows,
            results.c.n_failed,
            *(changes.c[name] for name in _CHANGE),
        )
        .join(features, features.c.id == windows.c.feature_id)
        .join(results, results.c.window_id == windows.c.id)
        .outerjoin(changes, changes.c.result_id == results.c.id)
    )


def _line(row: Row[Any]) -> WindowLine:
    return WindowLine(
        start=row.window_start,
        end=row.window_end,
        segment=None if row.segment == WHOLE else row.segment,
        kinds=tuple(row.kinds or ()),
        is_pooled=bool(row.is_pooled),
        **{name: getattr(row, name) for name in _PLAIN},
    )


_CHANGE = (
    "share", "share_low", "share_high", "p_value", "kinds", "began", "ended", "is_pooled",
)  # fmt: skip
_PLAIN = (
    "revision", "verdict", "p_value", "alpha", "jsd", "share", "share_low", "share_high", "n_rows",
    "n_failed", "judged_at", "began", "ended",
)  # fmt: skip


def _feature(row: Row[Any]) -> FeatureLine:
    grid = None if row.grid is None else Grid.parse(row.grid)
    return FeatureLine(row.id, row.name, grid, row.retired_at is None)
