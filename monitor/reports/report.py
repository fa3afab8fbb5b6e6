"""The drift report: values, and the forms they are told in."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Example
from monitor.drift import (
    DISTANCES,
    ColumnExplanation,
    FailureShift,
    Judgement,
    QualityShift,
    ShiftKind,
    Verdict,
)
from monitor.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

    from monitor.images import SourcePolicy


@dataclass(frozen=True, eq=False)
class FeatureSummary:
    """What a report says of a feature and its baseline.

    Parameters
    ----------
    name
        The feature's name.
    source_column, column
        Where its images and its vectors stand; `source_column` is None for ready-made vectors.
    baseline_id, fingerprint
        Which baseline, and which encoder made its vectors (None when not known).
    n_fit
        Baseline rows that the clusters were fitted on.
    histogram
        (n_clusters,) int64, baseline rows per cluster that windows are compared with.
    n_held_out, n_novel
        Of these rows, those that nothing was fitted on, and how many of them lie beyond the novelty radius.
    mean_moments, whitened_moments
        Sums of the powers 1, 2 and 3 of the eigenvalues of the rows' covariance: what the two mean tests
        measure by.
    correlation
        Intra-window correlation ρ of the baseline's own windows, ≥ 0; None when it is not known.
    unevenness
        Σ n_t² / (Σ n_t)² over the baseline's own windows, in (0, 1]; 1 where there are none.
    cluster_products
        (n_clusters, n_clusters) inner products of the clusters' mean vectors.
    distance_positions
        (bins,) where the rows of a bin of `Judgement.window_distances` are taken to lie, rising.
    failures
        Baseline rows without a vector, per reason.
    examples
        Per cluster, baseline rows nearest to its centroid.
    choice
        Why this number of clusters, when it was chosen from the data.
    time_range
        First and last timestamp of the baseline, ISO 8601.
    segment_column
        The metadata column that the baseline is split by, if any.
    """

    name: str
    source_column: str | None
    column: str
    baseline_id: str
    fingerprint: str | None
    n_fit: int
    histogram: NDArray[np.int64]
    n_held_out: int = 0
    n_novel: int = 0
    mean_moments: tuple[float, ...] = ()
    whitened_moments: tuple[float, ...] = ()
    correlation: float | None = None
    unevenness: float = 1.0
    cluster_products: tuple[tuple[float, ...], ...] = ()
    distance_positions: tuple[float, ...] = ()
    failures: Mapping[str, int] = field(default_factory=dict)
    examples: tuple[tuple[Example, ...], ...] = ()
    choice: str | None = None
    time_range: tuple[str, str] | None = None
    segment_column: str | None = None

    @property
    def n_rows(self) -> int:
        """All baseline rows with a vector."""
        return self.n_fit + self.n_held_out


@dataclass(frozen=True, eq=False)
class WindowDrift:
    """One feature in one window.

    Parameters
    ----------
    feature
        The feature's name.
    start, end
        Half-open, in UTC; None when the rows have no times.
    segment
        The value of the segment column that these rows have; None for all rows of the window.
    failures
        Rows without a vector, per reason.
    judgement
        Verdict, scores and causes.
    examples
        Per cluster, the window's rows nearest to its centroid.
    novel_examples
        Rows farthest beyond the novelty radius, farthest first.
    most_repeated
        The largest share of rows that hold one and the same vector, in [0, 1].
    began
        When the shift began: the start of the first window that belongs to it; None without drift.
    kinds
        What the shift looks like, the most telling first.
    quality
        What the images' pixel statistics did, where `embed` measured them.
    failure_shifts
        What each reason for a missing vector did.
    explanations
        Which metadata columns carry the shift, the strongest first.
    notes
        What else must be known to read the numbers, in sentences.
    """

    feature: str
    start: dt.datetime | None
    end: dt.datetime | None
    segment: str | None
    failures: Mapping[str, int]
    judgement: Judgement
    examples: tuple[tuple[Example, ...], ...] = ()
    novel_examples: tuple[Example, ...] = ()
    most_repeated: float = 0.0
    began: dt.datetime | None = None
    kinds: tuple[ShiftKind, ...] = ()
    quality: tuple[QualityShift, ...] = ()
    failure_shifts: tuple[FailureShift, ...] = ()
    explanations: tuple[ColumnExplanation, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def n_failed(self) -> int:
        """Rows without a vector."""
        return sum(self.failures.values())

    @property
    def n_rows(self) -> int:
        """All rows."""
        return int(self.judgement.window_histogram.sum()) + self.n_failed

    @property
    def failure_rate(self) -> float:
        """Share of rows without a vector, in [0, 1]; 0 for an empty window."""
        return self.n_failed / self.n_rows if self.n_rows else 0.0


@dataclass(frozen=True, eq=False)
class DriftReport:
    """What was found, per feature and window.

    Parameters
    ----------
    features
        One summary per feature.
    windows
        One entry per feature, window and, where asked for, segment; overall entries before segments.
    every
        The window's length as it was asked for, or None.
    segment_column
        The metadata column that windows were split by, or None.
    notes
        What must be known to read the whole, in sentences.

    Examples
    --------
    >>> import numpy as np, pandas as pd, monitor
    >>> feature = monitor.VectorFeature(name="points", column="vector", n_clusters=2)
    >>> rows = np.random.default_rng(0).normal(size=(400, 8)) + np.eye(8)[0] * 3
    >>> baseline = monitor.fit_baseline(pd.DataFrame({"vector": list(rows[:300])}), feature)
    >>> report = monitor.detect_drift(pd.DataFrame({"vector": list(rows[300:])}), baseline)
    >>> report.to_frame()[["feature", "n_rows", "verdict"]].values.tolist()
    [['points', 100, 'no drift']]
    """

    features: tuple[FeatureSummary, ...]
    windows: tuple[WindowDrift, ...]
    every: str | None = None
    segment_column: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def has_drift(self) -> bool:
        """Whether any window drifted, segments included."""
        return any(window.judgement.verdict is Verdict.DRIFT for window in self.windows)

    def to_frame(self) -> pd.DataFrame:
        """One row per feature and window, and per segment where asked for, as a pandas DataFrame.

        Columns: `feature`, `window_start`, `window_end` (UTC), `segment`, `n_rows`, `n_failed`,
        `failure_rate`; `jsd`, `psi`, `hellinger`, `chi2`, `wasserstein` and distances of your own, each
        with `_noise_floor` (its mean without drift), `_noise_ceiling` (its 1 − alpha quantile without
        drift), `_low` and `_high` (an interval of what it is without noise); `p_value`, `alpha`,
        `verdict`, `reason`, `changed_share`, `detectable_share`, `design_effect`, `began`, `kinds`,
        `n_rows_needed`, `novel_share`, `most_repeated`.
        """
        import pandas as pd

        scores = [distance.name for distance in DISTANCES]
        for window in self.windows[:1]:
            scores = list(window.judgement.scores)
        columns = [*_FIRST, *(name + end for name in scores for end in _SCORE_PARTS), *_LAST]
        frame = pd.DataFrame([_row(window) for window in self.windows], columns=columns)
        for column in ("window_start", "window_end", "began"):
            frame[column] = pd.to_datetime(frame[column], utc=True)
        frame["n_rows_needed"] = frame["n_rows_needed"].astype("Int64")
        return frame

    def last(self, days: float) -> DriftReport:
        """The report of the windows of the last so many days, counted back from the newest one's end.

        Parameters
        ----------
        days
            Above 0. A window that begins earlier and ends within them is kept, and so is one without
            times.

        Raises
        ------
        InvalidInputError
            If `days` is not above 0.

        Examples
        --------
        >>> DriftReport(features=(), windows=()).last(30).windows
        ()
        """
        if not days > 0:
            raise InvalidInputError(f"last({days}) asks for no time at all: give days above 0")
        newest = max((w.end for w in self.windows if w.end is not None), default=None)
        if newest is None:
            return self
        since = newest - dt.timedelta(days=days)
        kept = tuple(w for w in self.windows if w.end is None or w.end > since)
        return replace(self, windows=kept)

    def to_json(self, path: str | Path | None = None) -> str:
        """The whole report as JSON text, and in the file `path` if given."""
        from monitor.reports.json_report import to_json

        return to_json(self, path)

    @classmethod
    def from_json(cls, path: str | Path) -> DriftReport:
        """Read a report that `to_json` wrote."""
        from monitor.reports.json_report import read_json

        return read_json(path)

    def to_html(
        self, path: str | Path, *, policy: SourcePolicy | None = None, thumbnails: bool = True
    ) -> Path:
        """Write the report as one HTML file that opens offline, and return its path.

        Parameters
        ----------
        path
            Where to write.
        policy
            From where example images may be fetched; public http(s) addresses by default.
        thumbnails
            False to fetch nothing: examples are then named, not shown.
        """
        from monitor.reports.html import write_html

        return write_html(self, Path(path), policy=policy, thumbnails=thumbnails)

    def to_markdown(self, path: str | Path | None = None) -> str:
        """The answer in a few lines of Markdown, for a chat or a pull request; in `path` if given."""
        from monitor.reports.files import write_text
        from monitor.reports.markdown import markdown

        text = markdown(self)
        if path is not None:
            write_text(path, text + "\n")
        return text

    def to_svg(self, path: str | Path, *, feature: str | None = None) -> Path:
        """Write the chart of one feature, or of all below one another, as an SVG file; return its path."""
        from monitor.reports.figure import write_svg

        return write_svg(self, path, feature=feature)

    def to_png(self, path: str | Path, *, feature: str | None = None) -> Path:
        """Write the same chart as a PNG file of 2,000 pixels' width; return its path."""
        from monitor.reports.figure import write_png

        return write_png(self, path, feature=feature)

    def _repr_html_(self) -> str:
        from monitor.reports.html import notebook_html

        return notebook_html(self)


