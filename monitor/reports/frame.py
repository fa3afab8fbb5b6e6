"""What was found, as a pandas DataFrame."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from monitor.drift import DISTANCES
from monitor.reports.episodes import dated
from monitor.reports.findings import Findings, WindowDrift

if TYPE_CHECKING:
    import pandas as pd

_FIRST = ("feature", "window_start", "window_end", "segment", "n_rows", "n_failed", "failure_rate")
_SCORE_PARTS = ("", "_noise_floor", "_noise_ceiling", "_low", "_high")
_LAST = (
    *("p_value", "alpha", "verdict", "reason"),
    *("changed_share", "detectable_share", "design_effect"),
    *("began", "kinds", "cause", "names", "n_rows_needed", "novel_share", "most_repeated"),
)


def to_frame(findings: Findings) -> pd.DataFrame:
    """One row per window, and per segment where asked for; see `DriftReport.to_frame` for the columns."""
    import pandas as pd

    scores = [distance.name for distance in DISTANCES]
    for window in findings.windows[:1]:
        scores = list(window.judgement.scores)
    columns = [*_FIRST, *(name + end for name in scores for end in _SCORE_PARTS), *_LAST]
    frame = pd.DataFrame([row(window) for window in dated(findings.windows)], columns=columns)
    for column in ("window_start", "window_end", "began"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    frame["n_rows_needed"] = frame["n_rows_needed"].astype("Int64")
    return frame


def row(window: WindowDrift) -> dict[str, object]:
    """The cells of a window's row, by column."""
    judgement = window.judgement
    cells: dict[str, object] = {
        "feature": window.feature,
        "window_start": _utc(window.start),
        "window_end": _utc(window.end),
        "segment": window.segment,
        "n_rows": window.n_rows,
        "n_failed": window.n_failed,
        "failure_rate": window.failure_rate,
    }
    for name, score in judgement.scores.items():
        cells[name] = score.value
        cells[f"{name}_noise_floor"] = score.noise_floor
        cells[f"{name}_noise_ceiling"] = score.noise_ceiling
        cells[f"{name}_low"] = score.low
        cells[f"{name}_high"] = score.high
    mean = judgement.outcome("mean")
    return cells | {
        "p_value": judgement.p_value,
        "alpha": judgement.alpha,
        "verdict": str(judgement.verdict),
        "reason": judgement.reason,
        "changed_share": judgement.changed_share if window.change is None else window.change.share,
        "detectable_share": math.nan if mean is None else mean.detectable,
        "design_effect": math.nan if judgement.design_effect is None else judgement.design_effect,
        "began": _utc(window.began),
        "kinds": ", ".join(window.kinds),
        "cause": "" if window.change is None else window.change.cause,
        "names": "; ".join(window.names),
        "n_rows_needed": judgement.n_rows_needed,
        "novel_share": judgement.novel_share,
        "most_repeated": window.most_repeated,
    }


def _utc(instant: dt.datetime | None) -> dt.datetime | None:
    return None if instant is None else instant.astimezone(dt.UTC)
