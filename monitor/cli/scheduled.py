"""A config ─► the runner of its schedule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Final

from monitor.cli.project import Monitored, Project
from monitor.cli.tables import image_files, options_of, output_of, path_of
from monitor.cli.terminal import counted
from monitor.environment import filled_in
from monitor.errors import ConfigError
from monitor.schedule import Plan, Rolling, Runner, WindowJudge
from monitor.sources import CallableSource, FileSource, Source, SqlSource, registry, rows_seen
from monitor.store import Claim, JudgedWindow, Store
from monitor.windows import Every, Grid, first_instant, zone_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from monitor.clusters import Baseline
    from monitor.config.sections import ScheduleConfig

_CLOCK_TOLERANCE: Final = dt.timedelta(minutes=1)
"""Clocks that are kept by NTP differ by far less."""


@contextmanager
def open_runner(project: Project, features: Sequence[Monitored]) -> Iterator[Runner]:
    """What judges the windows of `features` as the config says.

    Raises
    ------
    ConfigError
        If the config does not say how long windows are, or when rows happened.
    BaselineError, StoreError
        If a baseline is not there, or the store cannot be used.
    """
    from monitor.alerts import end_alerts
    from monitor.cli.cache import open_cache
    from monitor.cli.embedding import located
    from monitor.pipeline.notes import other_windows
    from monitor.schedule.alerting import alert_on
    from monitor.store.alerts import Alerts

    config = project.config
    every = config.drift.every
    if every is None:
        raise ConfigError(
            f"{project.path} says nothing of windows: set drift.every, such as '1d', to judge them by "
            "themselves"
        )
    source = source_of(project)
    here = {feature.name: located(config, feature) for feature in features}
    is_embedding = any(feature.origin.is_embedded for feature in features)

    def queue_alerts(
        connection: Connection, _: Claim, judged: JudgedWindow, now: dt.datetime
    ) -> None:
        alert_on(connection, config.alerts, judged.report, now)

    def end(connection: Connection, feature: str, why: str, now: dt.datetime) -> None:
        project.terminal.say(f"note: feature {feature!r}: {why}; its open alerts end")
        end_alerts(Alerts(connection), config.alerts, feature, why, now)

    baselines = _baselines(project, features)
    plan = plan_of(config.schedule, every)
    for baseline in () if isinstance(baselines, Rolling) else baselines.values():
        if warning := other_windows(baseline, plan.grid):
            project.terminal.say(f"warning: {warning}")
    with (
        Store(config.store_url) as store,
        open_cache(config) if is_embedding else nullcontext() as cache,
    ):
        store.prepare()
        if warning := other_clock(dt.datetime.now(dt.UTC), store.now()):
            project.terminal.say(f"warning: {warning}")
        judge = WindowJudge(
            source=source,
            features=here,
            baselines=baselines,
            every=every,
            n_features=len(config.monitored),
            rules=config.drift.rules(config.schedule.timezone),
            explain_columns=config.drift.explain_columns,
            context=config.drift.context,
            history=store.history,
            earlier=store.baseline_before,
            policy=config.policy,
            cache=cache,
            executor=project.executor,
        )
        yield Runner(
            store=store,
            plan=plan,
            every=every,
            features=[feature.name for feature in features],
            judge=judge,
            rows_seen=lambda window: str(rows_seen(source, window.start, window.end)),
            queue_alerts=queue_alerts,
            monitored=[feature.name for feature in config.monitored],
            end_alerts=end,
            clock=store.now,
            lease=dt.timedelta(seconds=config.schedule.lease_seconds),
            max_attempts=config.schedule.max_attempts,
            retry_for=_duration(config.schedule.retry_for),
            wait_for_rows=_duration(config.schedule.wait_for_rows) or None,
        )


def other_clock(here: dt.datetime, store: dt.datetime) -> str | None:
    """A word on this machine's clock if it differs from the database's, by which windows fall due.

    >>> noon = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    >>> other_clock(noon + dt.timedelta(minutes=10), noon)
    "this machine's clock is 10 minutes ahead of the database's, by which windows are judged"
    """
    ahead = here - store
    if abs(ahead) < _CLOCK_TOLERANCE:
        return None
    how_far = counted(round(abs(ahead) / dt.timedelta(minutes=1)), "minute")
    where = "ahead of" if ahead > dt.timedelta() else "behind"
    return f"this machine's clock is {how_far} {where} the database's, by which windows are judged"


def plan_of(schedule: ScheduleConfig, every: Every) -> Plan:
    """What is due when."""
    zone = zone_of(schedule.timezone)
    return Plan(
        Grid(every, zone),
        evaluation_delay=_duration(schedule.evaluation_delay),
        allowed_lateness=_duration(schedule.allowed_lateness),
        catchup=schedule.catchup,
        catchup_limit=schedule.catchup_limit,
        start=None if schedule.start is None else first_instant(schedule.start, zone),
    )


def source_of(project: Project) -> Source:
    """Where production's rows are."""
    config, data = project.config, project.config.data.production
    column = data.timestamp_column
    if column is None:
        raise ConfigError(
            f"{project.path} does not say when rows happened: name data.production.timestamp_column"
        )
    options = options_of(config, data)
    if data.query is not None and data.url is not None:
        url = filled_in(data.url, "data.production.url")
        return SqlSource(url, data.query, column, options=options)
    if data.function is not None:
        folder = str(config.folder.resolve())
        return CallableSource(data.function, column, folder=folder, options=options)
    if data.source is not None:
        made: Source = data.source.made_by(
            registry, "data.production.source", timestamp_column=column
        )
        return made
    if data.images is not None:
        return image_files(config, data)
    path = path_of(config, str(data.path))
    return FileSource(path, column, exclude=output_of(config), options=options)


def _baselines(project: Project, features: Sequence[Monitored]) -> dict[str, Baseline] | Rolling:
    rolling = project.config.schedule.rolling_baseline
    if rolling is None:
        return {feature.name: project.baseline(feature) for feature in features}
    return Rolling(_duration(rolling.window), _duration(rolling.offset))


def _duration(text: str | None) -> dt.timedelta:
    if text is None:
        return dt.timedelta()
    every = Every.parse(text)
    units = {"m": "minutes", "h": "hours", "D": "days", "W": "weeks"}
    return dt.timedelta(**{units[every.unit]: every.count})
