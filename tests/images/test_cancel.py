"""A cancelled reader lets go of whatever it waits for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from monitor.images import ImageReader, RawImage, SourcePolicy

from .pictures import PNG
from .servers import BlackHole, Handler, Server, answer, drip, silence

OK = b"HTTP/1.1 200 OK\r\n"
NEVER = 86_400.0
"""Seconds: a deadline that ends nothing, so that what comes back was cancelled."""


def reader_of(server: Server, **options: Any) -> ImageReader:
    settings = {"hosts": [server.host], "allow_private": True, "deadline_seconds": NEVER, **options}
    return ImageReader(SourcePolicy(**settings))


@contextmanager
def reading(reader: ImageReader, *urls: str) -> Iterator[None]:
    """Read `urls` in threads; cancel within the block, after which all end."""
    outcomes: list[object] = []
    threads = [
        threading.Thread(target=lambda u=url: outcomes.append(reader.read(u)), daemon=True)
        for url in urls
    ]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()
    said = ["deadline: the reader was cancelled"] * len(urls)
    assert [str(outcome) for outcome in outcomes] == said


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(silence, id="silence"),
        pytest.param(drip(b"a: b\r\n", begin=OK), id="headers"),
        pytest.param(drip(b"a", begin=OK + b"Content-Length: 9999\r\n\r\n"), id="body"),
        pytest.param(drip(b"a", begin=OK + b"\r\n"), id="body without length"),
        pytest.param(answer(status="503 Busy"), id="pause"),
    ],
)
@pytest.mark.parametrize("how", ["cancel", "close"])
def test_ends_a_fetch(server: Server, handler: Handler | bytes, how: str) -> None:
    server.routes["/a"] = handler
    reader = reader_of(server, backoff_seconds=NEVER / 2)
    with reading(reader, server.url + "/a"):
        server.await_requests()
        getattr(reader, how)()
    # It was not tried again.
    assert len(server.requests) == 1
    reader.close()


def test_ends_the_wait_for_a_slot(server: Server) -> None:
    server.routes["/a"] = silence
    with (
        reader_of(server, max_connections_per_host=1) as reader,
        reading(reader, *[server.url + "/a"] * 6),
    ):
        server.await_requests()
        reader.cancel()
    assert len(server.requests) == 1


def test_ends_a_tls_handshake() -> None:
    with (
        Server(greeting=silence) as server,
        reader_of(server) as reader,
        reading(reader, f"https://{server.host}/a"),
    ):
        server.await_connections()
        reader.cancel()


def test_ends_a_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    began, hang = threading.Event(), threading.Event()

    def look_up(*args: Any, **options: Any) -> list[Any]:
        began.set()
        hang.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with (
        ImageReader(SourcePolicy(deadline_seconds=NEVER)) as reader,
        reading(reader, "http://example.com/a.jpg"),
    ):
        began.wait()
        reader.cancel()
    hang.set()


def test_ends_a_connection_that_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled = threading.Event()
    connect = socket.socket.connect

    def dial(this: socket.socket, address: tuple[str, int]) -> None:
        dialled.set()
        connect(this, address)

    with BlackHole() as hole:
        monkeypatch.setattr(socket.socket, "connect", dial)
        policy = SourcePolicy(
            hosts=[hole.host],
            allow_private=True,
            connect_timeout_seconds=NEVER,
            deadline_seconds=NEVER,
        )
        with ImageReader(policy) as reader, reading(reader, f"http://{hole.host}/a"):
            dialled.wait()
            reader.cancel()


def test_ends_the_wait_for_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")
    began, hang = threading.Event(), threading.Event()

    def filesystem(scheme: str) -> Any:
        began.set()
        hang.wait()
        raise FileNotFoundError

    monkeypatch.setattr(fsspec, "filesystem", filesystem)
    policy = SourcePolicy(schemes=["s3"], buckets=["ours"], deadline_seconds=NEVER)
    with ImageReader(policy) as reader, reading(reader, "s3://ours/a.png"):
        began.wait()
        reader.cancel()
    hang.set()


def test_nothing_is_read_afterwards(server: Server) -> None:
    server.routes["/a"] = answer(PNG)
    reader = reader_of(server)
    assert isinstance(reader.fetch(server.url + "/a"), RawImage)
    reader.cancel()
    reader.cancel()
    for cell in (server.url + "/a", PNG, None):
        assert str(reader.read(cell)) == "deadline: the reader was cancelled"
    assert len(server.requests) == 1
    reader.close()
