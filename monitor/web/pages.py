"""The pages that people see: drawn on the server, enriched by small scripts."""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader

from monitor import __version__
from monitor.clusters import Example
from monitor.metrics.gauges import label
from monitor.redaction import redact_url
from monitor.reports.html import environment
from monitor.reports.story import story
from monitor.reports.thumbnails import link_of
from monitor.reports.wording import plain
from monitor.store import acts, lines, tokens
from monitor.store.acts import Mark
from monitor.web.guard import set_cookie
from monitor.web.models import FeatureId, Instant
from monitor.web.overview import open_alerts, overview
from monitor.web.search import can_search
from monitor.web.services import N_TIMELINE, Services
from monitor.web.sparkline import sparkline
from monitor.web.window_page import window_view

STATIC: Final = Path(__file__).parent / "static"
MARKS: Final = tuple(mark for mark in Mark if mark is not Mark.NONE)
_RECENT_ACTS: Final = 30
N_AROUND: Final = 32
"""Windows after one that are looked at for the end of its episode: as many as the judge pools."""
_LAST_MILLISECOND: Final = 7_258_118_400_000
"""The year 2200."""


@cache
def templates() -> Environment:
    """The report's blocks and filters, with the page's own templates below `web/`."""
    reports = environment()
    assert reports.loader is not None
    own = PrefixLoader({"web": PackageLoader("monitor.web", "templates")})
    # A copy: what is added here is nobody else's.
    made = reports.overlay(loader=ChoiceLoader([own, reports.loader]), cache_size=100)
    made.filters = {**reports.filters, "iso": iso, "redact": redact_url, "link": link_of}
    made.globals = {**reports.globals, "sparkline": sparkline, "query": query, "static": static_url}
    return made


def iso(instant: dt.datetime) -> str:
    """An instant as an address has it.

    >>> iso(dt.datetime(2026, 3, 5, tzinfo=dt.UTC))
    '2026-03-05T00:00:00Z'
    """
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def query(**values: Any) -> str:
    """The part of an address after its question mark.

    >>> query(side="window", cluster=None)
    '?side=window'
    """
    given = {
        key: iso(value) if isinstance(value, dt.datetime) else value
        for key, value in values.items()
        if value not in (None, "")
    }
    return f"?{urlencode(given)}" if given else ""


@cache
def static_url(name: str) -> str:
    """A file's address, which changes with its content, so that browsers may keep it.

    >>> static_url("page.css").startswith("/static/page.css?")
    True
    """
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?{digest}"


