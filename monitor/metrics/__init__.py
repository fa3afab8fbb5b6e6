"""The state of monitoring as gauges, for Prometheus and OpenTelemetry.

::

    last windows, counts of alerts ─► gauges ─► text, a file, /metrics, a meter of OpenTelemetry

Labels are features, segments (so many at most), distances, verdicts, severities and reasons of
failures; never an address.
"""

from monitor.metrics.gauges import Gauge, gauges
from monitor.metrics.opentelemetry import observe
from monitor.metrics.prometheus import app, exposition, serve, write_textfile

__all__ = ["Gauge", "app", "exposition", "gauges", "observe", "serve", "write_textfile"]
