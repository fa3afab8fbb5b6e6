"""Gauges ─► a meter of OpenTelemetry. The only door to opentelemetry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from monitor.errors import MissingExtraError
from monitor.metrics.gauges import Gauge

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation


def observe(read: Callable[[], Sequence[Gauge]], provider: MeterProvider | None = None) -> None:
    """Report the gauges to OpenTelemetry from now on, each time that its reader collects.

    Parameters
    ----------
    read
        Gives the gauges; it is called once for each of them and collection.
    provider
        By default the global one, which your application sets up with its exporter.

    Raises
    ------
    MissingExtraError
        If the extra `opentelemetry` is not installed.
    """
    try:
        from opentelemetry.metrics import Observation, get_meter_provider
    except ImportError as error:
        raise MissingExtraError.of("opentelemetry-api", "opentelemetry") from error

    meter = (provider or get_meter_provider()).get_meter("monitor")

    def callback(name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observations(_: CallbackOptions) -> Iterable[Observation]:
            for gauge in read():
                if gauge.name == name:
                    for labels, value in gauge.samples:
                        yield Observation(value, dict(labels))

        return observations

    for gauge in read():
        meter.create_observable_gauge(
            gauge.name, callbacks=[callback(gauge.name)], description=gauge.description
        )