_FIRST = ("feature", "window_start", "window_end", "segment", "n_rows", "n_failed", "failure_rate")
_SCORE_PARTS = ("", "_noise_floor", "_noise_ceiling", "_low", "_high")
_LAST = (
    *(
        "p_value",
        "alpha",
        "verdict",
        "reason",
        "changed_share",
        "detectable_share",
        "design_effect",
    ),
    *("began", "kinds", "n_rows_needed", "novel_share", "most_repeated"),
)


def _row(window: WindowDrift) -> dict[str, object]:
    found = window.judgement
    row: dict[str, object] = {
        "feature": window.feature,
        "window_start": window.start,
        "window_end": window.end,
        "segment": window.segment,
        "n_rows": window.n_rows,
        "n_failed": window.n_failed,
        "failure_rate": window.failure_rate,
    }
    for name, score in found.scores.items():
        row[name] = score.value
        row[f"{name}_noise_floor"] = score.noise_floor
        row[f"{name}_noise_ceiling"] = score.noise_ceiling
        row[f"{name}_low"] = score.low
        row[f"{name}_high"] = score.high
    return row | {
        "p_value": found.p_value,
        "alpha": found.alpha,
        "verdict": str(found.verdict),
        "reason": found.reason,
        "changed_share": math.nan if found.effect is None else found.effect.changed_share,
        "detectable_share": math.nan if found.effect is None else found.effect.detectable,
        "design_effect": math.nan if found.design_effect is None else found.design_effect,
        "began": window.began,
        "kinds": ", ".join(window.kinds),
        "n_rows_needed": found.n_rows_needed,
        "novel_share": found.novel_share,
        "most_repeated": window.most_repeated,
    }
