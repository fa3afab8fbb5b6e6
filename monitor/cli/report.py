"""`monitor report`: the page again, from a saved report or from the store."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from monitor.cli.options import config_option, output_options
from monitor.cli.terminal import Terminal, counted

if TYPE_CHECKING:
    from monitor.config import MonitoringConfig
    from monitor.reports import DriftReport

_KINDS: Final = {
    ".html": "html", ".htm": "html", ".md": "markdown", ".json": "json", ".csv": "csv", ".svg": "svg",
    ".png": "png",
}  # fmt: skip
_DAYS_OF_A_YEAR: Final = 365.25


@click.command()
@config_option
@click.option(
    "--input",
    "source",
    type=click.Path(path_type=Path),
    help="The saved report; by default report.json of the config.",
)
@click.option(
    "--from-store",
    is_flag=True,
    help="Take what `monitor run` and `monitor schedule` have judged; the last 30d, unless --last says.",
)
@click.option(
    "--output",
    "target",
    type=click.Path(path_type=Path),
    help="The file to write, by its ending a page (.html), a summary (.md), data (.json, .csv) or a "
    "chart (.svg, .png); by default report.html of the config.",
)
@click.option(
    "--rows",
    "rows_target",
    type=click.Path(path_type=Path),
    help="Also write the rows that changed, as .csv or .parquet.",
)
@click.option(
    "--last",
    metavar="TIME",
    help="Only the windows of the last 30d, 12h, 4w or 3mo, counted back from the newest.",
)
@click.option("--no-thumbnails", is_flag=True, help="Fetch no example images.")
@output_options
@click.pass_obj
def report(
    terminal: Terminal,
    config_path: Path,
    source: Path | None,
    from_store: bool,
    target: Path | None,
    rows_target: Path | None,
    last: str | None,
    no_thumbnails: bool,
) -> None:
    """Make the HTML page of a saved report or of the store, or a Markdown summary, or a chart.

    With --input and --output no config is needed; images then come from public addresses only.
    """
    from monitor.cli.drift import report_document
    from monitor.config import MonitoringConfig
    from monitor.errors import ConfigError
    from monitor.reports import DriftReport
    from monitor.reports.files import write_text

    if from_store and source is not None:
        raise click.UsageError("--input and --from-store are two sources: give one of them")
    needs_config = source is None or target is None or config_path.exists()
    config = MonitoringConfig.load(config_path) if needs_config else None
    if source is None or target is None:
        assert config is not None
        wanted = config.report
        is_unnamed = source is None and not from_store and wanted.json_file is None
        if is_unnamed or (target is None and not wanted.html):
            raise ConfigError(
                f"report in {config_path} names no file for it: give --input and --output"
            )
        source = source or config.resolve(str(wanted.json_file))
        target = target or config.resolve(str(wanted.html))
    kind = _kind_of(target)
    if rows_target is not None and rows_target.suffix.lower() not in (".csv", ".parquet"):
        raise click.BadParameter(
            f"{rows_target} ends neither in .csv nor in .parquet", param_hint="--rows"
        )
    if from_store:
        assert config is not None
        drift_report = _stored(config, _days(last or "30d"))
    else:
        drift_report = DriftReport.from_json(source)
        if last is not None:
            drift_report = drift_report.last(_days(last))
    if kind == "markdown":
        drift_report.to_markdown(target)
    elif kind == "json":
        drift_report.to_json(target)
    elif kind == "csv":
        write_text(target, drift_report.to_frame().to_csv(index=False))
    elif kind == "svg":
        drift_report.to_svg(target)
    elif kind == "png":
        drift_report.to_png(target)
    else:
        thumbnails = not no_thumbnails and (config is None or config.report.thumbnails)
        policy = None if config is None else config.policy
        drift_report.to_html(target, policy=policy, thumbnails=thumbnails)
    written = {kind: target}
    if rows_target is not None:
        _write_rows(drift_report, rows_target)
        written["rows"] = rows_target
    terminal.result(
        report_document(drift_report, written),
        [_counted(drift_report), *(f"wrote {path}" for path in written.values())],
    )


def _write_rows(report: DriftReport, target: Path) -> None:
    from monitor.cli.failed_rows import harmless_cell
    from monitor.files import replacing

    rows = report.changed_rows()
    with replacing(target) as partial:
        if target.suffix.lower() == ".parquet":
            rows.to_parquet(partial, index=False)
        else:
            rows.map(harmless_cell).to_csv(partial, index=False)


def _kind_of(target: Path) -> str:
    kind = _KINDS.get(target.suffix.lower())
    if kind is None:
        raise click.BadParameter(
            f"{target} names no form that a report is written in: give one of {', '.join(_KINDS)}",
            param_hint="--output",
        )
    return kind


def _counted(report: DriftReport) -> str:
    n_drifted = sum(window.judgement.verdict == "drift" for window in report.windows)
    return f"{counted(len(report.windows), 'window')}, {n_drifted:,} drifted"


def _stored(config: MonitoringConfig, days: float) -> DriftReport:
    """The store's windows of the last so many days, counted back from the newest one's end."""
    from monitor.store import Store

    with Store(config.store_url).check() as store:
        newest = [
            line.period.end
            for feature in store.status()["features"]
            for line in store.recent(feature, 1)
        ]
        # Without any window the store itself says so.
        since = max(newest) - dt.timedelta(days=days) if newest else None
        return store.report(since=since)


def _days(last: str) -> float:
    from monitor.errors import TimestampError
    from monitor.windows import Every

    try:
        return Every.parse(last).years * _DAYS_OF_A_YEAR
    except TimestampError as error:
        raise click.BadParameter(
            f"{last!r} is not a length of time: give a number and one of min, h, d, w, mo, for example 30d",
            param_hint="--last",
        ) from error
