"""Windows and counts ─► gauges. Values only."""

from __future__ import annotations

import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.alerts.alert import AlertCounts
from monitor.drift import Verdict
from monitor.failures import REASONS
from monitor.redaction import shorten
from monitor.reports import FeatureSummary, WindowDrift
from monitor.reports.shifts import kind_of

MOST_SEGMENTS: Final = 50
_LONGEST_LABEL: Final = 64
_MOST_NAMES: Final = 3
"""Of what changed, the largest groups: a label is no list."""
_ADDRESS = re.compile(r"://|^\s*(data:|//|www\.)|\?\S*=", re.IGNORECASE)
_HTTP_STATUS = re.compile(r"http_([1-9])[0-9]{2}")


@dataclass(frozen=True)
class Gauge:
    """One number of each of several things.

    Parameters
    ----------
    name
        As Prometheus has it, with the unit at the end.
    description
        What it is, with its range.
    samples
        Labels and values.
    """

    name: str
    description: str
    samples: tuple[tuple[Mapping[str, str], float], ...]


def gauges(
    windows: Iterable[WindowDrift],
    counts: AlertCounts | None = None,
    *,
    features: Iterable[FeatureSummary] = (),
    backlog: Mapping[str, Mapping[str, int]] | None = None,
    most_segments: int = MOST_SEGMENTS,
) -> tuple[Gauge, ...]:
    """What monitoring has to tell of its last windows.

    Parameters
    ----------
    windows
        Judged windows; of each feature those of the last one count.
    counts
        Open alerts and waiting messages, where they are known.
    features
        What is known of the features' baselines: the names of their clusters.
    backlog
        How many windows of each feature are `due`, and `failed`: given up; where that is known.
    most_segments
        So many segments of a feature have gauges of their own, those with most rows; how many are left
        out is a gauge, too.

    Returns
    -------
    Gauges whose samples are in a fixed order. What is not defined (a p-value of too few rows) has no
    sample. The label `segment` is empty for all rows. What is told in words stands in the labels of gauges
    that are 1 and end in `_info`: a name that changes ends no other gauge's series.
    """
    shown: list[tuple[dict[str, str], WindowDrift]] = []
    left_out: list[tuple[dict[str, str], float]] = []
    for feature, last in sorted(_last(windows).items()):
        segments = sorted(
            (window for window in last if window.segment is not None),
            key=lambda window: (-window.n_rows, str(window.segment)),
        )
        kept = [window for window in last if window.segment is None] + segments[:most_segments]
        name = label(feature)
        shown += [
            ({"feature": name, "segment": label(window.segment or "")}, window) for window in kept
        ]
        left_out.append(({"feature": name}, float(max(0, len(segments) - most_segments))))
    made = [Gauge(name, text, _each(shown, read)) for name, text, read in _OF_WINDOWS]
    made += [Gauge(name, text, _scores(shown, field)) for name, text, field in _OF_SCORES]
    made += [
        Gauge(
            "monitor_window_verdict",
            "1 for the verdict of the last window, 0 for the others.",
            tuple(
                ({**labels, "verdict": str(verdict)}, float(window.judgement.verdict is verdict))
                for labels, window in shown
                for verdict in Verdict
            ),
        ),
        Gauge(
            "monitor_window_failures",
            "Rows of the last window without a vector, by reason.",
            tuple(
                ({**labels, "reason": reason}, float(n))
                for labels, window in shown
                for reason, n in _by_reason(window.failures).items()
            ),
        ),
        Gauge(
            "monitor_segments_left_out",
            "Segments of the last window that have no gauges of their own.",
            tuple(left_out),
        ),
        Gauge(
            "monitor_window_change_info",
            "1 where the last window shifted: what kind of change, its cause and what it shows.",
            tuple(({**labels, **_change(window)}, 1.0) for labels, window in shown if window.kinds),
        ),
    ]
    made += _of_clusters([(labels, w) for labels, w in shown if w.segment is None], features)
    made += () if backlog is None else _of_backlog(backlog)
    return tuple(made) + (() if counts is None else _of_alerts(counts))


def label(text: str) -> str:
    """A label from the data: short, printable, and no address.

    What was cut or replaced ends in a mark of its own, so that two segments never share a series.

    >>> label("Berlin"), label("https://me:secret@example.com/a.jpg")
    ('Berlin', 'address~bebb30c4')
    """
    is_address = _ADDRESS.search(text) is not None
    shown = "address" if is_address else shorten(text, _LONGEST_LABEL)
    if shown == text:
        return text
    mark = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{shown}~{mark}"


def _last(windows: Iterable[WindowDrift]) -> dict[str, list[WindowDrift]]:
    """The windows of each feature that ended last, segments among them."""
    by_feature: dict[str, list[WindowDrift]] = defaultdict(list)
    for window in windows:
        by_feature[window.feature].append(window)
    return {
        feature: [window for window in of_feature if _ended(window) == max(map(_ended, of_feature))]
        for feature, of_feature in by_feature.items()
    }


def _ended(window: WindowDrift) -> float:
    return -math.inf if window.end is None else window.end.timestamp()


