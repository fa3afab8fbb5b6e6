"""Results read again: lines, histories, and the reports that they give."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from monitor.drift import PastWindow, Verdict
from monitor.reports import DriftReport, FeatureSummary, WindowDrift
from monitor.reports.json_report import part_from_json
from monitor.reports.notes import joined_notes
from monitor.store import acts
from monitor.store.acts import Mark
from monitor.store.documents import sketch_from_bytes
from monitor.store.series import IS_NOW
from monitor.store.tables import WHOLE, baselines, changes, features, results, windows
from monitor.windows import Grid, Window


@dataclass(frozen=True)
class ResultLine:
    """The numbers of one stored result, without what takes long to read.

    Parameters
    ----------
    feature, period, revision, segment
        What was judged; segment None is all rows.
    verdict
        `drift`, `no drift` or `inconclusive`.
    p_value, alpha, jsd
        NaN where not defined.
    n_rows, n_failed
        All rows, and those without a vector.
    judged_at
        When.
    """

    feature: str
    period: Window
    revision: int
    segment: str | None
    verdict: str
    p_value: float
    alpha: float
    jsd: float
    n_rows: int
    n_failed: int
    judged_at: dt.datetime


def recent(connection: Connection, feature: str, n: int) -> list[ResultLine]:
    """The current results of a feature's last `n` windows, the newest first, without segments."""
    rows = connection.execute(
        _lines()
        .where(features.c.name == feature, windows.c.is_current, results.c.segment == WHOLE, IS_NOW)
        .order_by(windows.c.window_start.desc())
        .limit(n)
    )
    return [_line(row) for row in rows]


def revisions(connection: Connection, feature: str, start: dt.datetime) -> list[ResultLine]:
    """Every result of the window that starts at `start`, the first revision first."""
    rows = connection.execute(
        _lines()
        .where(
            features.c.name == feature,
            IS_NOW,
            windows.c.window_start == start,
            results.c.segment == WHOLE,
        )
        .order_by(windows.c.revision)
    )
    return [_line(row) for row in rows]


@dataclass(frozen=True, eq=False)
class PastResult:
    """A window that was judged before.

    Parameters
    ----------
    window
        As much as later ones need of it.
    is_harmless
        Whether a person says that its drift is none to care about.
    """

    window: PastWindow
    is_harmless: bool = False


def history(
    connection: Connection, feature: str, baseline_id: str, before: dt.datetime, n: int
) -> list[PastResult]:
    """The first `n` and the last `n` windows before `before` that were held against this baseline.

    The oldest first, each once.
    """
    start = windows.c.window_start
    results_held = (
        # Without their documents, which take long to read.
        select(
            *(start, windows.c.window_end, results.c.verdict, results.c.sketch),
            *(changes.c.began, changes.c.ended, changes.c.is_pooled),
        )
        .join(changes, changes.c.result_id == results.c.id)
        .join(windows, windows.c.id == results.c.window_id)
        .join(features, features.c.id == windows.c.feature_id)
        .join(baselines, baselines.c.id == results.c.baseline_id)
        .where(
            features.c.name == feature,
            baselines.c.baseline_id == baseline_id,
            windows.c.is_current,
            # Rows would count twice in windows of two lengths.
            IS_NOW,
            start < before,
            results.c.segment == WHOLE,
        )
    )
    last = connection.execute(results_held.order_by(start.desc()).limit(n)).all()
    rows = list(reversed(last))
    if len(rows) == n:
        older = results_held.where(start < rows[0].window_start).order_by(start).limit(n)
        rows = [*connection.execute(older), *rows]
    marks = acts.of(connection, feature, rows[0].window_start, before) if rows else []

    def is_harmless(row: Row[Any]) -> bool:
        mark = acts.mark_of(marks, row.window_start, row.window_end)
        return mark is not None and mark.mark is Mark.HARMLESS

    return [
        PastResult(
            PastWindow(
                start=row.window_start,
                sketch=sketch_from_bytes(row.sketch),
                is_drift=row.verdict == Verdict.DRIFT and not row.is_pooled,
                began=row.began,
                ended=row.ended,
            ),
            is_harmless(row),
        )
        for row in rows
    ]


def report(
    connection: Connection,
    names: Sequence[str],
    since: dt.datetime | None,
    until: dt.datetime | None,
) -> DriftReport:
    """The current results of these features whose windows overlap [since, until), as one report."""
    summaries: list[FeatureSummary] = []
    drifts: list[WindowDrift] = []
    notes: dict[str, None] = {}
    grid: Grid | None = None
    segment_column: str | None = None
    for name in names:
        rows = connection.execute(_documents(name, since, until)).all()
        if not rows:
            continue
        grid, segment_column = Grid.parse(rows[-1].grid), rows[-1].segment_column
        summaries.append(_summary(connection, rows[-1].baseline_id))
        # A document holds instants in UTC.
        entries = [part_from_json(row.document, WindowDrift).in_zone(grid.zone) for row in rows]
        # Overall entries stand before segments in a report.
        drifts += [entry for entry in entries if entry.segment is None]
        drifts += [entry for entry in entries if entry.segment is not None]
        newest = rows[-1].baseline_id
        of_rows = ((row.notes or (), row.baseline_id == newest) for row in rows)
        notes |= dict.fromkeys(joined_notes(of_rows))
    return DriftReport(
        tuple(summaries),
        tuple(drifts),
        None if grid is None else str(grid.every),
        segment_column,
        tuple(notes),
        timezone="UTC" if grid is None else grid.zone.key,
    )


def _lines() -> Select[Any]:
    return (
        select(
            features.c.name,
            windows.c.window_start,
            windows.c.window_end,
            windows.c.revision,
            windows.c.judged_at,
            *(results.c[name] for name in ("segment", "verdict", "p_value", "alpha", "jsd")),
            results.c.n_rows,
            results.c.n_failed,
        )
        .join(windows, windows.c.feature_id == features.c.id)
        .join(results, results.c.window_id == windows.c.id)
    )


def _line(row: Row[Any]) -> ResultLine:
    return ResultLine(
        feature=row.name,
        period=Window(row.window_start, row.window_end),
        revision=row.revision,
        segment=None if row.segment == WHOLE else row.segment,
        verdict=row.verdict,
        p_value=math.nan if row.p_value is None else row.p_value,
        alpha=row.alpha,
        jsd=math.nan if row.jsd is None else row.jsd,
        n_rows=row.n_rows,
        n_failed=row.n_failed,
        judged_at=row.judged_at,
    )


def _documents(name: str, since: dt.datetime | None, until: dt.datetime | None) -> Select[Any]:
    wanted = (
        select(
            windows.c.grid,
            windows.c.segment_column,
            windows.c.notes,
            results.c.baseline_id,
            results.c.document,
        )
        .join(features, features.c.id == windows.c.feature_id)
        .join(results, results.c.window_id == windows.c.id)
        .where(features.c.name == name, windows.c.is_current, IS_NOW)
        .order_by(windows.c.window_start, results.c.segment)
    )
    if since is not None:
        wanted = wanted.where(windows.c.window_end > since)
    if until is not None:
        wanted = wanted.where(windows.c.window_start < until)
    return wanted


def _summary(connection: Connection, key: int) -> FeatureSummary:
    saved = connection.execute(
        select(baselines.c.summary).where(baselines.c.id == key)
    ).scalar_one()
    return part_from_json(saved, FeatureSummary)
