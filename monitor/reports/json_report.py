r"""A drift report as JSON, and back, without loss.

The text is one object. Its keys are the fields of `DriftReport`, `FeatureSummary`, `WindowDrift`,
`Judgement`, `Score`, `SubTest`, `ClusterShift` and `Example`, in their order and with their meaning::

    {"format": "monitor.report/1",
     "features": [{"name", "source_column", "column", "baseline_id", "fingerprint", "n_fit",
                   "histogram": [counts], "failures": {reason: rows}, "examples": [[example]],
                   "choice", "time_range", "segment_column"}],
     "windows": [{"feature", "start", "end", "segment", "failures",
                  "judgement": {"verdict", "reason", "p_value", "alpha",
                                "tests": [{"name", "statistic", "p_value"}],
                                "scores": {"jsd": {"value", "noise_floor", "noise_ceiling"}, ...},
                                "clusters": [...], "baseline_histogram": [counts],
                                "window_histogram": [counts], "content_shift", "appearance_shift",
                                "novel_share", "n_rows_needed"},
                  "examples": [[example]], "novel_examples": [example], "most_repeated", "notes"}],
     "every", "segment_column", "notes"}

Times are ISO 8601 in UTC. A number that is not defined (NaN) is null; an infinite one is the text
"Infinity" or "-Infinity". A field that may be None is null then.

What the scores are made of is stored beside them, so a reader can compute them again. With the counts b
of `baseline_histogram` and w of `window_histogram`, N = Σb, n = Σw, k clusters, p = b/N, q = w/n and
m = (p + q)/2:

- ``jsd`` = √( Σ (p log₂(p/m) + q log₂(q/m)) / 2 ), where 0 log 0 = 0
- ``psi`` = Σ (q′ − p′) ln(q′/p′), with p′ = (b + 1) / (N + k) and q′ = (w + 1) / (n + k)
- ``hellinger`` = √( Σ (√p − √q)² / 2 )
- ``clusters[i].contribution`` = the i-th term of the sum under ``jsd``'s root, over that sum
- ``tests[mix].statistic`` = Σ (w − e)² / e · T/N, with e = n (b + w) / T and T = N + n: Pearson's X².
  Its p-value is (1 + #{X* ≥ X}) / (M + 1) over M tables drawn given both margins, so it comes out
  again up to the drawing
- ``tests[novelty].statistic`` = ``novel_share`` = x/n, with x rows beyond the novelty radius. Its
  p-value is P(X ≥ x) of a hypergeometric X: n rows drawn from T, of which x + y are novel. The
  baseline's own count y is in the baseline's file (`reference.n_novel`)
- ``tests[mean].p_value`` = P(χ²_df > df + (s − c₁) √(df/c₂)), with s the statistic, df = c₂³/c₃² and
  cᵢ = (1/N + 1/n)ⁱ Mᵢ; the three Mᵢ are the baseline's `mean_moments`, and its `whitened_moments` for
  ``whitened_mean``
- ``p_value`` = min(1, 4 · the smallest of the four); ``verdict`` is ``drift`` when it is ≤ ``alpha``
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
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import numpy as np

from monitor.errors import ReportError
from monitor.reports.files import write_text
from monitor.reports.report import DriftReport

FORMAT: Final = "monitor.report/1"
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