def _by_reason(failures: Mapping[str, int]) -> dict[str, int]:
    """Rows by the reasons that a label may take: HTTP statuses by their class."""
    counts: dict[str, int] = defaultdict(int)
    for reason, n in sorted(failures.items()):
        status = _HTTP_STATUS.fullmatch(reason)
        known = f"http_{status[1]}xx" if status else reason if reason in REASONS else "other"
        counts[known] += n
    return dict(sorted(counts.items()))


def _change(window: WindowDrift) -> dict[str, str]:
    """The labels that tell what a window's shift is."""
    kind, cause = kind_of(window)
    return {
        "kind": "" if kind is None else str(kind),
        "cause": label(cause),
        "names": label(", ".join(window.names[:_MOST_NAMES])),
    }


def _of_clusters(shown: _Shown, features: Iterable[FeatureSummary]) -> list[Gauge]:
    """Each cluster's share of the rows, and what it shows."""
    by_name = {label(feature.name): feature for feature in features}
    known = [
        (labels["feature"], by_name[labels["feature"]])
        for labels, _ in shown
        if labels["feature"] in by_name
    ]
    return [
        Gauge(
            "monitor_window_cluster_ratio",
            "Share of the last window's rows that lie in each cluster, 0 to 1.",
            tuple(
                ({"feature": labels["feature"], "cluster": str(cluster)}, float(share))
                for labels, window in shown
                for cluster, share in enumerate(_shares(window.judgement.window_histogram))
            ),
        ),
        Gauge(
            "monitor_baseline_cluster_ratio",
            "Share of the baseline's rows that lie in each cluster, 0 to 1.",
            tuple(
                ({"feature": name, "cluster": str(cluster)}, float(share))
                for name, feature in known
                for cluster, share in enumerate(_shares(feature.histogram))
            ),
        ),
        Gauge(
            "monitor_cluster_info",
            "1 for each cluster of which is known what it shows.",
            tuple(
                ({"feature": name, "cluster": str(cluster), "name": label(shows)}, 1.0)
                for name, feature in known
                for cluster, shows in enumerate(feature.cluster_names)
                if shows
            ),
        ),
    ]


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """None for no row: nothing is said of an empty window."""
    return counts / counts.sum() if counts.sum() else np.empty(0)


_Shown = Sequence[tuple[dict[str, str], WindowDrift]]
_Samples = tuple[tuple[Mapping[str, str], float], ...]

_OF_WINDOWS: Final[tuple[tuple[str, str, Callable[[WindowDrift], float]], ...]] = (
    ("monitor_window_rows", "Rows of the last window.", lambda window: window.n_rows),
    (
        "monitor_window_failure_ratio",
        "Share of rows of the last window without a vector, 0 to 1.",
        lambda window: window.failure_rate,
    ),
    (
        "monitor_window_end_timestamp_seconds",
        "When the last judged window ended, in seconds since 1970.",
        lambda window: math.nan if window.end is None else window.end.timestamp(),
    ),
    (
        "monitor_window_p_value",
        "P-value of the last window, 0 to 1; low means drift.",
        lambda window: window.judgement.p_value,
    ),
    (
        "monitor_window_alpha",
        "The significance level that the p-value was compared with.",
        lambda window: window.judgement.alpha,
    ),
    (
        "monitor_window_novel_ratio",
        "Share of rows farther from known rows than 99 % of the baseline's, 0 to 1.",
        lambda window: window.judgement.novel_share,
    ),
)
_OF_SCORES: Final = (
    ("monitor_window_distance", "Distance of the last window from the baseline.", "value"),
    (
        "monitor_window_distance_noise_floor",
        "What that distance is on average without drift.",
        "noise_floor",
    ),
    (
        "monitor_window_distance_noise_ceiling",
        "What that distance stays below without drift, but for a share alpha of windows.",
        "noise_ceiling",
    ),
)


def _each(shown: _Shown, read: Callable[[WindowDrift], float]) -> _Samples:
    values = ((labels, float(read(window))) for labels, window in shown)
    return tuple((labels, value) for labels, value in values if not math.isnan(value))


def _scores(shown: _Shown, field: str) -> _Samples:
    return tuple(
        ({**labels, "distance": name}, value)
        for labels, window in shown
        for name, score in window.judgement.scores.items()
        if not math.isnan(value := float(getattr(score, field)))
    )


def _of_backlog(backlog: Mapping[str, Mapping[str, int]]) -> list[Gauge]:
    return [
        Gauge(
            name,
            text,
            tuple(({"feature": label(feature)}, float(n[state])) for feature, n in backlog.items()),
        )
        for name, state, text in (
            ("monitor_windows_due", "due", "Windows that are due and not judged yet."),
            (
                "monitor_windows_given_up",
                "failed",
                "Windows that were tried in vain and given up; --retry-failed tries again.",
            ),
        )
    ]


def _of_alerts(counts: AlertCounts) -> tuple[Gauge, ...]:
    by_severity: _Samples = tuple(
        ({"severity": str(severity)}, float(n)) for severity, n in sorted(counts.n_open.items())
    )
    return (
        Gauge("monitor_alerts_open", "Alerts that go on, by severity.", by_severity),
        Gauge(
            "monitor_outbox_pending",
            "Messages on their way to a channel.",
            (({}, float(counts.n_pending)),),
        ),
        Gauge(
            "monitor_outbox_dead",
            "Messages that were given up after too many attempts.",
            (({}, float(counts.n_dead)),),
        ),
    )
