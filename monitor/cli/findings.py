"""What `monitor check` finds in rows and settings, before a long run finds it."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from monitor.environment import filled_in
from monitor.errors import MonitorError
from monitor.failures import count_failures, counts_in_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from monitor.cli.project import Project
    from monitor.images import SourcePolicy
    from monitor.sources import DataTable

State: TypeAlias = Literal["ok", "note", "error"]
N_SAMPLED: Final = 200
CURES: Final = {
    "path_outside_roots": "sources.roots names the folders that images may lie in",
    "scheme": "sources.schemes names what addresses may begin with",
    "host": "sources.hosts names the hosts that may be asked",
    "port": "sources.ports names the ports that may be asked",
    "blocked_address": "sources.hosts with sources.allow_private lets a private address be asked",
    "too_large": "sources.max_bytes is the limit",
    "too_many_pixels": "sources.max_pixels is the limit",
    "too_small": "sources.min_side is the limit",
    "not_found": "sources.roots names the folders that relative paths start from",
    "deadline": "sources.deadline_seconds is the limit",
}
"""By reason of a failure: the key of the config that decides about it."""


_OF_ONE: Final = {"not_found", "not_a_file", "too_large", "bad_path", "unreadable", "invalid_url"}
"""Reasons that are of one image, and not of the config."""


@dataclass(frozen=True)
class Finding:
    """What was looked at, and what is to be said of it."""

    state: State
    looked_at: str
    text: str


def in_settings(project: Project) -> Iterator[Finding]:
    """Folders that are not there, and environment variables that are not set."""
    from monitor.validation import dotted

    for root in project.config.policy.roots:
        if not Path(root).is_dir():
            yield Finding(
                "error", "sources.roots", f"there is no folder {root}: images are looked for in it"
            )
    for path, text in _texts(project.config.to_dict(), ()):
        try:
            filled_in(text, dotted(path))
        except MonitorError as error:
            yield Finding("error", dotted(path), str(error).removeprefix(f"{dotted(path)} "))
    for feature in project.config.monitored:
        try:
            feature.check_fit()
        except MonitorError as error:
            yield Finding("error", f"feature {feature.name}", str(error))
    for place, look in _looks(project):
        try:
            look()
        except MonitorError as error:
            # What is not set was told above.
            if "needs the environment variable" not in str(error):
                yield Finding("error", place, str(error))


def _looks(project: Project) -> Iterator[tuple[str, Callable[[], object]]]:
    """Settings that are read when they are needed, each with what reads them."""
    from monitor.alerts import check_channel
    from monitor.cli.scheduled import plan_of
    from monitor.schedule import check_cron
    from monitor.store import Store

    config = project.config
    yield "output", lambda: _check_folder(project.output)
    yield "schedule.cron", lambda: check_cron(config.schedule.cron)
    if config.drift.every is not None:
        yield "schedule", partial(plan_of, config.schedule, config.drift.every)
    yield "store.url", lambda: Store.check_url(config.store_url)
    for at, channel in enumerate(config.alerts.channels):
        yield f"alerts.channels[{at}]", partial(check_channel, channel)


def _check_folder(folder: Path) -> None:
    from monitor.errors import ConfigError

    there = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        what = "is no folder" if not there.is_dir() else "may not be written to"
        raise ConfigError(f"{there} {what}: name another folder in `output`")


def in_source(project: Project) -> Iterator[Finding]:
    """What is wrong with production's rows where they are no files: of a query, a function, a plug-in.

    The query is asked for a window without length, which has no rows; a function is only looked up.
    """
    from monitor.cli.columns import check_columns
    from monitor.cli.scheduled import source_of
    from monitor.sources import CallableSource, SqlSource

    place, features = "data.production", project.config.monitored
    now = dt.datetime.now(dt.UTC)
    try:
        source = source_of(project)
        if isinstance(source, CallableSource):
            source.function()
        elif isinstance(source, SqlSource):
            columns = next(source.chunks(now, now)).column_names
            check_columns(project.config, "the query", columns, features, "production")
            yield Finding("ok", place, "the query can be asked and has all columns needed")
            return
    except MonitorError as error:
        yield Finding("error", place, str(error).removeprefix(f"{place}."))
        return
    yield Finding("note", place, "rows of a function or a plug-in, which only `monitor run` reads")


def in_rows(project: Project, part: str, file: DataTable) -> Iterator[tuple[State, str]]:
    """What is wrong with the first rows of a file that has all its columns."""
    import numpy as np

    from monitor import frames
    from monitor.features.origin import OriginKind
    from monitor.pipeline.rows import category_values, read_vectors

    monitored = project.config.monitored
    present = file.outline().columns
    embedded = [f for f in monitored if f.origin.is_missing_from(present)]
    images = [f for f in embedded if f.origin.kind == OriginKind.IMAGES]
    ready = [f for f in monitored if f not in embedded]
    time = getattr(project.config.data, part).timestamp_column
    drift = project.config.drift
    of_values = [drift.segment_column, *drift.context, *(drift.explain_columns or ())]
    categories = {name for name in of_values if name in present}
    wanted = {f.origin.source_column for f in images} | {time} | categories
    for feature in ready:
        wanted |= {*feature.origin.columns, *feature.origin.written_columns}
    sample = next(file.tables({name for name in wanted if name}, chunk_rows=N_SAMPLED))
    sample = sample.slice(0, N_SAMPLED)
    if not sample.num_rows:
        yield "note", "there are no rows in it"
        return
    if time is not None:
        try:
            undated = np.isnat(frames.read_times(sample, time).values)
            if undated.any():
                yield "note", _undated(frames.cells(sample, time), undated, time)
        except MonitorError as error:
            yield "error", f"data.{part}.timestamp_column: {error}"
    for column in sorted(categories):
        try:
            category_values(sample, column)
        except MonitorError as error:
            yield "error", str(error)
    for feature in images:
        column = str(feature.origin.source_column)
        for state, message in _refused(frames.cells(sample, column), project.config.policy):
            yield state, f"column {column!r}: {message}"
    for feature in ready:
        try:
            vectors = read_vectors(sample, feature)
        except MonitorError as error:
            yield "error", f"feature {feature.name}: {error}"
            continue
        if not vectors.usable.any():
            counts = counts_in_words(count_failures(vectors.failures))
            text = f"none of the first {sample.num_rows} rows has a vector ({counts})"
            yield "error", f"feature {feature.name}: {text}"


def _undated(cells: Sequence[Any], undated: NDArray[np.bool_], column: str) -> str:
    first = cells[int(undated.argmax())]
    return (
        f"column {column!r}: {undated.sum()} of the first {len(cells)} cells are no times, such as "
        f"{str(first)[:60]!r}; their rows are in no window"
    )


def too_many_clusters(project: Project, n_rows: int) -> Iterator[Finding]:
    """Features with more clusters than the rows of the baseline can fill."""
    for index, feature in enumerate(project.config.features):
        n_clusters = getattr(feature, "n_clusters", None)
        if n_clusters is not None and n_rows < 2 * n_clusters:
            yield Finding(
                "error",
                f"features[{index}].n_clusters",
                f"{n_clusters:,} clusters need {2 * n_clusters:,} rows or more, half of them to fit the "
                f"clusters on, and the baseline has {n_rows:,}: give fewer clusters, or null to have "
                "their number chosen",
            )


def _refused(cells: Sequence[Any], policy: SourcePolicy) -> Iterator[tuple[State, str]]:
    """Why addresses would be refused, as far as that can be told without asking anybody."""
    from monitor.redaction import redact_url

    refused: dict[str, list[str]] = {}
    for cell in cells:
        reason = _reason(cell, policy) if isinstance(cell, str) else None
        if reason is not None:
            refused.setdefault(reason, []).append(cell)
    for reason, addresses in refused.items():
        # Some images are missing everywhere; the others go on.
        state: State = "note" if reason in _OF_ONE and len(addresses) < len(cells) else "error"
        share = f"{len(addresses)} of the first {len(cells)} cells, such as {redact_url(addresses[0])!r},"
        if reason == "path_outside_roots" and not policy.roots:
            yield (
                state,
                f"{share} are local files, and sources.roots is empty: name their folder in it",
            )
        else:
            yield state, f"{share} would be refused ({reason}): {CURES.get(reason, 'mend them')}"


def _reason(cell: str, policy: SourcePolicy) -> str | None:
    from monitor.failures import Failure
    from monitor.images.data_uri import read_base64
    from monitor.images.files import check_file
    from monitor.images.urls import check_port, check_url, file_path, scheme_of

    scheme = scheme_of(cell)
    if scheme in (None, "file"):
        if not cell.strip() or (scheme is None and read_base64(cell, policy) is not None):
            return None
        path = cell.strip() if scheme is None else file_path(cell)
        missing = path if isinstance(path, Failure) else check_file(path, policy)
        return missing.reason if missing else None
    if scheme in ("http", "https"):
        target = check_url(cell, policy)
        failure = target if isinstance(target, Failure) else check_port(target, policy)
        return failure.reason if failure else None
    return None if scheme is not None and policy.allows(scheme) else "scheme"


def _texts(
    value: object, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str) and path[-1] != "query":
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))
