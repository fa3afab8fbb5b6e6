"""`monitor run` and `monitor schedule`: windows judged by themselves."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.options import config_option, feature_option, output_options
from monitor.cli.root import FAILED
from monitor.cli.terminal import Terminal, counted

if TYPE_CHECKING:
    from monitor.cli.project import Project
    from monitor.config import MonitoringConfig
    from monitor.reports import WindowDrift
    from monitor.schedule import Pass, Runner
    from monitor.schedule.runner import Outcome
    from monitor.store import Claim, JudgedWindow
    from monitor.windows import Grid


@click.command()
@config_option
@feature_option
@click.option(
    "--due", is_flag=True, help="Judge the windows that are due now: what it always does."
)
@click.option("--retry-failed", is_flag=True, help="Try again what was given up or skipped, too.")
@click.option("--fail-on-alert", is_flag=True, help="Exit with 3 if any window drifted.")
@output_options
@click.pass_context
def run(
    ctx: click.Context,
    config_path: Path,
    feature_names: tuple[str, ...],
    due: bool,
    retry_failed: bool,
    fail_on_alert: bool,
) -> None:
    """Judge the windows that are due, once, and send alerts.

    Results go into the store. It may be run by cron or by several machines at once: each window is
    judged by one of them. The exit code is 1 if a window could not be judged or a message not be sent;
    both are tried again later.
    """
    from monitor.cli.project import Project

    terminal = ctx.ensure_object(Terminal)
    project = Project.open(config_path, terminal)
    # After the config, so that what is wrong with it is said without seconds of imports.
    from monitor.cli.drift import ALERT
    from monitor.cli.scheduled import open_runner
    from monitor.store import leases

    terminal.if_stopped = (
        "windows judged and vectors made so far are kept, and the same command continues from there"
    )
    with _ended_by_sigterm(), open_runner(project, project.features(feature_names)) as runner:
        if retry_failed:
            with runner.store.writing() as connection:
                leases.retry_failed(connection, runner.features)
        done, errors = _one_pass(project, runner)
        left = runner.store.status()["windows"]
    terminal.result(_document(done, errors, left), _lines(done, left, runner.plan.grid))
    if done.failed or errors:
        ctx.exit(FAILED)
    if fail_on_alert and any(
        judged.report.has_drift or judged.report.is_broken for _, judged in done.judged
    ):
        ctx.exit(ALERT)


@click.command()
@config_option
@feature_option
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65_535),
    help="Serve /metrics for Prometheus on this port; 0 takes a free one.",
)
@click.option(
    "--metrics-host",
    default="127.0.0.1",
    show_default=True,
    help="The address to serve /metrics on; 0.0.0.0 lets other machines ask.",
)
@output_options
@click.pass_obj
def schedule(
    terminal: Terminal,
    config_path: Path,
    feature_names: tuple[str, ...],
    metrics_port: int | None,
    metrics_host: str,
) -> None:
    """Judge windows as they fall due, until it is stopped.

    It wakes as schedule.cron says and does what `monitor run --due` does. Ctrl-C or SIGTERM ends it; the
    window that was being judged is then free for the next worker.
    """
    from monitor.cli.project import Project

    project = Project.open(config_path, terminal)
    from monitor.cli.scheduled import open_runner
    from monitor.errors import StoreError
    from monitor.schedule import check_cron, run_forever

    check_cron(project.config.schedule.cron)
    with (
        _ended_by_sigterm(),
        open_runner(project, project.features(feature_names)) as runner,
        _metrics_served(project.config.store_url, metrics_port, metrics_host) as address,
    ):
        if address is not None:
            terminal.say(f"metrics are at {address}")
        terminal.say(f"results go to {runner.store.url}; Ctrl-C ends")

        def one_pass() -> None:
            try:
                done, _ = _one_pass(project, runner)
            except StoreError as error:
                # It may answer when the loop wakes next.
                terminal.say(f"warning: {error}")
                return
            if done.judged or done.failed or done.skipped:
                terminal.result(_document(done, [], {}), _lines(done, None, runner.plan.grid))

        try:
            run_forever(one_pass, project.config.schedule.cron, project.config.schedule.timezone)
        except KeyboardInterrupt:
            terminal.say("stopped")


def _one_pass(project: Project, runner: Runner) -> tuple[Pass, list[str]]:
    """Judge what is due and send what waits; also says what could not be sent."""
    from monitor.schedule import NoBaselineYet

    terminal = project.terminal
    grid = runner.plan.grid

    def say(claim: Claim, outcome: Outcome) -> None:
        # Windows before which too few rows come are told together.
        if not isinstance(outcome, NoBaselineYet):
            terminal.say(_said(claim, outcome, grid))

    done = runner.run_due(say)
    errors = _deliver(runner, project.config)
    for error in errors:
        terminal.say(f"warning: {error}")
    return done, errors


def _deliver(runner: Runner, config: MonitoringConfig) -> list[str]:
    from monitor.alerts import deliver
    from monitor.store.alerts import Alerts

    if not config.alerts.channels:
        return []
    return list(deliver(Alerts(runner.store), config.alerts, runner.clock).errors)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM unwind as Ctrl-C does, so that a claimed window is given back."""

    def end(*_: object) -> None:
        sys.exit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _metrics_served(store_url: str, port: int | None, host: str) -> Iterator[str | None]:
    """`/metrics` of the store while the block runs; without a port nothing is served."""
    if port is None:
        yield None
        return
    from monitor.cli.metrics import read_gauges
    from monitor.metrics import Gauge, serve
    from monitor.store import Store

    def read() -> Sequence[Gauge]:
        with Store(store_url) as store:
            return read_gauges(store)

    with serve(read, port, host) as address:
        yield address


