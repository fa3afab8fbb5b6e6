"""A drift report as JSON, and back, without loss.

The text is one object. Its keys are `format`, the fields of `DriftReport` and `episodes`; inside stand
those of `FeatureSummary`, `WindowDrift`, `Judgement` and the values they hold, in their order and with
their meaning; a judgement's `look` is its `pooled_test` once more, by the name that readers of reports know.
`docs/report-format.md` shows the whole, with the formula of each number.

Times are ISO 8601, those of windows with the offset of `timezone`, all others in UTC. A number that is
not defined (NaN) is null; an infinite one is the text "Infinity" or "-Infinity". A field that may be None is
null then.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from monitor.codec import Mismatch, from_plain, to_plain
from monitor.errors import InvalidInputError, ReportError
from monitor.reports.episodes import episodes, episodes_json
from monitor.reports.files import write_text
from monitor.reports.findings import INSTANTS, Findings, WindowDrift
from monitor.windows import zone_of

FORMAT: Final = "monitor.report/3"
Report = TypeVar("Report", bound=Findings)
Part = TypeVar("Part")


def to_json(report: Findings, path: str | Path | None = None) -> str:
    """The whole report as JSON text, and in the file `path` if given.

    Raises
    ------
    ReportError
        If the file cannot be written.
    """
    # ASCII only: a source cell may hold halves of surrogate pairs, which no encoding of a file accepts.
    plain = {**to_plain(report), "episodes": episodes_json(episodes(report))}
    for judgement in _judgements(plain):
        judgement["look"] = judgement["pooled_test"]
    zone = zone_of(report.timezone)
    for window, values in zip(report.windows, plain["windows"], strict=True):
        values |= _instants(window.in_zone(zone))
    text = json.dumps({"format": FORMAT, **plain}, allow_nan=False)
    if path is not None:
        write_text(path, text + "\n")
    return text


def read_json(path: str | Path, kind: type[Report]) -> Report:
    """Read a report of type `kind` that `to_json` wrote.

    Raises
    ------
    ReportError
        If there is no such file, or it is no report of ours.
    """
    path = Path(path)
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(
            f"the report {path} cannot be read ({error.strerror or error}): give the path of a file "
            "that report.to_json(path) wrote"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ReportError(
            f"{path} is not a JSON report ({error}): write it again with report.to_json(path)"
        ) from error
    written_as = saved.pop("format", None) if isinstance(saved, dict) else None
    if written_as != FORMAT:
        raise ReportError(
            f"{path} is not a report of this version: its format is {written_as!r}, expected {FORMAT!r}; "
            "write it again with report.to_json(path)"
        )
    # These follow from the rest.
    saved.pop("episodes", None)
    for judgement in _judgements(saved):
        judgement.pop("look", None)
    try:
        report = from_plain(saved, kind, "report")
        zone = zone_of(report.timezone)
        return replace(report, windows=tuple(window.in_zone(zone) for window in report.windows))
    except (Mismatch, InvalidInputError) as error:
        raise ReportError(
            f"{path} is a damaged report: {error}; write it again with report.to_json(path)"
        ) from error


def _instants(window: WindowDrift) -> dict[str, str | None]:
    instants: dict[str, dt.datetime | None] = {name: getattr(window, name) for name in INSTANTS}
    return {name: None if at is None else at.isoformat() for name, at in instants.items()}


def _judgements(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The judgements of a report in plain values, of which nothing is sure yet."""
    windows = report.get("windows")
    for window in windows if isinstance(windows, list) else ():
        judgement = window.get("judgement") if isinstance(window, dict) else None
        if isinstance(judgement, dict):
            yield judgement


def part_to_json(part: Any) -> Any:
    """A part of a report, such as a `WindowDrift`, as the plain values that `to_json` writes for it."""
    return to_plain(part)


def part_from_json(values: Any, kind: type[Part]) -> Part:
    """The part of type `kind` that `part_to_json` made these values of.

    Raises
    ------
    ReportError
        If they do not fit.
    """
    try:
        return from_plain(values, kind)
    except Mismatch as error:
        raise ReportError(f"a saved part of a report is damaged: {error}") from error
