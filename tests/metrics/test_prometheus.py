"""The text as Prometheus' own parser reads it; the file; the server."""

import threading
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor.errors import MetricsError
from monitor.metrics import Gauge, exposition, gauges, serve, write_textfile
from tests.alerts.samples import DRIFTED, QUIET, window
from tests.metrics.test_gauges import COUNTS, URLS


def parsed(text):
    """Samples by name and labels, as the parser reads them."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def given(found):
    """The same of gauges."""
    return {
        (gauge.name, tuple(sorted(labels.items()))): value
        for gauge in found
        for labels, value in gauge.samples
    }


def some():
    odd = ['a"b', "a\\b", "a\\nb", "{}", "København", *URLS]
    segments = [window(QUIET, segment=text) for text in odd]
    return gauges([window(DRIFTED, n_failed=3), *segments], COUNTS)


def test_prometheus_reads_what_was_written():
    found = some()
    text = exposition(found)
    assert parsed(text) == given(found)
    assert text.count("# TYPE") == text.count(" gauge\n") == len(found)
    assert "SECRET" not in text


def test_the_file_is_whole_at_any_time(tmp_path):
    path = tmp_path / "deep" / "monitor.prom"
    few = [Gauge("a", "b", (({}, 1.0),))]
    many = [Gauge(f"a{i}", "b" * 500, (({}, 1.0),)) for i in range(300)]
    write_textfile(few, path)
    seen, stop = set(), threading.Event()

    def look():
        while not stop.is_set():
            seen.add(path.read_text())

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(20):
        write_textfile(many, path)
        write_textfile(few, path)
    stop.set()
    reader.join()
    assert seen <= {exposition(few), exposition(many)}
    assert [one.name for one in path.parent.iterdir()] == ["monitor.prom"]


def test_a_file_that_nobody_would_read(tmp_path):
    with pytest.raises(MetricsError, match=r"names that end in \.prom, such as .*metrics\.prom"):
        write_textfile([], tmp_path / "metrics.txt")


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MetricsError, match="cannot be written"):
        write_textfile([], tmp_path / "file" / "monitor.prom")


def test_the_server_tells_the_state_of_each_moment():
    rows = [1.0]
    with serve(lambda: [Gauge("monitor_rows", "Rows.", (({}, rows[0]),))], port=0) as url:
        for value in (1.0, 2.0):
            rows[0] = value
            with urlopen(url) as response:
                assert response.headers["Content-Type"].startswith("text/plain; version=")
                assert parsed(response.read().decode()) == {("monitor_rows", ()): value}
        with pytest.raises(HTTPError) as error:
            urlopen(url.replace("/metrics", "/"))
        assert (error.value.code, error.value.read()) == (404, b"the metrics are at /metrics\n")
        error.value.close()
        with pytest.raises(MetricsError, match="give a free port"), serve(list, _port(url)):
            pass
    with serve(list, _port(url)):
        pass  # the port is free again


def _port(url):
    return urlsplit(url).port


def test_no_metrics_of_the_process_are_mixed_in():
    assert exposition([]) == ""
