"""An address ─► the page, until somebody stops it."""

from __future__ import annotations

from collections.abc import Callable

import uvicorn

from monitor.errors import ConfigError, StoreError
from monitor.store import Store, tokens
from monitor.web.access import Access, is_loopback
from monitor.web.app import create_app
from monitor.web.site import Site

_MOST_AT_ONCE = 1_000
"""Requests beyond these are told to come back, instead of filling the memory."""


def access_of(
    store: Store, host: str, user: str, *, hosts: tuple[str, ...] = (),
    user_header: str | None = None, proxies: tuple[str, ...] = (),
) -> Access:  # fmt: skip
    """Who may look at a page on `host`: on this machine its user, elsewhere who shows a token.

    Raises
    ------
    ConfigError
        If others could reach it, and nothing says who they are.
    """
    if user_header is not None:
        return Access(None, hosts, user_header, proxies)
    with store.reading() as connection:
        has_token = any(token.revoked_at is None for token in tokens.every(connection))
    if is_loopback(host):
        return Access(None if has_token else user, hosts)
    if not has_token:
        raise ConfigError(
            f"on {host} other machines reach the page, and nothing says who may: make a token with `monitor "
            "serve token create NAME`, or name in serve.user_header where a proxy says who asks"
        )
    return Access(None, hosts)


def listen(site: Site, access: Access, host: str, port: int, say: Callable[[str], object]) -> None:
    """Serve the page until it is stopped; `say` is told where it is.

    Raises
    ------
    StoreError
        If the tables are not up to date.
    ConfigError
        If nobody can listen there.
    """
    try:
        app = create_app(site, access)
    except OSError as error:
        raise StoreError(f"{site.folder} cannot be written: {error.strerror or error}") from error
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        # What a proxy says of itself is read by ours, from those that are named only.
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MOST_AT_ONCE,
        timeout_graceful_shutdown=5,
    )
    try:
        socket = config.bind_socket()
    except SystemExit as error:
        # uvicorn has said why, and would end the process.
        raise ConfigError(
            f"nothing can listen on {host}:{port}: another program does, or the address is not ours; "
            "give --port 0 for a free one"
        ) from error
    shown = f"[{host}]" if ":" in host else host
    say(f"http://{shown}:{socket.getsockname()[1]}/")
    uvicorn.Server(config).run(sockets=[socket])
