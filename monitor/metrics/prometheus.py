"""Gauges ─► Prometheus: text, a file, `/metrics`. The only door to prometheus_client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.errors import MetricsError
from monitor.metrics.gauges import Gauge

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from prometheus_client import CollectorRegistry
    from prometheus_client.core import GaugeMetricFamily

Read = Callable[[], Sequence[Gauge]]


def exposition(gauges: Sequence[Gauge]) -> str:
    """The gauges in Prometheus' text format.

    Examples
    --------
    >>> print(exposition([Gauge("monitor_rows", "Rows.", (({"feature": "photo"}, 3.0),))]), end="")
    # HELP monitor_rows Rows.
    # TYPE monitor_rows gauge
    monitor_rows{feature="photo"} 3.0
    """
    from prometheus_client import generate_latest

    return generate_latest(_registry(lambda: gauges)).decode()


def write_textfile(gauges: Sequence[Gauge], path: str | Path) -> Path:
    """Write the gauges where node_exporter's textfile collector finds them; it never sees half a file.

    Parameters
    ----------
    gauges
        What is written.
    path
        The file; the collector reads only names that end in `.prom`.

    Raises
    ------
    MetricsError
        If the name ends otherwise, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix != ".prom":
        raise MetricsError(
            f"the metrics file {path} would not be read: node_exporter takes names that end in .prom, "
            f"such as {path.with_suffix('.prom')}"
        )
    from prometheus_client import write_to_textfile

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_to_textfile(str(path), _registry(lambda: gauges))
    except OSError as error:
        raise MetricsError(
            f"the metrics cannot be written to {path} ({error.strerror or error}): give a file in a "
            "folder that you may write to"
        ) from error
    return path


def app(read: Read) -> WSGIApplication:
    """A WSGI application that answers `/metrics` with what `read` gives then.

    Any other path is 404, so that the port shows nothing else.
    """
    from prometheus_client import make_wsgi_app

    metrics: WSGIApplication = make_wsgi_app(_registry(read))

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"the metrics are at /metrics\n"]
        return metrics(environ, start_response)

    return answer


@contextmanager
def serve(read: Read, port: int, host: str = "127.0.0.1") -> Iterator[str]:
    """`/metrics` on a port, from a thread of its own, until the block ends; gives its address.

    Parameters
    ----------
    read
        Gives the gauges at each request, in that thread.
    port
        0 takes a free one.
    host
        The address to listen on: by default only this machine can ask; `0.0.0.0` is every network.

    Raises
    ------
    MetricsError
        If the port is taken or the address is not this machine's.

    Examples
    --------
    >>> from urllib.request import urlopen
    >>> with serve(lambda: [Gauge("monitor_rows", "Rows.", (({}, 3.0),))], port=0) as url:
    ...     urlopen(url).read().decode().splitlines()[-1]
    'monitor_rows 3.0'
    """
    from prometheus_client import start_wsgi_server

    try:
        server, thread = start_wsgi_server(port, host, _registry(read))
    except (OSError, OverflowError) as error:
        raise MetricsError(
            f"the metrics cannot be served on {host}:{port} ({error}): give a free port and an "
            "address of this machine"
        ) from error
    server.set_app(app(read))
    try:
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _registry(read: Read) -> CollectorRegistry:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import GaugeMetricFamily
    from prometheus_client.registry import Collector

    class Gauges(Collector):
        def collect(self) -> Iterable[GaugeMetricFamily]:
            return [_family(GaugeMetricFamily, gauge) for gauge in read()]

        def describe(self) -> Iterable[GaugeMetricFamily]:
            # Otherwise registering would read once, to know the names.
            return []

    # Not the global one, which adds the process's own metrics.
    registry = CollectorRegistry()
    registry.register(Gauges())
    return registry


def _family(kind: type[GaugeMetricFamily], gauge: Gauge) -> GaugeMetricFamily:
    family = kind(gauge.name, gauge.description)
    for labels, value in gauge.samples:
        family.add_sample(gauge.name, dict(labels), value)
    return family
