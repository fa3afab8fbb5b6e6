"""The same gauges through OpenTelemetry's own SDK."""

import sys

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from monitor.errors import MissingExtraError
from monitor.metrics import observe
from tests.metrics.test_prometheus import given, some


def collected(reader):
    data = reader.get_metrics_data()
    return {
        (metric.name, tuple(sorted(point.attributes.items()))): point.value
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    }


def test_a_collection_sees_the_gauges_of_its_moment():
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    found = [some()]
    observe(lambda: found[0], provider)
    assert collected(reader) == given(found[0])
    found[0] = found[0][:2]
    assert collected(reader) == given(found[0])
    provider.shutdown()


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.metrics", None)
    with pytest.raises(
        MissingExtraError, match=r"pip install 'embedding-monitor\[opentelemetry\]'"
    ):
        observe(list)
