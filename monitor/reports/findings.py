"""What a run finds, in values: of each feature, of each window, and all together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from monitor.clusters import Example
from monitor.drift import (
    Change,
    ChangedGroup,
    ChangedRow,
    ColumnExplanation,
    FailureShift,
    Judgement,
    QualityShift,
    ShiftKind,
    Verdict,
)
from monitor.errors import InvalidInputError
from monitor.reports.next_steps import NextStep
from monitor.reports.window_map import WindowMap
from monitor.reports.wording import plain


@dataclass(frozen=True, eq=False)
class FeatureSummary:
    """What a report says of a feature and its baseline.

    Parameters
    ----------
    name
        The feature's name.
    source_column, column
        Where its images and its vectors stand; `source_column` is None for ready-made vectors.
    noun
        What a row is called, such as "image" or "text".
    baseline_id, fingerprint
        Which baseline, and which encoder made its vectors (None when not known).
    n_fit
        Baseline rows that the clusters were fitted on.
    histogram
        (n_clusters,) int64, baseline rows per cluster that windows are compared with.
    n_held_out, n_novel
        Of these rows, those that nothing was fitted on; and novel ones among those that were measured.
    mean_moments, whitened_moments, kernel_moments
        Sums of the powers 1, 2 and 3 of the eigenvalues of the rows' covariance: what the tests of means
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
    cluster_names
        Per cluster, what its rows show; "" where nothing names them, empty where no cluster has a name.
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
    kernel_moments: tuple[float, ...] = ()
    correlation: float | None = None
    unevenness: float = 1.0
    cluster_products: tuple[tuple[float, ...], ...] = ()
    distance_positions: tuple[float, ...] = ()
    failures: Mapping[str, int] = field(default_factory=dict)
    examples: tuple[tuple[Example, ...], ...] = ()
    cluster_names: tuple[str, ...] = ()
    choice: str | None = None
    time_range: tuple[str, str] | None = None
    segment_column: str | None = None
    noun: str = "image"

    def __repr__(self) -> str:
        """A line."""
        name, baseline = plain(self.name), plain(self.baseline_id)
        return f"<FeatureSummary {name!r}, baseline {baseline}, {self.n_rows:,} rows>"

    @property
    def n_rows(self) -> int:
        """All baseline rows with a vector."""
        return self.n_fit + self.n_held_out

    def cluster_name(self, cluster: int) -> str:
        """What the rows of a cluster show; "" where that is not known."""
        return self.cluster_names[cluster] if cluster < len(self.cluster_names) else ""


INSTANTS: Final = ("start", "end", "began", "ended")
"""The fields of a window that are instants, of the zone whose days windows are."""


@dataclass(frozen=True, eq=False)
class WindowDrift:
    """One feature in one window.

    Parameters
    ----------
    feature
        The feature's name.
    start, end
        Half-open, in the zone whose days windows are; None when the rows have no times.
    segment
        The value of the segment column that these rows have; None for all rows of the window.
    failures
        Rows without a vector, per reason.
    judgement
        Verdict, scores and causes.
    examples
        Per cluster, the window's rows nearest to its centroid.
    novel_examples
        Novel rows, farthest from known ones first.
    most_repeated
        The largest share of rows that hold one and the same vector, in [0, 1].
    repeated
        The share of rows whose vector another row of the window has had before; NaN where it is not known.
    began
        When the shift began that was found after this window: the start of the first window that belongs
        to it; None without one.
    ended
        The end of the last window that belongs to that shift, where it was over before this window; None
        where it goes on.
    kinds
        What the shift looks like, the most telling first.
    quality
        What the images' pixel statistics did, where `embed` measured them.
    failure_shifts
        What each reason for a missing vector did.
    explanations
        Which metadata columns carry the shift, the strongest first.
    is_closed
        Whether it has no rows at a time of the week at which the baseline never has any.
    change
        What happened to the rows of a drifted window; None where they cannot be told apart.
    changed
        Rows that changed, the likeliest first, at most 1,000.
    groups
        What changed, in groups of rows that are alike, the largest first.
    vanished
        Groups of the baseline's rows that have no counterpart any more.
    next_steps
        What to do about it, the most urgent first, with the commands.
    map
        Its rows beside the baseline's, as points of a plane; None without drift.
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
    repeated: float = 0.0
    began: dt.datetime | None = None
    ended: dt.datetime | None = None
    kinds: tuple[ShiftKind, ...] = ()
    quality: tuple[QualityShift, ...] = ()
    failure_shifts: tuple[FailureShift, ...] = ()
    explanations: tuple[ColumnExplanation, ...] = ()
    is_closed: bool = False
    change: Change | None = None
    changed: tuple[ChangedRow, ...] = ()
    groups: tuple[ChangedGroup, ...] = ()
    vanished: tuple[ChangedGroup, ...] = ()
    next_steps: tuple[NextStep, ...] = ()
    map: WindowMap | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """A line: what dataclasses print would be all its pictures."""
        span = "" if self.start is None else f", {self.start:%Y-%m-%d %H:%M}"
        segment = "" if self.segment is None else f", segment {plain(self.segment)!r}"
        kinds = f": {', '.join(self.kinds)}" if self.kinds else ""
        return (
            f"<WindowDrift {plain(self.feature)!r}{span}{segment}, {self.n_rows:,} rows, "
            f"{self.judgement.verdict}{kinds}>"
        )

    @property
    def is_late(self) -> bool:
        """Whether a shift was found after this window that no window told while it went on."""
        pooled = self.judgement.pooled_test
        return self.ended is not None and pooled is not None and pooled.is_drift

    def in_zone(self, zone: dt.tzinfo) -> Self:
        """The same, with its instants told in a zone."""
        instants = {name: getattr(self, name) for name in INSTANTS}
        told = {name: at and at.astimezone(zone) for name, at in instants.items()}
        return replace(self, **told)

    @property
    def names(self) -> tuple[str, ...]:
        """What changed, in words, each once: of the groups that are new, then of those that vanished."""
        groups = (*self.groups, *self.vanished)
        return tuple(dict.fromkeys(group.name for group in groups if group.name))

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
class Findings:
    """What was found, per feature and window: the values of a `DriftReport`.

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
    timezone
        Whose days, weeks and months the windows are.
    """

    features: tuple[FeatureSummary, ...]
    windows: tuple[WindowDrift, ...]
    every: str | None = None
    segment_column: str | None = None
    notes: tuple[str, ...] = ()
    timezone: str = "UTC"

    @property
    def has_drift(self) -> bool:
        """Whether any window drifted, segments included."""
        return any(window.judgement.verdict is Verdict.DRIFT for window in self.windows)

    @property
    def is_broken(self) -> bool:
        """Whether a feed is broken in any window, also where no drift is found."""
        return any(ShiftKind.BROKEN_FEED in window.kinds for window in self.windows)

    def last(self, days: float) -> Self:
        """Those of the windows of the last so many days, counted back from the newest one's end.

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
        >>> Findings(features=(), windows=()).last(30).windows
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