def _said(claim: Claim, outcome: Outcome, grid: Grid) -> str:
    from monitor.schedule import NoRowsYet
    from monitor.store import JudgedWindow

    at = f"{claim.feature}, {grid.name(claim.period)}"
    if claim.revision > 1:
        at += f", revision {claim.revision}"
    if isinstance(outcome, JudgedWindow):
        window = _whole(outcome)
        why = " (no rows arrived)" if outcome.lacks_rows else ""
        return f"{at}: {window.judgement.verdict}{why}"
    if isinstance(outcome, NoRowsYet):
        return f"{at}: {outcome}"
    return f"warning: {at}: {outcome}"


def _skipped(done: Pass, grid: Grid) -> list[str]:
    """A line per feature: the first windows of a baseline that moves along are many, and all alike."""
    lines = []
    for name in dict.fromkeys(claim.feature for claim, _ in done.skipped):
        of_feature = [(claim.period, why) for claim, why in done.skipped if claim.feature == name]
        (first, _), (last, why) = of_feature[0], of_feature[-1]
        span = grid.name(first) + ("" if first == last else f" to {grid.name(last)}")
        n_windows = counted(len(of_feature), "window")
        lines.append(
            f"{n_windows} not judged, too few rows come before: {name}, {span}: {why}; should such rows "
            "come, --retry-failed tries again"
        )
    return lines


def _whole(judged: JudgedWindow) -> WindowDrift:
    """The verdict on all rows of the window, whatever segment they are of."""
    return next(window for window in judged.report.windows if window.segment is None)


def _document(done: Pass, errors: list[str], left: dict[str, int]) -> dict[str, Any]:
    from monitor.cli.drift import window_document

    return {
        "judged": [
            window_document(_whole(judged)) | {"revision": claim.revision}
            for claim, judged in done.judged
        ],
        "failed": [
            {
                "feature": window.feature,
                "window_start": window.period.start.isoformat(),
                "error": str(window.error),
            }
            for window in done.failed
        ],
        "waiting": [
            {"feature": claim.feature, "window_start": claim.period.start.isoformat()}
            for claim in done.waiting
        ],
        "skipped": [
            {
                "feature": claim.feature,
                "window_start": claim.period.start.isoformat(),
                "reason": str(why),
            }
            for claim, why in done.skipped
        ],
        "refused": [
            {"feature": claim.feature, "window_start": claim.period.start.isoformat()}
            for claim in done.refused
        ],
        "undelivered": errors,
        "windows": left,
    }


def _lines(done: Pass, left: dict[str, int] | None, grid: Grid) -> list[str]:
    drifted = sum(judged.report.has_drift for _, judged in done.judged)
    lines = [f"{counted(len(done.judged), 'window')} judged, {drifted} drifted"]
    lines += [
        f"not judged: {window.feature}, {grid.name(window.period)}: {window.error}"
        for window in done.failed
    ]
    lines += _skipped(done, grid)
    if left is not None and left["due"]:
        lines.append(
            f"{counted(left['due'], 'window')} still due: being judged, or tried again later"
        )
    if left is not None and left["failed"]:
        given_up = counted(left["failed"], "window")
        lines.append(f"{given_up} given up: --retry-failed tries again")
    return lines
