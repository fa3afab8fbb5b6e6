"""One window as its page shows it: what changed in pictures, clusters by contribution, failures by reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.clusters import Example
from monitor.drift import ClusterShift, ShiftKind, Verdict
from monitor.failures import describe
from monitor.redaction import redact_url
from monitor.reports.findings import WindowDrift
from monitor.reports.thumbnails import link_of
from monitor.reports.wording import percent, plain
from monitor.store.lines import StoredWindow

_MOST_CHANGED: Final = 24
_OF_GROUP, _OF_CLUSTER, _NOVEL = 12, 6, 18

Picture = Callable[[Example], str | None]
"""A row ─► the id of its picture."""


@dataclass(frozen=True)
class Tile:
    """A row in a gallery.

    Parameters
    ----------
    picture
        The id of its picture; None where there can be none.
    label, name
        What it is called, in full and in short.
    href
        Its address on the web, where that is safe.
    when
        ISO 8601, or "".
    """

    picture: str | None
    label: str
    name: str
    href: str | None
    when: str


@dataclass(frozen=True)
class Pair:
    """Rows of the window beside rows of the baseline.

    Parameters
    ----------
    title, subtitle
        What they are.
    after, before
        The window's, and the baseline's; either may be empty.
    """

    title: str
    subtitle: str
    after: tuple[Tile, ...]
    before: tuple[Tile, ...]


@dataclass(frozen=True)
class ClusterRow:
    """A cluster: how its share changed, and what it shows."""

    shift: ClusterShift
    name: str
    after: tuple[Tile, ...]
    before: tuple[Tile, ...]


@dataclass(frozen=True)
class FailureLine:
    """A reason for rows without a vector: its meaning, its rows, and its share before and now."""

    reason: str
    meaning: str
    n: int
    share: float
    share_before: float


@dataclass(frozen=True)
class WindowView:
    """All of it.

    Parameters
    ----------
    pairs
        What changed.
    clusters
        The largest contribution first.
    novel
        Rows far from everything known.
    failures
        By reason, the most frequent first.
    widest
        The largest share of a cluster, for the length of bars.
    """

    pairs: tuple[Pair, ...]
    clusters: tuple[ClusterRow, ...]
    novel: tuple[Tile, ...]
    failures: tuple[FailureLine, ...]
    widest: float


def window_view(stored: StoredWindow, picture: Picture) -> WindowView:
    """What the page shows of a window."""
    window, summary = stored.window, stored.summary
    shifts = sorted(window.judgement.clusters, key=lambda shift: -shift.contribution)
    total = max(1, summary.n_rows + sum(summary.failures.values()))

    def tiles(examples: Sequence[Example], n: int) -> tuple[Tile, ...]:
        return tuple(_tile(example, picture) for example in examples[:n])

    clusters = tuple(
        ClusterRow(
            shift,
            f"Cluster {shift.cluster}",
            tiles(_at(window.examples, shift.cluster), _OF_CLUSTER),
            tiles(_at(summary.examples, shift.cluster), _OF_CLUSTER),
        )
        for shift in shifts
    )
    reasons = sorted(window.failures.items(), key=lambda item: -item[1])
    return WindowView(
        pairs=_pairs(window, tiles),
        clusters=clusters,
        novel=() if window.groups else tiles(window.novel_examples, _NOVEL),
        failures=tuple(
            FailureLine(
                reason, describe(reason), n, n / max(1, window.n_rows),
                summary.failures.get(reason, 0) / total,
            )
            for reason, n in reasons
        ),
        widest=max((max(s.baseline_share, s.window_share) for s in shifts), default=1.0) or 1.0,
    )  # fmt: skip


def _pairs(
    window: WindowDrift, tiles: Callable[[Sequence[Example], int], tuple[Tile, ...]]
) -> tuple[Pair, ...]:
    if window.judgement.verdict is not Verdict.DRIFT:
        return ()
    change = window.change
    if change is not None and change.kind is ShiftKind.TECHNICAL:
        rows = [row for row in window.changed if row.nearest is not None][:_MOST_CHANGED]
        nearest = [row.nearest for row in rows if row.nearest is not None]
        return (
            Pair(
                f"About {percent(change.share)} of the rows changed"
                + (f": {plain(change.cause)}" if change.cause else ""),
                "Each beside the row of the baseline that it is most like",
                tiles([row.example for row in rows], _MOST_CHANGED),
                tiles(nearest, _MOST_CHANGED),
            ),
        )
    known = {row.example.row: row.nearest for row in window.changed if row.nearest is not None}
    pairs = []
    for number, group in enumerate(window.groups):
        nearest = [known[e.row] for e in group.examples[:_OF_GROUP] if e.row in known]
        pairs.append(
            Pair(
                plain(group.name) if group.name else f"Changed, group {number + 1}",
                f"{percent(group.share)} of the window's rows",
                tiles(group.examples, _OF_GROUP),
                tiles(list(dict.fromkeys(nearest)), _OF_GROUP),
            )
        )
    for number, group in enumerate(window.vanished):
        pairs.append(
            Pair(
                plain(group.name) if group.name else f"Hardly seen any more, group {number + 1}",
                f"{percent(group.share)} of the baseline's rows",
                (),
                tiles(group.examples, _OF_GROUP),
            )
        )
    return tuple(pairs)


def _tile(example: Example, picture: Picture) -> Tile:
    source = example.source
    label = f"row {plain(example.row)}" if source is None else plain(redact_url(source))
    return Tile(
        picture=picture(example),
        label=label,
        name=label.removesuffix("?…").rstrip("/").rpartition("/")[2] or label,
        href=None if source is None else link_of(source),
        when=example.timestamp or "",
    )


def _at(examples: Sequence[tuple[Example, ...]], cluster: int) -> tuple[Example, ...]:
    return examples[cluster] if cluster < len(examples) else ()
