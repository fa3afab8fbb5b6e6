"""A real store, a real webhook and a real mail server, on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from monitor.store import Store
from monitor.store.alerts import Alerts
from tests.store.fixtures import database_url, sqlite_store, store_url

__all__ = ["database_url", "sqlite_store", "store_url"]


class Hook(ThreadingHTTPServer):
    """Keeps what it is sent, and answers with the statuses of `answers`, then with 200.

    `before_answer` is called when a message has arrived and its sender does not know yet.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.received: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.before_answer: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server_port}/sEcReTpAtH"


class _Post(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == 200:
            self.server.received.append(json.loads(body))
        self.server.before_answer()
        with suppress(ConnectionError):
            self.send_response(status)
            self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A webhook."""
    server = Hook()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Mailbox:
    """Keeps the mails that arrive, and refuses them while `is_full`."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.is_full = False
        self.port = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        from email import message_from_bytes, policy

        if self.is_full:
            return "452 the mailbox is full"
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server."""
    from aiosmtpd.controller import Controller

    class AnyPort(Controller):
        # The base class greets its own server on the port that was asked for, which is 0.
        def _trigger_server(self) -> None:
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    box = Mailbox()
    controller = AnyPort(box, hostname="127.0.0.1", port=0)
    controller.start()
    box.port = controller.port
    yield box
    controller.stop()


@pytest.fixture
def database(store_url) -> Iterator[Store]:
    """An empty store of each kind."""
    with Store(store_url) as opened:
        yield opened


@pytest.fixture
def store(database) -> Alerts:
    """Its alerts."""
    return Alerts(database)
