"""What `monitor check` finds in rows and settings, before a long run finds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from monitor.environment import filled_in
from monitor.errors import MonitorError

if TYPE_CHECKING:
    from monitor.cli.project import Project
    from monitor.images import SourcePolicy
    from monitor.sources import DataTable

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
    "deadline": "sources.deadline_seconds is the limit",
}
"""By reason of a failure: the key of the config that decides about it."""


@dataclass(frozen=True)
class Finding:
    """What was looked at, and what is to be said of it."""

    state: Literal["ok", "note", "error"]
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


def in_rows(project: Project, part: str, file: DataTable) -> Iterator[str]:
    """What is wrong with the first rows of a file that has all its columns."""
    from monitor import frames
    from monitor.features.origin import OriginKind

    features = [f for f in project.config.monitored if f.origin.kind == OriginKind.IMAGES]
    present = file.outline().columns
    features = [f for f in features if f.origin.is_missing_from(present)]
    time = getattr(project.config.data, part).timestamp_column
    wanted = {f.origin.source_column for f in features} | {time}
    sample = next(file.tables({name for name in wanted if name}, chunk_rows=N_SAMPLED))
    sample = sample.slice(0, N_SAMPLED)
    if not sample.num_rows:
        return
    if time is not None:
        try:
            frames.read_times(sample, time)
        except MonitorError as error:
            yield f"data.{part}.timestamp_column: {error}"
    for feature in features:
        column = str(feature.origin.source_column)
        for message in _refused(frames.cells(sample, column), project.config.policy):
            yield f"column {column!r}: {message}"


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


def _refused(cells: Sequence[Any], policy: SourcePolicy) -> Iterator[str]:
    """Why addresses would be refused, as far as that can be told without asking anybody."""
    from monitor.redaction import redact_url

    refused: dict[str, list[str]] = {}
    for cell in cells:
        reason = _reason(cell, policy) if isinstance(cell, str) else None
        if reason is not None:
            refused.setdefault(reason, []).append(cell)
    for reason, addresses in refused.items():
        share = f"{len(addresses)} of the first {len(cells)} cells, such as {redact_url(addresses[0])!r},"
        if reason == "path_outside_roots":
            yield f"{share} are local files, and sources.roots is empty: name their folder in it"
        else:
            yield f"{share} would be refused ({reason}): {CURES.get(reason, 'mend them')}"


def _reason(cell: str, policy: SourcePolicy) -> str | None:
    from monitor.failures import Failure
    from monitor.images.data_uri import read_base64
    from monitor.images.urls import check_port, check_url, scheme_of

    scheme = scheme_of(cell)
    if scheme in (None, "file"):
        is_path = scheme == "file" or read_base64(cell, policy) is None
        return "path_outside_roots" if is_path and cell.strip() and not policy.roots else None
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
