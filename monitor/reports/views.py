"""What the page shows: each block as the template reads it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from monitor.drift import ClusterShift, Verdict
from monitor.reports.answer import Answer
from monitor.reports.findings import FeatureSummary, Findings, WindowDrift
from monitor.reports.gallery import Gallery
from monitor.reports.map_view import MapView
from monitor.reports.sentences import drifted, severity
from monitor.reports.timeline import Timeline


@dataclass(frozen=True)
class ClusterView:
    """One cluster in one window, with what it shows, and examples from before and after."""

    shift: ClusterShift
    name: str
    before: Gallery
    after: Gallery


@dataclass(frozen=True)
class ChangedView:
    """Rows that changed and are alike, beside the baseline's rows that these are most like, or alone."""

    title: str
    rows: Gallery
    nearest: Gallery


@dataclass(frozen=True)
class Scene:
    """A few large pictures that show a shift: rows, and what they are most like in the baseline, or alone."""

    title: str = ""
    rows: Gallery = field(default_factory=Gallery)
    nearest: Gallery = field(default_factory=Gallery)


@dataclass(frozen=True)
class ShiftView:
    """A shift as the first screen tells it.

    Parameters
    ----------
    feature
        The feature's name.
    span
        When it was, in words.
    mark
        The name of the shape that stands for its verdict.
    answer
        In words.
    scene
        In pictures.
    target
        The id of the block that tells more, or None.
    """

    feature: str
    span: str
    mark: str
    answer: Answer
    scene: Scene
    target: str | None


@dataclass(frozen=True)
class Detail:
    """A window in full.

    Parameters
    ----------
    headline
        What happened, in a sentence without a full stop.
    preview
        The first pictures of what changed, or of the window.
    """

    id: str
    window: WindowDrift
    headline: str
    preview: Gallery
    clusters: tuple[ClusterView, ...]
    others: tuple[ClusterShift, ...]
    order: str
    novel: Gallery
    changed: tuple[ChangedView, ...] = ()
    map: MapView | None = None

    @property
    def widest(self) -> float:
        """The largest share that a bar shows."""
        shifts = chain((view.shift for view in self.clusters), self.others)
        return max((max(s.baseline_share, s.window_share) for s in shifts), default=1.0) or 1.0


@dataclass(frozen=True)
class Row:
    """A line of a table: a window, or a run of windows without rows.

    Parameters
    ----------
    window
        The window, or the first of the run.
    target
        The id of its detail, if there is one.
    last
        The last window of the run; the same for a single one.
    n
        How many windows the line stands for.
    """

    window: WindowDrift
    target: str | None
    last: WindowDrift
    n: int = 1


@dataclass(frozen=True)
class FailureRow:
    """One reason why rows of a feature have no vector."""

    reason: str
    meaning: str
    n_rows: int
    n_baseline: int
    worst: str


@dataclass(frozen=True)
class SegmentView:
    """One segment over all windows."""

    name: str
    windows: tuple[WindowDrift, ...]

    @property
    def n_drifted(self) -> int:
        """Windows that drifted."""
        return len(drifted(self.windows))

    @property
    def worst(self) -> WindowDrift:
        """The most drifted window."""
        return min(self.windows, key=severity)


@dataclass(frozen=True)
class FeatureView:
    """One feature, as its section of the page shows it.

    `rows` are all windows; of very many, those without drift stand in `quiet_rows`.
    """

    id: str
    summary: FeatureSummary
    windows: tuple[WindowDrift, ...]
    rows: tuple[Row, ...]
    quiet_rows: tuple[Row, ...]
    wide: Timeline | None
    narrow: Timeline | None
    details: tuple[Detail, ...]
    segments: tuple[SegmentView, ...]
    segment_rows: tuple[Row, ...]
    segment_details: tuple[Detail, ...]
    n_segment_rows: int
    failures: tuple[FailureRow, ...]
    baseline: tuple[Gallery, ...]

    def n(self, verdict: str) -> int:
        """Windows with this verdict."""
        return sum(w.judgement.verdict == verdict for w in self.windows)

    @property
    def n_rows(self) -> int:
        """Rows of all windows."""
        return sum(w.n_rows for w in self.windows)

    @property
    def n_failed(self) -> int:
        """Rows without a vector."""
        return sum(w.n_failed for w in self.windows)

    @cached_property
    def highest(self) -> float:
        """The largest distance of the table, for the length of its bars."""
        return _highest(row.window for row in (*self.rows, *self.quiet_rows, *self.segment_rows))

    @cached_property
    def highest_segment(self) -> float:
        """The largest distance of any segment's window."""
        return _highest(window for segment in self.segments for window in segment.windows)

    @property
    def strongest(self) -> WindowDrift | None:
        """The most drifted window, if there is any window."""
        return min(self.windows, key=severity, default=None)


@dataclass(frozen=True)
class Page:
    """All of a page."""

    report: Findings
    features: tuple[FeatureView, ...]
    shifts: tuple[ShiftView, ...]
    pictures: tuple[str, ...]
    has_examples: bool
    blank: str = ""


def _highest(windows: Iterable[WindowDrift]) -> float:
    scores = [
        w.judgement.scores["jsd"]
        for w in windows
        if w.judgement.verdict is not Verdict.INCONCLUSIVE
    ]
    values = [v for s in scores for v in (s.value, s.noise_ceiling) if not math.isnan(v)]
    return max(values, default=1.0) or 1.0
