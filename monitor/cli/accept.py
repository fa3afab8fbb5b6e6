"""Rows of production that are normal from now on: the baseline is fitted again with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitor import frames
from monitor.cli.fitting import (
    ONLY_KEY,
    accepted_path,
    fitted_baseline,
    read_accepted,
    with_accepted,
    with_instants,
)
from monitor.cli.project import Monitored, Project
from monitor.errors import ConfigError, InvalidInputError
from monitor.files import replacing
from monitor.windows import Window, first_instant, zone_of

if TYPE_CHECKING:
    import pyarrow as pa

    from monitor.clusters import Baseline

_TIME = "monitor.accepted_at"
"""When an accepted row happened, where the baseline itself has no times."""


@dataclass(frozen=True, eq=False)
class Accepted:
    """A baseline that was fitted with rows of production.

    Parameters
    ----------
    baseline, path
        The new one, and where it lies.
    n_rows
        How many rows were accepted, those without a vector included.
    kept
        Where the old one lies now; None where there was none.
    """

    baseline: Baseline
    path: Path
    n_rows: int
    kept: Path | None


def span_of(project: Project, start: str, end: str) -> Window:
    """The span of two days or instants, half-open, in the zone of the config.

    Raises
    ------
    InvalidInputError
        If one of them is no ISO 8601 time, or they are the wrong way round.
    """
    window = Window(_instant(project, start, "--from"), _instant(project, end, "--to"))
    if window.start >= window.end:
        raise InvalidInputError(
            f"--from {start} is not before --to {end}, which is not included: to accept one day, give "
            "the next one as --to"
        )
    return window


def accept_span(
    project: Project, features: Sequence[Monitored], span: Window, *, only: bool = False
) -> tuple[Accepted, ...]:
    """Fit the baselines of `features` with production's rows of `span`, and save them.

    All are fitted before the first is saved. Rows of this span that were accepted before are replaced, so
    that the same command may be given again.

    Parameters
    ----------
    only
        Leave out the baseline's own rows, and those that were accepted before.

    Raises
    ------
    ConfigError
        If the baseline moves along by itself, or nothing says when production's rows happened.
    InvalidInputError
        If there is no such row.
    """
    from monitor.cli import fitted_on
    from monitor.cli.embedded import read_part
    from monitor.cli.tables import find_tables

    config = project.config
    if config.schedule.rolling_baseline is not None:
        raise ConfigError(
            "schedule.rolling_baseline has the baseline move along by itself: there is none to accept "
            "rows into"
        )
    files = find_tables(config, config.data.baseline, "data.baseline")
    own = read_part(project, "baseline", features)
    fitted = []
    for feature in features:
        new = _rows_of(project, feature, span)
        before = None if only else read_accepted(project, feature)
        is_whole = only
        rows = new
        if before is not None:
            earlier, is_whole = before
            outside = ~_is_inside(earlier, _time_column(project), span)
            rows = frames.join([earlier.take(np.flatnonzero(outside)), new])
        frame = rows if is_whole else with_accepted(project, own, rows)
        baseline = fitted_baseline(project, frame, feature)
        fitted.append((feature, baseline, (rows, is_whole), new.num_rows))
    done = []
    for feature, baseline, (rows, is_whole), n_rows in fitted:
        path = project.baseline_path(feature)
        kept = _keep(path, baseline.id)
        # Rows first: where this is the last that happens, `baseline fit` completes it.
        frames.write_file(rows, accepted_path(project, feature), about={ONLY_KEY: is_whole})
        baseline.save(path)
        fitted_on.record(path, files, config.folder)
        done.append(Accepted(baseline, path, n_rows, kept))
    return tuple(done)


def _instant(project: Project, text: str, option: str) -> dt.datetime:
    zone = zone_of(project.config.schedule.timezone)
    try:
        if len(text) == len("2026-03-05"):
            return first_instant(dt.date.fromisoformat(text), zone)
        instant = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(
            f"{option} {text!r} is no time: give a day such as 2026-03-05, or an instant such as "
            "2026-03-05T18:00"
        ) from error
    return instant.replace(tzinfo=instant.tzinfo or zone).astimezone(dt.UTC)


def _time_column(project: Project) -> str:
    return project.config.data.baseline.timestamp_column or _TIME


def _rows_of(project: Project, feature: Monitored, span: Window) -> pa.Table:
    """Production's rows of `span`, with vectors, their times named as the baseline's."""
    production = project.config.data.production
    column = production.timestamp_column
    if column is None:
        raise ConfigError(
            f"{project.path} does not say when rows happened: name data.production.timestamp_column"
        )
    if production.path is None and production.images is None:
        frame = _asked_for(project, feature, span)
    else:
        from monitor.cli.embedded import read_part

        frame = read_part(project, "production", [feature])
    return _between(with_instants(frame, column, _time_column(project)), project, span)


def _between(frame: pa.Table, project: Project, span: Window) -> pa.Table:
    is_inside = _is_inside(frame, _time_column(project), span)
    if not is_inside.any():
        raise InvalidInputError(
            f"production has no row from {span.start.isoformat()} up to {span.end.isoformat()}: nothing "
            "is accepted, and the baseline is as it was"
        )
    return frame.take(np.flatnonzero(is_inside))


def _asked_for(project: Project, feature: Monitored, span: Window) -> pa.Table:
    """The rows of a query or a function, embedded where need be."""
    from monitor.cli.cache import open_cache
    from monitor.cli.embedding import located
    from monitor.cli.scheduled import source_of
    from monitor.pipeline.embed import embed
    from monitor.sources import read_tables

    source, config = source_of(project), project.config
    tables = []
    with open_cache(config) as cache:
        for table in read_tables(source, span.start, span.end, None):
            if feature.origin.is_missing_from(table.column_names):
                table = embed(
                    table,
                    located(config, feature),
                    policy=config.policy,
                    executor=project.executor,
                    cache=cache,
                    progress=False,
                )
            tables.append(table)
    return frames.join(tables)


def _is_inside(frame: pa.Table, column: str, span: Window) -> NDArray[np.bool_]:
    times = frames.read_times(frame, column).values
    start, end = (
        np.datetime64(instant.replace(tzinfo=None), "us") for instant in (span.start, span.end)
    )
    return np.asarray((times >= start) & (times < end))


def _keep(path: Path, new_id: str) -> Path | None:
    """Copy the baseline at `path` beside it, under its id."""
    from monitor.clusters import Baseline

    if not path.is_file():
        return None
    old = Baseline.load(path)
    if old.id == new_id:
        return None
    kept = path.with_suffix(f".{old.id}.safetensors")
    with replacing(kept) as partial:
        partial.write_bytes(path.read_bytes())
    return kept
