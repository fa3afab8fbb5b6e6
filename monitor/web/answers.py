"""What the store holds, and acts that are written into it: the same for programs and for agents."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from fastapi import HTTPException

from monitor.store import acts, lines
from monitor.store.acts import Act, ActKind
from monitor.web.access import Visitor
from monitor.web.models import (
    AcceptIn,
    AcknowledgeIn,
    ActOut,
    AlertOut,
    ChangedRowOut,
    EpisodeOut,
    FeatureOut,
    MarkIn,
    WindowDetail,
    WindowsOut,
)
from monitor.web.overview import open_alerts, overview
from monitor.web.services import N_TIMELINE, Services


@dataclass(frozen=True, eq=False)
class Answers:
    """What is asked of the store, answered in the API's own types.

    What is not there is an `HTTPException` of status 404, what makes no sense one of 422.
    """

    services: Services

    def features(self) -> list[FeatureOut]:
        """Every feature and what it is doing, what needs somebody first."""
        with self.services.site.store.reading() as connection:
            return [FeatureOut.of(card) for card in overview(connection, self.services.site.now())]

    def windows(
        self,
        feature: int,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        n: int = N_TIMELINE,
    ) -> WindowsOut:
        """The windows that start in [since, until), or the last `n` before `until`, and their episodes."""
        services = self.services
        with services.site.store.reading() as connection:
            line = services.feature(connection, feature)
            if since is None:
                shown = lines.recent(connection, feature, n, until)
            else:
                shown = lines.between(connection, feature, since, until or services.site.now(), n)
            episodes = services.episodes(connection, line, shown)
            return WindowsOut(
                feature=line.name,
                windows=services.windows(connection, line, shown),
                episodes=tuple(EpisodeOut.of(episode) for episode in episodes),
            )

    def window(self, feature: int, start: dt.datetime) -> WindowDetail:
        """One window in full: its story, and its entry in a JSON report."""
        with self.services.site.store.reading() as connection:
            line = self.services.feature(connection, feature)
            stored = self.services.stored_window(connection, feature, start)
            done = acts.of(connection, line.name, stored.line.start, stored.line.end)
        mark = acts.mark_of(done, stored.line.start, stored.line.end)
        return WindowDetail.of(stored, done, mark)

    def changed(self, feature: int, start: dt.datetime, n: int) -> list[ChangedRowOut]:
        """The rows of a window that changed, the likeliest first."""
        with self.services.site.store.reading() as connection:
            stored = self.services.stored_window(connection, feature, start)
        groups = stored.window.groups
        return [
            ChangedRowOut(
                row=row.example.row,
                source=row.example.source,
                time=row.example.timestamp,
                score=row.score,
                group=row.group,
                group_name=groups[row.group].name if row.group < len(groups) else "",
                picture=self.services.picture(row.example.source),
            )
            for row in stored.window.changed[:n]
        ]

    def alerts(self) -> list[AlertOut]:
        """What goes on: what nobody has seen first."""
        with self.services.site.store.reading() as connection:
            return [AlertOut.of(alert) for alert in open_alerts(connection)]

    def acts(self, feature: int | None, n: int) -> list[ActOut]:
        """What people did, the latest first."""
        with self.services.site.store.reading() as connection:
            name = None if feature is None else self.services.feature(connection, feature).name
            return [ActOut.model_validate(act) for act in acts.of(connection, name)[:n]]

    def acknowledge(self, who: Visitor, asked: AcknowledgeIn) -> ActOut:
        """Note that somebody has seen an alert."""
        with self.services.site.store.writing() as connection:
            known = {shown.alert.dedup_key: shown.alert for shown in open_alerts(connection)}
            alert = known.get(asked.alert_key)
            if alert is None:
                raise HTTPException(404, "there is no open alert of this key")
            act = Act(
                ActKind.ACKNOWLEDGE, alert.feature, who.name, self.services.site.now(),
                alert.window_start, alert.window_end, alert_key=alert.dedup_key, note=asked.note,
            )  # fmt: skip
            acts.add(connection, act)
        return ActOut.model_validate(act)

    def mark(self, who: Visitor, asked: MarkIn) -> ActOut:
        """Note what somebody says that windows are."""
        _check_span(asked)
        with self.services.site.store.writing() as connection:
            line = self.services.feature(connection, asked.feature)
            act = Act(
                ActKind.MARK, line.name, who.name, self.services.site.now(),
                asked.window_start, asked.window_end, mark=asked.mark, note=asked.note,
            )  # fmt: skip
            acts.add(connection, act)
        return ActOut.model_validate(act)

    def accept(self, who: Visitor, asked: AcceptIn) -> ActOut:
        """Fit the baseline again with the rows of windows."""
        _check_span(asked)
        site = self.services.site
        if site.accept is None:
            raise HTTPException(
                409,
                "this server cannot fit baselines: use `monitor baseline accept` where the config is",
            )
        with site.store.reading() as connection:
            line = self.services.feature(connection, asked.feature)
        baseline = site.accept(line.name, asked.window_start, asked.window_end)
        note = f"baseline {baseline.id}. {asked.note}".strip()
        act = Act(
            ActKind.ACCEPT, line.name, who.name, site.now(),
            asked.window_start, asked.window_end, note=note,
        )  # fmt: skip
        with site.store.writing() as connection:
            acts.add(connection, act)
        return ActOut.model_validate(act)


def _check_span(asked: MarkIn | AcceptIn) -> None:
    if asked.window_start >= asked.window_end:
        raise HTTPException(422, "window_start must lie before window_end")
