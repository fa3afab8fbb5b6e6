"""A judgement ─► what the report says of its window: causes and examples."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final
from zoneinfo import ZoneInfo

from monitor.clusters import most_repeated
from monitor.drift import (
    Change,
    ColumnExplanation,
    Judgement,
    RowEvidence,
    ShiftKind,
    Verdict,
    change_of,
    explain,
    failure_shifts,
    is_broken,
    is_placeholder,
    quality_shifts,
    row_evidence,
    shift_kinds,
)
from monitor.pipeline.changed import ChangedRowsOf
from monitor.pipeline.examples import RowExamples
from monitor.pipeline.facts import WindowFacts
from monitor.pipeline.mapped import window_map
from monitor.pipeline.placed import PlacedRows, PlacedWindow
from monitor.reports import WindowDrift
from monitor.reports.next_steps import next_steps

_ONE_IMAGE: Final = "one image again and again"


@dataclass(frozen=True, eq=False)
class Causes:
    """Finds what moved in a window, and which rows show it.

    Parameters
    ----------
    placed
        The feature's rows.
    examples
        The same rows, as examples.
    zone
        Whose days windows are.
    """

    placed: PlacedRows
    examples: RowExamples
    zone: ZoneInfo

    def of(
        self,
        window: PlacedWindow,
        judgement: Judgement,
        *,
        segment: str | None = None,
        shift: tuple[dt.datetime | None, dt.datetime | None] = (None, None),
        is_closed: bool = False,
    ) -> WindowDrift:
        """The judgement with its causes and examples.

        Parameters
        ----------
        window
            The window's rows, or those of one of its segments.
        judgement
            What was found.
        segment
            Whose rows these are; None for all rows.
        shift
            When the shift began that was found after this window, and when it ended if it is over.
        is_closed
            Whether the window has no rows, as always at its time of the week.
        """
        placed, baseline, span = self.placed, self.placed.baseline, window.span
        facts = window.facts or WindowFacts.of(placed, window, self.examples)
        repeated = facts.most_repeated
        usual = baseline.most_repeated
        is_replaced = is_placeholder(repeated, window.sketch.n, usual, baseline.n_rows)
        notes = []
        if is_replaced:
            notes.append(
                f"{repeated:.0%} of the rows have one and the same vector (in the baseline at most "
                f"{usual:.0%}): is the feed serving a placeholder?"
            )
        # A segment has always differed from the whole, whose failures and pixels alone are known.
        is_whole = segment is None
        counts = baseline.histogram
        n_baseline = counts.n_failed + baseline.n_rows
        lost = (
            failure_shifts(counts.failures, n_baseline, window.failures, window.n_rows)
            if is_whole
            else ()
        )
        pixels = (
            quality_shifts(baseline.quality, window.sketch.quality)
            if is_whole and baseline.quality and window.sketch.quality and window.sketch.n
            else ()
        )
        is_drift = judgement.verdict is Verdict.DRIFT
        evidence = self._evidence(window) if is_drift and is_whole else None
        change = None
        if evidence is not None and is_replaced:
            copies = most_repeated(placed.scaled[window.at])
            evidence = replace(evidence, changed=evidence.changed.seen(copies))
            change = Change(ShiftKind.BROKEN_FEED, _ONE_IMAGE, repeated, repeated, repeated)
        elif evidence is not None:
            change = change_of(judgement, evidence, pixels)
            # Where all images are darker, all have changed, also those that look like others.
            evidence = replace(evidence, changed=evidence.changed.given(change.share))
        broken = is_broken(lost, alpha=judgement.alpha, is_placeholder=is_replaced)
        if evidence is not None and len(window.at) < window.sketch.n:
            notes.append(
                f"which rows changed, their share and groups are read off {len(window.at):,} of the "
                f"{window.sketch.n:,} rows with vectors, drawn at random; all else is of all of them"
            )
        rows = ChangedRowsOf(placed, self.examples, window)
        is_technical = change is not None and change.kind is ShiftKind.TECHNICAL
        listed, groups = (
            ((), ()) if evidence is None else rows.listed(evidence, is_technical=is_technical)
        )
        explained = WindowDrift(
            feature=baseline.name,
            start=self._in_zone(None if span is None else span.start),
            end=self._in_zone(None if span is None else span.end),
            segment=segment,
            failures=window.failures,
            judgement=judgement,
            examples=facts.nearest
            if evidence is None
            else self.examples.per_cluster(
                window.rows,
                placed.labels[window.at],
                placed.distances[window.at],
                baseline.n_clusters,
                evidence.changed.scores,
            ),
            novel_examples=facts.novel,
            most_repeated=repeated,
            repeated=facts.repeated,
            began=self._in_zone(shift[0]),
            ended=self._in_zone(shift[1]),
            kinds=shift_kinds(judgement, change, is_broken=broken),
            change=change,
            changed=listed,
            groups=groups,
            vanished=() if evidence is None else rows.vanished(evidence),
            quality=pixels,
            failure_shifts=lost,
            explanations=self._explanations(window) if is_drift and is_whole else (),
            is_closed=is_closed,
            notes=tuple(notes),
        )
        return replace(
            explained,
            next_steps=next_steps(explained, noun=placed.feature.origin.noun),
            map=None if evidence is None else window_map(explained, rows, evidence),
        )

    def _in_zone(self, instant: dt.datetime | None) -> dt.datetime | None:
        return None if instant is None else instant.astimezone(self.zone)

    def _evidence(self, window: PlacedWindow) -> RowEvidence | None:
        from monitor.images.quality import QUALITY_FIELDS

        quality = self.placed.quality
        return row_evidence(
            self.placed.scaled[window.at],
            None if quality is None else quality[window.rows],
            self.placed.baseline,
            QUALITY_FIELDS,
        )

    def _explanations(self, window: PlacedWindow) -> tuple[ColumnExplanation, ...]:
        facts = window.facts
        tables = self.placed.value_tables(window) if facts is None else facts.tables
        return explain(self.placed.baseline.columns, tables) if tables else ()
