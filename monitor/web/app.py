"""`create_app`: the page as an ASGI application."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import Scope

from monitor import __version__
from monitor.errors import InvalidInputError, MonitorError, StoreError
from monitor.redaction import redacted
from monitor.web import api, map_api, pages
from monitor.web.access import Access, Sessions
from monitor.web.clouds import Clouds
from monitor.web.guard import App, Guard
from monitor.web.pictures import Pictures
from monitor.web.services import Services
from monitor.web.site import Site

logger = logging.getLogger(__name__)


def create_app(site: Site, access: Access) -> App:
    """The page as an ASGI application.

    Parameters
    ----------
    site
        What it stands on.
    access
        Who may look.

    Examples
    --------
    An own server hands it to uvicorn, as `monitor serve` does::

        uvicorn.run(create_app(site, Access(local_user="ann")), host="127.0.0.1", port=8470)
    """
    services = Services(site, access, Sessions(), Pictures(site.folder, site.policy), Clouds(site))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        services.clouds.close()
        services.pictures.close()

    app = FastAPI(
        title="embedding-monitor",
        version=__version__,
        summary="Whether the images that a model sees have changed, how sure that is, and what changed.",
        lifespan=lifespan,
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.include_router(api.router(services))
    app.include_router(map_api.router(services))
    app.include_router(map_api.pictures_router(services))
    app.include_router(pages.router(services))
    app.mount("/static", _Static(directory=pages.STATIC), name="static")

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    _explain(app)
    return Guard(app, access, services.sessions, site.store)


class _Static(StaticFiles):
    """Our own files, whose addresses change with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        # A module that another one imports has no such address, and is asked for again.
        is_named = bool(scope.get("query_string"))
        how = "public, max-age=31536000, immutable" if is_named else "no-cache"
        response.headers["cache-control"] = how
        return response


def _explain(app: FastAPI) -> None:
    """Errors become a sentence: a page for people, JSON for programs, and never a stack trace."""

    def answer(request: Request, status: int, detail: str) -> Response:
        is_page = "text/html" in request.headers.get("accept", "")
        if is_page and not request.url.path.startswith(("/api/", "/thumb/", "/image/", "/static/")):
            return pages.render(request, "problem", status, detail=detail, code=status)
        return JSONResponse({"detail": detail}, status)

    @app.exception_handler(StarletteHTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        return answer(request, error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc'][1:])}: {fault['msg']}"
            for fault in error.errors()[:5]
        ]
        return answer(request, 422, "; ".join(faults))

    @app.exception_handler(MonitorError)
    def ours(request: Request, error: MonitorError) -> Response:
        status = (
            422
            if isinstance(error, InvalidInputError)
            else 503
            if isinstance(error, StoreError)
            else 409
        )
        return answer(request, status, redacted(str(error)))

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> Response:
        logger.error("%s %s", request.method, request.url.path, exc_info=error)
        return answer(request, 500, "a fault of monitor's: its log says more")