def router(services: Services) -> APIRouter:
    """The pages."""
    site, store = services.site, services.site.store
    routes = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    def shown(request: Request, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        return render(request, name, status, **values)

    @routes.get("/")
    def overview_page(request: Request) -> Response:
        with store.reading() as connection:
            cards = overview(connection, site.now())
            alerts = open_alerts(connection)
            known = {card.feature.name: card.feature.id for card in cards}
            done = acts.of(connection)[:_RECENT_ACTS]
        return shown(
            request, "overview", cards=cards, alerts=alerts, ids=known, acts=done, now=site.now()
        )

    @routes.get("/features")
    def named_feature(
        name: Annotated[str, Query(max_length=500)],
        at: Annotated[int | None, Query(ge=0, le=_LAST_MILLISECOND)] = None,
    ) -> Response:
        """From a feature's name, as metrics have it, and a time in milliseconds, to its window then."""
        with store.reading() as connection:
            known = lines.known_features(connection)
            feature = next((f for f in known if name in (f.name, label(f.name))), None)
            if feature is None:
                raise HTTPException(404, f"there is no feature {plain(name)}")
            # A gauge tells of the last window that was judged by then.
            then = None if at is None else dt.datetime.fromtimestamp(at / 1_000, dt.UTC)
            before = [] if then is None else lines.recent(connection, feature.id, 1, then)
        target = f"/features/{feature.id}"
        if before:
            target += f"/windows/{iso(before[0].start)}"
        return RedirectResponse(target, 303)

    @routes.get("/features/{feature}")
    def feature_page(
        request: Request,
        feature: FeatureId,
        since: Annotated[Instant | None, Query()] = None,
        until: Annotated[Instant | None, Query()] = None,
    ) -> Response:
        with store.reading() as connection:
            line = services.feature(connection, feature)
            recent = lines.recent(connection, feature, N_TIMELINE)
            first, last = since, until
            if recent:
                first, last = since or recent[0].start, until or recent[-1].end
                reasons = lines.failures_of(connection, feature, first, last)
            else:
                reasons = {}
            windows = services.windows(connection, line, recent)
            episodes = services.episodes(connection, line, recent)
            alerts = [a for a in open_alerts(connection) if a.alert.feature == line.name]
        return shown(
            request,
            "feature",
            feature=line,
            windows=windows,
            episodes=episodes[::-1],
            marks=MARKS,
            alerts=alerts,
            reasons=sorted(reasons.items(), key=lambda item: -item[1]),
            since=first,
            until=last,
            has_map=site.rows is not None and line.name in site.features,
        )

    @routes.get("/features/{feature}/windows/{start}")
    def window_page(request: Request, feature: FeatureId, start: Instant) -> Response:
        with store.reading() as connection:
            line = services.feature(connection, feature)
            stored = services.stored_window(connection, feature, start)
            end = stored.line.end
            done = acts.of(connection, line.name, stored.line.start, stored.line.end)
            alerts = [
                a
                for a in open_alerts(connection)
                if a.alert.feature == line.name
                and a.alert.window_start <= stored.line.start < a.alert.window_end
            ]
            around = lines.recent(
                connection, feature, 3 * N_AROUND, start + N_AROUND * (end - start)
            )
            episodes = services.episodes(connection, line, around)

        def picture(example: Example) -> str | None:
            return services.picture(example.source)

        return shown(
            request,
            "window",
            feature=line,
            stored=stored,
            window=stored.window,
            view=window_view(stored, picture),
            story=story(stored.window),
            mark=acts.mark_of(done, stored.line.start, stored.line.end),
            acts=done,
            alerts=alerts,
            marks=MARKS,
            episode=next((e for e in episodes if e.covers(stored.line.start)), None),
            can_accept=site.accept is not None,
            can_search=site.rows is not None and can_search(site.features.get(line.name)),
            has_map=site.rows is not None and line.name in site.features,
        )

    @routes.get("/features/{feature}/map")
    def map_page(
        request: Request,
        feature: FeatureId,
        since: Annotated[Instant | None, Query()] = None,
        until: Annotated[Instant | None, Query()] = None,
    ) -> Response:
        with store.reading() as connection:
            line = services.feature(connection, feature)
            recent = lines.recent(connection, feature, 60)
        if not recent:
            raise HTTPException(404, f"{plain(line.name)} has no window yet")
        # Without a wish: the newest window that drifted, or the newest.
        newest = next((w for w in reversed(recent) if w.verdict == "drift"), recent[-1])
        return shown(
            request,
            "map",
            feature=line,
            windows=recent,
            since=since or newest.start,
            until=until or newest.end,
            can_search=True,
        )

    @routes.get("/alerts/{key}")
    def alert_page(key: str) -> Response:
        """From an alert to the window that raised it, which shows its pictures."""
        with store.reading() as connection:
            alert = next(
                (a.alert for a in open_alerts(connection) if a.alert.dedup_key == key), None
            )
            if alert is None:
                raise HTTPException(404, "there is no open alert of this key")
            known = {f.name: f.id for f in lines.known_features(connection)}
            feature = known.get(alert.feature)
            shown_windows = (
                []
                if feature is None
                else lines.between(
                    connection, feature, alert.window_start, alert.window_end, N_TIMELINE
                )
            )
        if not shown_windows:
            raise HTTPException(404, "the windows of this alert are not kept any more")
        worst = max(shown_windows, key=lambda w: (w.verdict == "drift", w.share or 0, w.start))
        return RedirectResponse(f"/features/{feature}/windows/{iso(worst.start)}", 303)

    @routes.get("/login")
    def login_page(request: Request, target: Annotated[str, Query(alias="next")] = "/") -> Response:
        return shown(request, "login", next=_own(target), wrong=False)

    @routes.post("/login")
    def login(
        request: Request,
        token: Annotated[str, Form(max_length=200)],
        target: Annotated[str, Form(alias="next", max_length=4_000)] = "/",
    ) -> Response:
        client = request.client.host if request.client else ""
        if not services.logins.allows(client):
            raise HTTPException(429, "too many tries: wait a minute")
        with store.reading() as connection:
            known = tokens.check(connection, token.strip())
        if known is None:
            return shown(request, "login", 401, next=_own(target), wrong=True)
        answer = RedirectResponse(_own(target), 303)
        answer.raw_headers.append((b"set-cookie", set_cookie(services.sessions.begin(known.name))))
        return answer

    return routes


def render(request: Request, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of ours."""
    state = request.state
    text = templates().get_template(f"web/{name}.html.j2").render(
        visitor=getattr(state, "visitor", None),
        csrf=getattr(state, "csrf", ""),
        version=__version__,
        **values,
    )  # fmt: skip
    return HTMLResponse(text, status)


def _own(target: str) -> str:
    """An address of this server, whatever was asked: nobody is sent elsewhere after logging in.

    >>> _own("/features/1?since=2026"), _own("//evil.example/"), _own("https://evil.example")
    ('/features/1?since=2026', '/', '/')
    """
    is_own = (
        target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    )
    return target if is_own else "/"
