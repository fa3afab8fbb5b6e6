"""Small servers on loopback, kind and hostile, and an internet whose names lead to them.

`Server` speaks just enough HTTP to be wrong on purpose: a route is the exact bytes of an answer, or a
function that does what it likes with the connection. It is of use to other tests and to demonstrations.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

Handler = Callable[[socket.socket, threading.Event], None]


def answer(
    body: bytes = b"", status: str = "200 OK", headers: Mapping[str, str] | None = None
) -> bytes:
    """The bytes of a whole answer that keeps the connection alive."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def redirect(location: str, body: bytes = b"") -> bytes:
    """A redirect to `location`."""
    return answer(body, "302 Found", {"Location": location})


def drip(data: bytes, seconds: float = 0.05, begin: bytes = b"") -> Handler:
    """Send `begin` at once, then one byte of `data` at a time, over and over."""

    def handle(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(begin)
        while not stop.is_set():
            for byte in data:
                connection.sendall(bytes([byte]))
                if stop.wait(seconds):
                    return

    return handle


def flood(data: bytes, begin: bytes = b"") -> Handler:
    """Send `begin`, then `data` without end, as fast as it goes."""

    def handle(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(begin)
        while not stop.is_set():
            connection.sendall(data)

    return handle


def say(data: bytes) -> Handler:
    """Send `data`, whatever it is, and close."""

    def handle(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(data)

    return handle


def silence(connection: socket.socket, stop: threading.Event) -> None:
    """Say nothing and stay for as long as the server runs."""
    stop.wait()


def reset(connection: socket.socket, stop: threading.Event) -> None:
    """Break the connection off."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Server:
    """A server on 127.0.0.1 that records what it is asked; a context manager.

    Parameters
    ----------
    routes
        For each path the bytes to answer with, a list of such answers (one for each request, the last
        one for all that follow), or a handler; the route ``"*"`` answers every other path.
    tls
        Speak TLS with this context.
    greeting
        Handle each connection before anything is read from it.
    """

    def __init__(
        self,
        routes: Mapping[str, bytes | list[bytes] | Handler] | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        greeting: Handler | None = None,
    ) -> None:
        self.routes = dict(routes or {})
        self.requests: list[str] = []
        self.n_connections = 0
        self.most_at_once = 0
        self._n_now = 0
        self._tls = tls
        self._greeting = greeting
        self._lock = threading.Lock()
        self._change = threading.Condition(self._lock)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """The server's address, without a slash at the end."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        """The server's host and port, as `SourcePolicy.hosts` names it."""
        return f"127.0.0.1:{self.port}"

    def await_requests(self, n: int = 1, seconds: float | None = None) -> bool:
        """Wait until it was asked `n` times; False if `seconds` go by before."""
        with self._change:
            return self._change.wait_for(lambda: len(self.requests) >= n, seconds)

    def await_connections(self, n: int = 1) -> None:
        """Wait until it was dialled `n` times."""
        with self._change:
            self._change.wait_for(lambda: self.n_connections >= n)

    def paths(self) -> list[str]:
        """The path of each request so far, in order."""
        return [head.split(" ")[1] for head in self.requests]

    def __enter__(self) -> Server:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        # To close a listener does not wake who waits on it, to shut it does.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _start(self, work: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._change:
                self.n_connections += 1
                self._change.notify_all()
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with suppress(OSError):
                if self._greeting is not None:
                    self._greeting(connection, self._stop)
                    return
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._open.add(connection)
                while self._answer_one(connection):
                    pass
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _answer_one(self, connection: socket.socket) -> bool:
        """Answer one request; whether the connection stays."""
        head = b""
        while b"\r\n\r\n" not in head:
            part = connection.recv(65_536)
            if not part:
                return False
            head += part
        with self._change:
            self.requests.append(head.decode("latin-1"))
            self._change.notify_all()
            self._n_now += 1
            self.most_at_once = max(self.most_at_once, self._n_now)
        try:
            return self._send(connection, head.split(b" ")[1].decode("latin-1").partition("?")[0])
        finally:
            with self._lock:
                self._n_now -= 1

    def _send(self, connection: socket.socket, path: str) -> bool:
        route = self.routes.get(path, self.routes.get("*", answer(status="404 Not Found")))
        if callable(route):
            route(connection, self._stop)
            return False
        if isinstance(route, list):
            with self._lock:
                route = route.pop(0) if len(route) > 1 else route[0]
        connection.sendall(route)
        return True


class BlackHole:
    """A port on 127.0.0.1 that never answers: its queue is full, and the kernel drops what comes next."""

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.port: int = self._listener.getsockname()[1]
        self._waiting = [socket.socket() for _ in range(4)]
        for client in self._waiting:
            client.setblocking(False)
            client.connect_ex(self._listener.getsockname())

    @property
    def host(self) -> str:
        """Its host and port, as `SourcePolicy.hosts` names it."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> BlackHole:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for connection in (*self._waiting, self._listener):
            connection.close()


class Internet:
    """Names and public addresses that lead to servers on loopback, with every dial recorded.

    Only `socket.getaddrinfo` and `socket.socket.connect` are replaced, so that what lies between runs
    as it is.
    """

    def __init__(self, monkeypatch: Any) -> None:
        self.dials: list[tuple[str, int]] = []
        self.lookups: list[str] = []
        self._names: dict[str, list[list[str]]] = {}
        self._servers: dict[tuple[str, int], int] = {}
        self._connect = socket.socket.connect
        self._getaddrinfo = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)
        internet = self

        def connect(this: socket.socket, address: tuple[str, int]) -> None:
            internet._dial(this, address)

        monkeypatch.setattr(socket.socket, "connect", connect)

    def name(self, host: str, *answers: list[str]) -> None:
        """Let `host` resolve to the addresses of each answer in turn, then to the last one's."""
        self._names[host] = list(answers)

    def place(self, server: Server | BlackHole, address: str, port: int) -> None:
        """Let a dial to `address` and `port` reach `server`."""
        self._servers[address, port] = server.port

    def _look_up(self, host: Any, port: Any, *args: Any, **options: Any) -> Any:
        self.lookups.append(host)
        answers = self._names.get(host)
        if answers is None:
            # Numbers need no server to be asked; any other name does not exist here.
            return self._getaddrinfo(
                host, port, *args, **{**options, "flags": socket.AI_NUMERICHOST}
            )
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        kind = socket.SOCK_STREAM
        return [
            (socket.AF_INET6, kind, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, kind, 6, "", (address, port))
            for address in addresses
        ]

    def _dial(self, connection: socket.socket, address: tuple[Any, ...]) -> None:
        self.dials.append((address[0], address[1]))
        port = self._servers.get((address[0], address[1]))
        if port is None:
            raise ConnectionRefusedError(111, "nobody lives there")
        self._connect(connection, ("127.0.0.1", port))
