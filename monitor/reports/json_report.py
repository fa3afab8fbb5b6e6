"""A drift report as JSON, and back, without loss.

The text is one object. Its keys are `format` and the fields of `DriftReport`; inside stand those of
`FeatureSummary`, `WindowDrift`, `Judgement` and the values they hold, in their order and with their
meaning. `docs/report-format.md` shows the whole, with the formula of each number.

Times are ISO 8601 in UTC. A number that is not defined (NaN) is null; an infinite one is the text
"Infinity" or "-Infinity". A field that may be None is null then.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from monitor.errors import ReportError
from monitor.reports.files import write_text
from monitor.reports.report import DriftReport

FORMAT: Final = "monitor.report/3"
Part = TypeVar("Part")
_RENAMED: Final = {"evenness": "unevenness"}
"""Fields that results in stores of earlier versions call otherwise."""
_INFINITE: Final = {"Infinity": math.inf, "-Infinity": -math.inf}


class _Mismatch(Exception):
    """A value that does not fit its field; the message says where and what."""


def to_json(report: DriftReport, path: str | Path | None = None) -> str:
    """The whole report as JSON text, and in the file `path` if given.

    Raises
    ------
    ReportError
        If the file cannot be written.
    """
    # ASCII only: a source cell may hold halves of surrogate pairs, which no encoding of a file accepts.
    text = json.dumps({"format": FORMAT, **_encode(report)}, allow_nan=False)
    if path is not None:
        write_text(path, text + "\n")
    return text


def read_json(path: str | Path) -> DriftReport:
    """Read a report that `to_json` wrote.

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
    found = saved.pop("format", None) if isinstance(saved, dict) else None
    if found != FORMAT:
        raise ReportError(
            f"{path} is not a report of this version: its format is {found!r}, expected {FORMAT!r}; "
            "write it again with report.to_json(path)"
        )
    try:
        report = _decode(saved, DriftReport, "report")
    except _Mismatch as error:
        raise ReportError(
            f"{path} is a damaged report: {error}; write it again with report.to_json(path)"
        ) from error
    assert isinstance(report, DriftReport)
    return report


def part_to_json(part: Any) -> Any:
    """A part of a report, such as a `WindowDrift`, as the plain values that `to_json` writes for it."""
    return _encode(part)


def part_from_json(values: Any, kind: type[Part]) -> Part:
    """The part of type `kind` that `part_to_json` made these values of.

    Raises
    ------
    ReportError
        If they do not fit.
    """
    try:
        part: Part = _decode(values, kind, kind.__name__)
    except _Mismatch as error:
        raise ReportError(f"a saved part of a report is damaged: {error}") from error
    return part


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: _encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _encode(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_encode(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _encode(value.tolist())
    if isinstance(value, dt.datetime):
        return _in_utc(value).isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _in_utc(instant: dt.datetime) -> dt.datetime:
    # astimezone alone would read an instant without a zone as local time.
    return instant.replace(tzinfo=instant.tzinfo or dt.UTC).astimezone(dt.UTC)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _decode(value: Any, kind: Any, where: str) -> Any:
    """`value` as JSON gave it, as the type `kind`; `where` names it in an error."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        (given,) = (option for option in inner if option is not NoneType)
        return None if value is None else _decode(value, given, where)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _decode_object(value, kind, where)
    if origin is Literal:
        if value not in inner:
            raise _Mismatch(f"{where} is {str(value)[:40]!r}, expected one of {inner}")
        return value
    if origin is tuple:
        items = _expect(value, list, where)
        if inner[-1] is not ...:
            if len(items) != len(inner):
                raise _Mismatch(f"{where} has {len(items)} entries, expected {len(inner)}")
            return tuple(
                _decode(item, of, f"{where}[{i}]")
                for i, (item, of) in enumerate(zip(items, inner, strict=True))
            )
        return tuple(_decode(item, inner[0], f"{where}[{i}]") for i, item in enumerate(items))
    if origin is np.ndarray:
        counts = [_expect(item, int, where) for item in _expect(value, list, where)]
        try:
            return np.array(counts, dtype=np.int64)
        except OverflowError as error:
            raise _Mismatch(f"{where} holds a count beyond 64 bits") from error
    if origin is not None and issubclass(origin, Mapping):
        entries = _expect(value, dict, where)
        return {key: _decode(item, inner[1], f"{where}.{key}") for key, item in entries.items()}
    return _decode_scalar(value, kind, where)


def _decode_object(value: Any, kind: type, where: str) -> Any:
    saved = _expect(value, dict, where)
    saved = {_RENAMED.get(key, key): item for key, item in saved.items()}
    hints = _hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind)}
    if unknown := sorted(set(saved) - set(fields)):
        raise _Mismatch(f"{where} has unknown fields {', '.join(unknown)}")
    missing = [
        name
        for name, f in fields.items()
        if name not in saved
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise _Mismatch(f"{where} lacks {', '.join(missing)}")
    return kind(**{name: _decode(saved[name], hints[name], f"{where}.{name}") for name in saved})


def _decode_scalar(value: Any, kind: Any, where: str) -> Any:
    if kind is float:
        if value is None:
            return math.nan
        if isinstance(value, str) and value in _INFINITE:
            return _INFINITE[value]
        return float(_expect(value, (int, float), where))
    if kind is bool:
        if not isinstance(value, bool):
            raise _Mismatch(f"{where} is {str(value)[:40]!r}, expected true or false")
        return value
    if kind is dt.datetime or issubclass(kind, StrEnum):
        text = _expect(value, str, where)
        try:
            if issubclass(kind, StrEnum):
                return kind(text)
            return _in_utc(dt.datetime.fromisoformat(text))
        except (ValueError, OverflowError) as error:
            raise _Mismatch(f"{where}: {error}") from error
    return _expect(value, kind, where)


def _expect(value: Any, kind: type | tuple[type, ...], where: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        allowed = kind if isinstance(kind, tuple) else (kind,)
        names = " or ".join(one.__name__ for one in allowed)
        raise _Mismatch(f"{where} is {str(value)[:40]!r}, expected {names}")
    return value
