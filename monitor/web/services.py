"""What answers share: the site, its pictures and its clouds, and look-ups that end in a clear refusal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from fastapi import HTTPException, Request

from monitor.redaction import redact_url
from monitor.reports.thumbnails import link_of
from monitor.reports.wording import plain
from monitor.store import acts, lines
from monitor.store.lines import FeatureLine, StoredWindow, WindowLine
from monitor.web.access import Access, RateLimit, Sessions, Visitor
from monitor.web.cloud import Cloud
from monitor.web.clouds import Clouds
from monitor.web.episodes import EpisodeLine, episodes_of
from monitor.web.models import RowOut, WindowOut
from monitor.web.pictures import Pictures
from monitor.web.search import Match
from monitor.web.site import Site

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST_WINDOWS: Final = 5_000
N_TIMELINE: Final = 365


@dataclass(frozen=True, eq=False)
class Services:
    """What answers share.

    Parameters
    ----------
    site
        What the page stands on.
    access, sessions
        Who may look.
    pictures
        Of rows.
    clouds
        Of features.
    searches, logins
        How often one visitor may search, and try tokens, a minute.
    """

    site: Site
    access: Access
    sessions: Sessions
    pictures: Pictures
    clouds: Clouds
    searches: RateLimit = field(default_factory=lambda: RateLimit(60))
    logins: RateLimit = field(default_factory=lambda: RateLimit(10))

    def feature(self, connection: Connection, feature: int) -> FeatureLine:
        """The feature of this number, or 404."""
        known = {line.id: line for line in lines.known_features(connection)}
        if feature not in known:
            raise HTTPException(404, f"there is no feature {feature}")
        return known[feature]

    def stored_window(
        self, connection: Connection, feature: int, start: dt.datetime
    ) -> StoredWindow:
        """The window that starts at `start`, or 404."""
        stored = lines.window_at(connection, feature, start)
        if stored is None:
            raise HTTPException(
                404, f"feature {feature} has no judged window that starts at {start.isoformat()}"
            )
        return stored

    def windows(
        self, connection: Connection, feature: FeatureLine, shown: Sequence[WindowLine]
    ) -> tuple[WindowOut, ...]:
        """Lines with the marks that people gave them."""
        if not shown:
            return ()
        marks = acts.of(connection, feature.name, shown[0].start, shown[-1].end)
        return tuple(WindowOut.of(w, acts.mark_of(marks, w.start, w.end)) for w in shown)

    def episodes(
        self, connection: Connection, feature: FeatureLine, shown: Sequence[WindowLine]
    ) -> tuple[EpisodeLine, ...]:
        """The episodes of these windows, with what people said of them."""
        if not shown:
            return ()
        marks = acts.of(connection, feature.name, shown[0].start, shown[-1].end)
        return episodes_of(shown, marks)

    def rows(self, cloud: Cloud, matches: Sequence[Match] | Sequence[int]) -> tuple[RowOut, ...]:
        """Points as rows that are safe to show, with pictures that can be asked for."""
        points = [match.point if isinstance(match, Match) else int(match) for match in matches]
        similar = {match.point: match.similarity for match in matches if isinstance(match, Match)}
        return tuple(
            self._row(known, similar.get(known["point"])) for known in cloud.describe(points)
        )

    def picture(self, source: str | None) -> str | None:
        """The id of a row's picture."""
        return None if source is None or not source.strip() else self.pictures.id_of(source)

    def _row(self, known: dict[str, Any], similarity: float | None) -> RowOut:
        source = known["source"]
        return RowOut(
            **{
                **known,
                "row": plain(known["row"]),
                "source": None if source is None else plain(redact_url(source)),
                "columns": {name: _cell(cell) for name, cell in known["columns"].items()},
                "picture": self.picture(source),
                "link": None if source is None else link_of(source),
                "similarity": similarity,
            }
        )


def visitor_of(request: Request) -> Visitor:
    """Who asks."""
    visitor: Visitor = request.state.visitor
    return visitor


def actor_of(request: Request) -> Visitor:
    """Who asks, if they may do more than read; else 403."""
    visitor = visitor_of(request)
    if not visitor.may_act:
        raise HTTPException(403, "this token may only read")
    return visitor


def _cell(cell: Any) -> str | float | None:
    if isinstance(cell, str):
        return plain(cell)
    if isinstance(cell, float) and cell != cell:
        return None
    return float(cell) if isinstance(cell, int | float) else None
