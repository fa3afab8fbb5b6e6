"""What was found, kept: the result of a claim, with its baseline."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from monitor.clusters import Baseline
from monitor.clusters.sketch import WindowSketch
from monitor.reports import DriftReport, WindowDrift
from monitor.reports.json_report import part_to_json
from monitor.store.documents import sketch_to_bytes
from monitor.store.leases import Claim, hold
from monitor.store.rows import insert_if_absent
from monitor.store.tables import DONE, WHOLE, baselines, changes, failures, results, windows
from monitor.windows import Window


@dataclass(frozen=True, eq=False)
class JudgedWindow:
    """What came of one claim.

    Parameters
    ----------
    report
        Of one feature and one window, segments included.
    baseline
        What the window was compared with.
    sketch
        The statistics of the window's vectors.
    rows_seen
        What the window's rows were, as its source tells it (see `monitor.sources.RowsSeen`).
    baseline_range
        The rows of a rolling baseline, [start, end); None for a static one.
    """

    report: DriftReport
    baseline: Baseline
    sketch: WindowSketch
    rows_seen: str
    baseline_range: Window | None = None

    @property
    def lacks_rows(self) -> bool:
        """Whether the window has no rows, although the baseline does not say that this is normal."""
        (window,) = (window for window in self.report.windows if window.segment is None)
        return window.n_rows == 0 and not window.is_closed


def save(
    connection: Connection,
    claim: Claim,
    judged: JudgedWindow,
    now: dt.datetime,
    look_until: dt.datetime | None = None,
) -> None:
    """Keep what was found as the window's current result, in place of the revision before.

    Parameters
    ----------
    connection
        A transaction that writes.
    claim
        Whose window it is.
    judged
        What was found.
    now
        When.
    look_until
        Until when the window is looked for rows that come late; None for not at all.

    Raises
    ------
    LeaseLostError
        If another worker has taken the window over; nothing is kept then.
    """
    row = hold(connection, claim)
    baseline_key = _save_baseline(connection, row.feature_id, judged, now)
    connection.execute(
        update(windows)
        .where(
            windows.c.feature_id == row.feature_id,
            windows.c.grid == row.grid,
            windows.c.window_start == row.window_start,
            windows.c.window_end == row.window_end,
            windows.c.is_current,
        )
        .values(is_current=False, look_until=None)
    )
    connection.execute(
        update(windows)
        .where(windows.c.id == claim.window_id)
        .values(
            state=DONE,
            is_current=True,
            lease_owner=None,
            lease_until=None,
            last_error=None,
            rows_seen=judged.rows_seen,
            look_until=look_until,
            judged_at=now,
            segment_column=judged.report.segment_column,
            notes=list(judged.report.notes),
        )
    )
    for window in judged.report.windows:
        row_values = _result_row(claim.window_id, baseline_key, window)
        if window.segment is None:
            row_values["sketch"] = sketch_to_bytes(judged.sketch)
            counts = [
                {"window_id": claim.window_id, "reason": reason, "n_rows": count}
                for reason, count in window.failures.items()
            ]
            if counts:
                connection.execute(failures.insert(), counts)
        added = connection.execute(results.insert().values(**row_values))
        (key,) = added.inserted_primary_key or (None,)
        connection.execute(changes.insert().values(result_id=key, **_change_row(window)))


def _save_baseline(
    connection: Connection, feature_key: int, judged: JudgedWindow, now: dt.datetime
) -> int:
    wanted = select(baselines.c.id).where(
        baselines.c.feature_id == feature_key, baselines.c.baseline_id == judged.baseline.id
    )
    key = connection.execute(wanted).scalar()
    if key is None:
        rows = judged.baseline_range
        row = {
            "feature_id": feature_key,
            "baseline_id": judged.baseline.id,
            "since": None if rows is None else rows.start,
            "until": None if rows is None else rows.end,
            "summary": part_to_json(judged.report.features[0]),
            "content": judged.baseline.to_bytes(),
            "created_at": now,
        }
        insert_if_absent(connection, baselines, [row])
        key = connection.execute(wanted).scalar_one()
    return int(key)


def _result_row(window_id: int, baseline_key: int, window: WindowDrift) -> dict[str, Any]:
    judgement = window.judgement
    return {
        "window_id": window_id,
        "segment": WHOLE if window.segment is None else window.segment,
        "baseline_id": baseline_key,
        "verdict": str(judgement.verdict),
        "p_value": _number(judgement.p_value),
        "alpha": judgement.alpha,
        "jsd": _number(judgement.scores["jsd"].value),
        "n_rows": window.n_rows,
        "n_failed": window.n_failed,
        "histogram": judgement.window_histogram.tolist(),
        "document": part_to_json(window),
    }


def _change_row(window: WindowDrift) -> dict[str, Any]:
    judgement, change = window.judgement, window.change
    pooled = judgement.deciding_pooled_test
    share = min(judgement.changed_share, 1.0) if judgement.tests else math.nan
    return {
        "share": _number(share if change is None else change.share),
        "share_low": None if change is None else _number(change.low),
        "share_high": None if change is None else _number(change.high),
        "p_value": _number(judgement.p_value if pooled is None else pooled.p_value),
        "kinds": [str(kind) for kind in window.kinds],
        "began": window.began,
        "ended": window.ended,
        "is_pooled": judgement.is_by_pooled_test,
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
