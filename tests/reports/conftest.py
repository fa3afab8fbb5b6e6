"""What the tests of reports share."""

from __future__ import annotations

import datetime as dt
import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from monitor.images import SourcePolicy
from monitor.reports import DriftReport

from .samples import FIRST_DAY, joined, mixed_report, pictured_report

MARK = "hidden-in-the-file"


def picture(seed: int) -> bytes:
    """A PNG file of its own colour, with a text inside that no report may hold."""
    hidden = PngImagePlugin.PngInfo()
    hidden.add_text("Comment", MARK)
    buffer = io.BytesIO()
    colour = (seed * 37 % 256, seed * 91 % 256, 120)
    Image.new("RGB", (160, 120), colour).save(buffer, "PNG", pnginfo=hidden)
    return buffer.getvalue()


class PictureServer:
    """Serves a picture at each path, but for those that start with ``/gone``; records what is asked."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.paths.append(self.path)
                found = not self.path.startswith("/gone")
                body = picture(sum(self.path.encode())) if found else b""
                self.send_response(200 if found else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def policy(self) -> SourcePolicy:
        """Allows this server and nobody else."""
        return SourcePolicy(hosts=[self.host], allow_private=True, retries=0)

    def url(self, name: str) -> str:
        """The address of a picture, with a secret in its query."""
        return f"http://{self.host}/{name}?signature=s3cr3t"

    def __enter__(self) -> PictureServer:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def pictures() -> Iterator[PictureServer]:
    """A running server of pictures."""
    with PictureServer() as running:
        yield running


@pytest.fixture(scope="session")
def report() -> DriftReport:
    """Two quiet days, two inconclusive ones, two drifted."""
    return mixed_report()


@pytest.fixture
def page_path(tmp_path: Path) -> Path:
    """Where a page goes."""
    return tmp_path / "report.html"


@pytest.fixture(scope="session")
def picture_server() -> Iterator[PictureServer]:
    """One for pages that many tests open."""
    with PictureServer() as running:
        yield running


@pytest.fixture(scope="session")
def pictured(picture_server: PictureServer) -> DriftReport:
    """A report by the whole pipeline, of rows with images."""
    return pictured_report(picture_server.url)


@pytest.fixture(scope="session")
def full_page(
    pictured: DriftReport, picture_server: PictureServer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The page of two features, with pictures and a map."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    mixed = mixed_report()
    calm, day = mixed.windows[0], dt.timedelta(days=1)
    calm = replace(calm, start=FIRST_DAY + 5 * day, end=FIRST_DAY + 6 * day)
    over = replace(mixed, windows=(*mixed.windows[:5], calm))
    return joined(pictured, over).to_html(path, policy=picture_server.policy)
