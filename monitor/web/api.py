"""What the store holds, as JSON; and acts, which are written into it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from monitor.web.answers import Answers
from monitor.web.models import (
    AcceptIn,
    AcknowledgeIn,
    ActOut,
    AlertOut,
    ChangedRowOut,
    FeatureId,
    FeatureOut,
    Instant,
    MarkIn,
    Problem,
    WindowDetail,
    WindowsOut,
)
from monitor.web.services import MOST_WINDOWS, N_TIMELINE, Services, actor_of


def router(services: Services) -> APIRouter:
    """The routes below `/api`."""
    answers = Answers(services)
    routes = APIRouter(
        prefix="/api", responses={code: {"model": Problem} for code in (401, 404, 422)}
    )

    @routes.get("/features")
    def features() -> list[FeatureOut]:
        """Every feature and what it is doing, what needs somebody first."""
        return answers.features()

    @routes.get("/features/{feature}/windows")
    def windows(
        feature: FeatureId,
        since: Annotated[Instant | None, Query()] = None,
        until: Annotated[Instant | None, Query()] = None,
        n: Annotated[int, Query(ge=1, le=MOST_WINDOWS)] = N_TIMELINE,
    ) -> WindowsOut:
        """The windows that start in [since, until), or the last `n` before `until`, and their episodes."""
        return answers.windows(feature, since, until, n)

    @routes.get("/features/{feature}/windows/{start}")
    def window(feature: FeatureId, start: Instant) -> WindowDetail:
        """One window in full: its story, and its entry in a JSON report."""
        return answers.window(feature, start)

    @routes.get("/features/{feature}/windows/{start}/changed")
    def changed(
        feature: FeatureId, start: Instant, n: Annotated[int, Query(ge=1, le=1_000)] = 200
    ) -> list[ChangedRowOut]:
        """The rows of a window that changed, the likeliest first."""
        return answers.changed(feature, start, n)

    @routes.get("/alerts")
    def alerts() -> list[AlertOut]:
        """What goes on: what nobody has seen first."""
        return answers.alerts()

    @routes.get("/acts")
    def done(
        feature: Annotated[FeatureId | None, Query()] = None,
        n: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> list[ActOut]:
        """What people did, the latest first."""
        return answers.acts(feature, n)

    refused: dict[int | str, dict[str, Any]] = {
        code: {"model": Problem} for code in (400, 403, 409)
    }

    @routes.post("/acts/acknowledge", status_code=201, responses=refused)
    def acknowledge(request: Request, asked: AcknowledgeIn) -> ActOut:
        """Say that somebody has seen an alert."""
        return answers.acknowledge(actor_of(request), asked)

    @routes.post("/acts/mark", status_code=201, responses=refused)
    def mark(request: Request, asked: MarkIn) -> ActOut:
        """Say what windows are: real drift, harmless, a broken feed; `unmarked` takes it back."""
        return answers.mark(actor_of(request), asked)

    @routes.post("/acts/accept", status_code=201, responses=refused)
    def accept(request: Request, asked: AcceptIn) -> ActOut:
        """Take windows as normal from now on: the baseline is fitted again with their rows."""
        return answers.accept(actor_of(request), asked)

    return routes
