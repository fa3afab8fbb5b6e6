"""`monitor metrics`: the state of monitoring for Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.options import config_option, output_options
from monitor.cli.terminal import Terminal

if TYPE_CHECKING:
    from monitor.metrics import Gauge
    from monitor.reports import FeatureSummary, WindowDrift
    from monitor.store import Store


@click.command()
@config_option
@click.option(
    "--textfile",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write this file, named *.prom, for node_exporter's textfile collector.",
)
@output_options
@click.pass_obj
def metrics(terminal: Terminal, config_path: Path, textfile: Path | None) -> None:
    """Write the state of monitoring for Prometheus.

    The last window of each feature, open alerts and waiting messages, in Prometheus' text format: on
    stdout, or in a file for runs by cron.
    """
    from monitor.config import MonitoringConfig
    from monitor.metrics import exposition, write_textfile
    from monitor.store import Store

    with Store(MonitoringConfig.load(config_path).store_url).check() as store:
        gauges = read_gauges(store)
    written = None if textfile is None else write_textfile(gauges, textfile)
    terminal.result(
        {
            "written": written,
            "gauges": {
                gauge.name: [
                    {"labels": dict(labels), "value": value} for labels, value in gauge.samples
                ]
                for gauge in gauges
            },
        },
        exposition(gauges).splitlines() if written is None else [f"wrote {written}"],
    )


def read_gauges(store: Store) -> Sequence[Gauge]:
    """What `store` knows of the last window of each feature, of alerts and of messages."""
    from monitor.metrics import gauges
    from monitor.store.alerts import Alerts

    windows: list[WindowDrift] = []
    features: list[FeatureSummary] = []
    for feature in store.status()["features"]:
        for line in store.recent(feature, 1):
            report = store.report(feature, line.period.start, line.period.end)
            windows += report.windows
            features += report.features
    counts = Alerts(store).counts()
    return gauges(windows, counts, features=features, backlog=store.backlog())
