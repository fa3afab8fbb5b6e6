"""One window in full, as a block of the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from monitor.clusters import Example
from monitor.drift import ClusterShift, Verdict
from monitor.drift.significance import telling
from monitor.reports.answer import headline_of_window
from monitor.reports.changed import changed_views
from monitor.reports.findings import FeatureSummary, WindowDrift
from monitor.reports.gallery import Pictures
from monitor.reports.map_view import map_view
from monitor.reports.scene import scene_examples
from monitor.reports.views import ClusterView, Detail
from monitor.reports.wording import plain

PICTURES: Final = 4
_TOP_CLUSTERS, _NOVEL_PICTURES, _PREVIEW = 5, 8, 5


def detail(
    summary: FeatureSummary,
    window: WindowDrift,
    pictures: Pictures,
    target: str,
    *,
    most_points: int = 5_000,
) -> Detail:
    """The block of a window.

    Parameters
    ----------
    summary
        Of the window's feature.
    window
        What is shown.
    pictures
        Of the page.
    target
        The block's id.
    most_points
        Of its map, a side.
    """
    shifts, order = ordered_clusters(window)
    is_shift = window.judgement.verdict is Verdict.DRIFT or bool(window.kinds)
    return Detail(
        id=target,
        window=window,
        headline=headline_of_window(window, noun=summary.noun) if is_shift else "",
        preview=pictures.gallery(scene_examples(window)[0], _PREVIEW),
        clusters=tuple(
            ClusterView(
                shift=s,
                name=plain(summary.cluster_name(s.cluster)),
                before=pictures.gallery(of_cluster(summary.examples, s.cluster), PICTURES),
                after=pictures.gallery(of_cluster(window.examples, s.cluster), PICTURES),
            )
            for s in shifts[:_TOP_CLUSTERS]
        ),
        others=tuple(shifts[_TOP_CLUSTERS:]),
        order=order,
        # Groups of what changed hold the novel rows too.
        novel=pictures.gallery(() if window.groups else window.novel_examples, _NOVEL_PICTURES),
        changed=changed_views(window, pictures),
        map=map_view(window, pictures, most_points),
    )


def cluster_examples(window: WindowDrift, part: slice) -> Iterator[Example]:
    """Rows of the clusters that `detail` shows, so many of each."""
    for shift in ordered_clusters(window)[0][:_TOP_CLUSTERS]:
        yield from of_cluster(window.examples, shift.cluster)[part]


def of_cluster(examples: Sequence[tuple[Example, ...]], cluster: int) -> tuple[Example, ...]:
    """The examples of one cluster, if there are any."""
    return examples[cluster] if cluster < len(examples) else ()


def ordered_clusters(window: WindowDrift) -> tuple[list[ClusterShift], str]:
    """The clusters, the one that changed most first, and what that means."""
    judgement = window.judgement
    if any(test.name == "mix" for test in telling(judgement.tests, judgement.alpha)):
        by_part = sorted(judgement.clusters, key=lambda s: -s.contribution)
        return by_part, "the largest part of the JSD first"

    def moved(shift: ClusterShift) -> float:
        return 0.0 if math.isnan(shift.movement) else shift.movement * shift.window_share

    by_movement = sorted(judgement.clusters, key=lambda s: -moved(s))
    return by_movement, "the one whose rows moved most first, as chance may explain their shares"
