"""What stands before every page: the host, who asks, forged requests, sizes, and the browser's own rules."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import quote, urlsplit

from fastapi import HTTPException

from monitor.store import Store, tokens
from monitor.web.access import Access, Sessions, Visitor

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE: Final = "monitor_session"
MAX_BODY: Final = 64 * 1024
MAX_UPLOAD: Final = 10 * 1024 * 1024
_OPEN: Final = ("/login", "/static/", "/healthz")
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CSP: Final = (
    "default-src 'none'; script-src 'self'{eval}; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' blob: data:; connect-src 'self'; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)


@dataclass(frozen=True)
class Guard:
    """Lets through what is meant for this page, from who may ask it.

    Parameters
    ----------
    app
        What answers.
    access
        Who may look.
    sessions
        The cookies.
    store
        Knows tokens.
    """

    app: App
    access: Access
    sessions: Sessions
    store: Store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = _headers(scope)
        refusal = self._refused(scope, headers)
        if refusal is not None:
            await _answer(send, *refusal)
            return
        path = scope["path"]
        visitor = await self._visitor(scope, headers)
        if visitor is None and not path.startswith(_OPEN):
            if path.startswith("/api/") or scope["method"] not in _SAFE:
                await _answer(
                    send, 401, "a token is needed: send it as `Authorization: Bearer TOKEN`"
                )
            else:
                query = scope.get("query_string", b"").decode("latin-1")
                target = quote(path + ("?" + query if query else ""), safe="/")
                await _redirect(send, f"/login?next={target}")
            return
        if scope["method"] not in _SAFE and path != "/login":
            assert visitor is not None
            is_program = not visitor.session
            if not is_program and not self.sessions.is_csrf(
                visitor.session, headers.get("x-csrf", "")
            ):
                await _answer(
                    send,
                    403,
                    "the request does not come from a page of this server: load the page again",
                )
                return
        scope.setdefault("state", {})["visitor"] = visitor
        new_cookie = None
        if visitor is not None and visitor.session:
            scope["state"]["csrf"] = self.sessions.csrf(visitor.session)
            new_cookie = scope["state"].get("new_cookie")
        await self.app(
            scope, _bounded(receive, _limit(path)), _with_headers(send, path, new_cookie)
        )

    def _refused(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not self.access.knows_host(hosts[0].decode("latin-1")):
            return 421, (
                "this page is not reached by that name: use localhost or an address, or add the name to "
                "serve.hosts in the config"
            )
        if scope["method"] in _SAFE:
            return None
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers["host"]:
            return 403, "the request comes from another site"
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return 403, "the request comes from another site"
        try:
            length = int(headers.get("content-length", "0"))
        except ValueError:
            return 400, "the length of the request is no number"
        if length > _limit(scope["path"]):
            return 413, f"the request is too large: at most {_limit(scope['path']):,} bytes"
        return None

    async def _visitor(self, scope: Scope, headers: dict[str, str]) -> Visitor | None:
        bearer = headers.get("authorization", "")
        if bearer[:7].lower() == "bearer ":
            token = await _in_thread(self._token, bearer[7:].strip())
            return None if token is None else Visitor(token.name, token.may_act)
        client = (scope.get("client") or ("", 0))[0]
        proxied = self.access.proxied_user(
            client, headers.get((self.access.user_header or "").lower())
        )
        user = proxied or self.access.local_user
        known = self.sessions.read(_cookie(headers.get("cookie", "")))
        if user is not None:
            if known is None or known[1]:
                scope.setdefault("state", {})["new_cookie"] = cookie = self.sessions.begin()
                known = self.sessions.read(cookie)
            assert known is not None
            return Visitor(user, True, known[0])
        if known is None or not known[1]:
            return None
        token = await _in_thread(self._named, known[1])
        return None if token is None else Visitor(token.name, token.may_act, known[0])

    def _token(self, text: str) -> tokens.Token | None:
        with self.store.reading() as connection:
            return tokens.check(connection, text)

    def _named(self, name: str) -> tokens.Token | None:
        with self.store.reading() as connection:
            holding = [t for t in tokens.every(connection) if t.revoked_at is None]
        return next((token for token in holding if token.name == name), None)


def set_cookie(value: str) -> bytes:
    """The header that gives a browser its session; scripts do not see it, other sites do not send it."""
    return f"{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=604800".encode("latin-1")


def _limit(path: str) -> int:
    return MAX_UPLOAD if path.endswith("/search/image") else MAX_BODY


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _cookie(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return "" if morsel is None else morsel.value


def _bounded(receive: Receive, most: int) -> Receive:
    n_bytes = 0

    async def bounded() -> MutableMapping[str, Any]:
        nonlocal n_bytes
        message = await receive()
        n_bytes += len(message.get("body", b""))
        if n_bytes > most:
            raise HTTPException(413, f"the request is too large: at most {most:,} bytes")
        return message

    return bounded


def _with_headers(send: Send, path: str, cookie: str | None) -> Send:
    # regl, which draws the map, compiles its drawing commands by `Function`: that page alone allows it.
    csp = _CSP.format(eval=" 'unsafe-eval'" if path.endswith("/map") else "")
    more = [*_HEADERS, (b"content-security-policy", csp.encode())]
    if cookie is not None:
        more.append((b"set-cookie", set_cookie(cookie)))

    async def with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            extra = [*more]
            if b"cache-control" not in given:
                extra.append((b"cache-control", b"no-store"))
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return with_headers


async def _answer(send: Send, status: int, detail: str) -> None:
    body = json.dumps({"detail": detail}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *_HEADERS,
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _redirect(send: Send, target: str) -> None:
    headers = [(b"location", target.encode("latin-1")), (b"content-length", b"0"), *_HEADERS]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _in_thread(work: Callable[..., Any], *values: Any) -> Any:
    from starlette.concurrency import run_in_threadpool

    return await run_in_threadpool(work, *values)
