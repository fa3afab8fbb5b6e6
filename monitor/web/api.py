"""What the store holds, as JSON; and acts, which are written into it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request

from monitor.store import acts, lines
from monitor.store.acts import ActKind
from monitor.web.models import (
    AcceptIn,
    AcknowledgeIn,
    ActOut,
    AlertOut,
    ChangedRowOut,
    EpisodeOut,
    FeatureId,
    FeatureOut,
    Instant,
    MarkIn,
    Problem,
    WindowDetail,
    WindowsOut,
)
from monitor.web.overview import open_alerts, overview
from monitor.web.services import MOST_WINDOWS, N_TIMELINE, Services, actor_of, signed


def router(services: Services) -> APIRouter:
    """The routes below `/api`."""
    site, store = services.site, services.site.store
    routes = APIRouter(prefix="/api", responses={404: {"model": Problem}, 401: {"model": Problem}})

    @routes.get("/features")
    def features() -> list[FeatureOut]:
        """Every feature and what it is doing, what needs somebody first."""
        with store.reading() as connection:
            return [FeatureOut.of(card) for card in overview(connection, site.now())]

    @routes.get("/features/{feature}/windows")
    def windows(
        feature: FeatureId,
        since: Annotated[Instant | None, Query()] = None,
        until: Annotated[Instant | None, Query()] = None,
        n: Annotated[int, Query(ge=1, le=MOST_WINDOWS)] = N_TIMELINE,
    ) -> WindowsOut:
        """The windows that start in [since, until), or the last `n` before `until`, and their episodes."""
        with store.reading() as connection:
            line = services.feature(connection, feature)
            if since is None:
                shown = lines.recent(connection, feature, n, until)
            else:
                shown = lines.between(connection, feature, since, until or site.now(), n)
            episodes = services.episodes(connection, line, shown)
            return WindowsOut(
                feature=line.name,
                windows=services.windows(connection, line, shown),
                episodes=tuple(EpisodeOut.of(episode) for episode in episodes),
            )

    @routes.get("/features/{feature}/windows/{start}")
    def window(feature: FeatureId, start: Instant) -> WindowDetail:
        """One window in full: its story, and its entry in a JSON report."""
        with store.reading() as connection:
            line = services.feature(connection, feature)
            stored = services.stored_window(connection, feature, start)
            done = acts.of(connection, line.name, stored.line.start, stored.line.end)
        mark = acts.mark_of(done, stored.line.start, stored.line.end)
        return WindowDetail.of(stored, done, mark)

    @routes.get("/features/{feature}/windows/{start}/changed")
    def changed(
        feature: FeatureId, start: Instant, n: Annotated[int, Query(ge=1, le=1_000)] = 200
    ) -> list[ChangedRowOut]:
        """The rows of a window that changed, the likeliest first."""
        with store.reading() as connection:
            stored = services.stored_window(connection, feature, start)
        groups = stored.window.groups
        return [
            ChangedRowOut(
                row=row.example.row,
                source=row.example.source,
                time=row.example.timestamp,
                score=row.score,
                group=row.group,
                group_name=groups[row.group].name if row.group < len(groups) else "",
                picture=services.picture(row.example.source),
            )
            for row in stored.window.changed[:n]
        ]

    @routes.get("/alerts")
    def alerts() -> list[AlertOut]:
        """What goes on: what nobody has seen first."""
        with store.reading() as connection:
            return [AlertOut.of(alert) for alert in open_alerts(connection)]

    @routes.get("/acts")
    def done(
        feature: Annotated[FeatureId | None, Query()] = None,
        n: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> list[ActOut]:
        """What people did, the latest first."""
        with store.reading() as connection:
            name = None if feature is None else services.feature(connection, feature).name
            return [ActOut.model_validate(act) for act in acts.of(connection, name)[:n]]

    refused: dict[int | str, dict[str, Any]] = {403: {"model": Problem}, 409: {"model": Problem}}

    @routes.post("/acts/acknowledge", status_code=201, responses=refused)
    def acknowledge(request: Request, asked: AcknowledgeIn) -> ActOut:
        """Say that somebody has seen an alert."""
        who = actor_of(request)
        with store.writing() as connection:
            known = {shown.alert.dedup_key: shown.alert for shown in open_alerts(connection)}
            alert = known.get(asked.alert_key)
            if alert is None:
                raise HTTPException(404, "there is no open alert of this key")
            act = signed(
                who,
                site.now(),
                kind=ActKind.ACKNOWLEDGE,
                feature=alert.feature,
                window_start=alert.window_start,
                window_end=alert.window_end,
                alert_key=alert.dedup_key,
                note=asked.note,
            )
            acts.add(connection, act)
        return ActOut.model_validate(act)

    @routes.post("/acts/mark", status_code=201, responses=refused)
    def mark(request: Request, asked: MarkIn) -> ActOut:
        """Say what windows are: real drift, harmless, a broken feed; `unmarked` takes it back."""
        who = actor_of(request)
        _check_span(asked)
        with store.writing() as connection:
            line = services.feature(connection, asked.feature)
            act = signed(
                who,
                site.now(),
                kind=ActKind.MARK,
                feature=line.name,
                window_start=asked.window_start,
                window_end=asked.window_end,
                mark=asked.mark,
                note=asked.note,
            )
            acts.add(connection, act)
        return ActOut.model_validate(act)

    @routes.post("/acts/accept", status_code=201, responses=refused)
    def accept(request: Request, asked: AcceptIn) -> ActOut:
        """Take windows as normal from now on: the baseline is fitted again with their rows."""
        who = actor_of(request)
        _check_span(asked)
        if site.accept is None:
            raise HTTPException(
                409,
                "this server cannot fit baselines: use `monitor baseline accept` where the config is",
            )
        with store.reading() as connection:
            line = services.feature(connection, asked.feature)
        baseline = site.accept(line.name, asked.window_start, asked.window_end)
        act = signed(
            who,
            site.now(),
            kind=ActKind.ACCEPT,
            feature=line.name,
            window_start=asked.window_start,
            window_end=asked.window_end,
            note=f"baseline {baseline.id}. {asked.note}".strip(),
        )
        with store.writing() as connection:
            acts.add(connection, act)
        return ActOut.model_validate(act)

    return routes


def _check_span(asked: MarkIn | AcceptIn) -> None:
    if asked.window_start >= asked.window_end:
        raise HTTPException(422, "window_start must lie before window_end")
