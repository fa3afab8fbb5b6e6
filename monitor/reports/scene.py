"""A shift in six large pictures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Final

from monitor.clusters import Example
from monitor.drift import ChangedGroup, ShiftKind
from monitor.reports.changed import pairs
from monitor.reports.findings import WindowDrift
from monitor.reports.gallery import Pictures
from monitor.reports.shifts import is_technical
from monitor.reports.views import Scene
from monitor.reports.wording import percent, plain

N_PICTURES, N_PAIRS = 6, 3
_MOST_GROUPS: Final = 3


def scene_examples(window: WindowDrift) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """The rows that show a window's shift, and what each is most like in the baseline where that tells."""
    if is_technical(window):
        shown = pairs(window, N_PAIRS)
        return tuple(row for row, _ in shown), tuple(nearest for _, nearest in shown)
    groups = window.groups or window.vanished
    if window.change is not None and window.change.kind is ShiftKind.CONTENT_LOST:
        groups = window.vanished or window.groups
    if groups:
        return _of_groups(groups), ()
    if window.novel_examples:
        return window.novel_examples[:N_PICTURES], ()
    shifts = sorted(window.judgement.clusters, key=lambda shift: -shift.contribution)
    rows = chain.from_iterable(
        window.examples[s.cluster] for s in shifts if s.cluster < len(window.examples)
    )
    return tuple(rows)[:N_PICTURES], ()


def scene(window: WindowDrift, pictures: Pictures) -> Scene:
    """The same as the page shows it."""
    rows, nearest = scene_examples(window)
    return Scene(
        _title(window),
        pictures.gallery(rows, N_PICTURES),
        pictures.gallery(nearest, N_PICTURES),
    )


def _of_groups(groups: Sequence[ChangedGroup]) -> tuple[Example, ...]:
    """Pictures in turn of the largest groups, those of one group side by side, the largest first."""
    few = groups[:_MOST_GROUPS]
    turns = zip_longest(*(group.examples[:N_PICTURES] for group in few))
    taken = [example for turn in turns for example in turn if example is not None][:N_PICTURES]
    rows = {id(example) for example in taken}
    return tuple(example for group in few for example in group.examples if id(example) in rows)


def _title(window: WindowDrift) -> str:
    kind = window.change.kind if window.change is not None else None
    if kind is ShiftKind.TECHNICAL:
        return "Now, and what is most like it in the baseline"
    if kind is ShiftKind.CONTENT_LOST and window.vanished:
        return _listed("Missing now", window.vanished, "of the baseline")
    if window.groups:
        return _listed("What changed", window.groups, "of the rows")
    return "Rows of this window"


def _listed(title: str, groups: Sequence[ChangedGroup], of: str) -> str:
    named = [f"{plain(g.name)} {percent(g.share)}" for g in groups[:_MOST_GROUPS] if g.name]
    if named:
        return f"{title}: {', '.join(named)} {of}"
    return f"{title}: {percent(sum(group.share for group in groups))} {of}"
