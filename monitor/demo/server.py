"""A small HTTP server on loopback, so that the demo fetches as production does."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serve(files: Mapping[str, bytes]) -> Iterator[str]:
    """Serve `files`, JPEG images by path, while the block runs; gives the `host:port` they are at.

    Examples
    --------
    >>> with serve({"/a.jpg": b"..."}) as host:
    ...     host.startswith("127.0.0.1:")
    True
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Header and body leave in two writes; with Nagle's algorithm the second would wait for an
        # acknowledgement that the client delays.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            body = files.get(self.path)
            self.send_response(HTTPStatus.OK if body is not None else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Type", "image/jpeg" if body is not None else "text/plain")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: the report counts the failures."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
