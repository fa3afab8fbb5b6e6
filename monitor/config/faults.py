"""What is wrong with a config: one line for each thing, with where it stands and what to do."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from monitor.config.strict_yaml import Path
from monitor.errors import MonitorError, did_you_mean


class FaultAt(ValueError):
    """A rule that two fields break together, told at the one to be changed.

    Parameters
    ----------
    path
        That field, below the model whose validator raises.
    message
        What is wrong, allowed, and to be done.
    """

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Parameters
    ----------
    path
        The key or item, empty for the whole config.
    message
        The value seen, what is allowed and how to go on.
    """

    path: Path
    message: str

    @property
    def place(self) -> str:
        """The path as it is written in Python, such as `features[0].n_clusters`."""
        parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path]
        return "".join(parts).removeprefix(".")


def faults_of(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """Each thing that `error` says about a dictionary meant for `model`, in its order."""
    found: list[Fault] = []
    for detail in error.errors(include_url=False):
        path: Path = detail["loc"]
        cause = detail.get("ctx", {}).get("error")
        inner = _inside(cause)
        if _follows_from_another(detail):
            continue
        if isinstance(cause, FaultAt):
            found.append(Fault((*path, *cause.path), str(cause)))
        elif inner is not None:
            owner = _model_named(inner.title)
            found += [
                Fault((*path, *fault.path), fault.message) for fault in faults_of(inner, owner)
            ]
        else:
            found.append(Fault(path, _sentence(detail, model)))
    return found


def in_words(faults: Sequence[Fault], name: str, lines: Mapping[Path, int]) -> str:
    """The faults as one message: one line if there is one, else a line for each.

    Examples
    --------
    >>> fault = Fault(("drift", "every"), "'1y' is no window length")
    >>> in_words([fault], "monitor.yaml", {("drift", "every"): 9})
    "monitor.yaml, line 9, drift.every: '1y' is no window length"
    """
    faults = sorted(faults, key=lambda fault: line_of(fault.path, lines) or 0)
    told = [_located(fault, lines) for fault in faults]
    if len(told) == 1:
        return ", ".join([name, told[0]]) if faults[0].path else f"{name}: {told[0]}"
    return "\n  ".join([f"{name} holds {len(told)} mistakes:", *told])


def line_of(path: Path, lines: Mapping[Path, int]) -> int | None:
    """The line of `path`, or of the nearest thing around it."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _located(fault: Fault, lines: Mapping[Path, int]) -> str:
    line = line_of(fault.path, lines)
    where = ", ".join([*([f"line {line}"] if line else []), *([fault.place] if fault.path else [])])
    return f"{where}: {fault.message}" if where else fault.message


def _inside(cause: object) -> ValidationError | None:
    """The faults, field by field, that an error of ours was made from."""
    if not isinstance(cause, MonitorError):
        return None
    inner = cause.__cause__ or cause.__context__
    return inner if isinstance(inner, ValidationError) else None


def _follows_from_another(detail: Any) -> bool:
    """Pydantic calls a list too short, too, when it holds enough items of which some are wrong."""
    return detail["type"] == "too_short" and bool(
        len(detail["input"]) >= detail["ctx"]["min_length"]
    )


def _model_named(title: str) -> type[BaseModel]:
    from monitor import features
    from monitor.images.policy import SourcePolicy

    known = {name: getattr(features, name) for name in features.__all__}
    found: type[BaseModel] = known.get(title, SourcePolicy)
    return found


def _sentence(detail: Any, model: type[BaseModel]) -> str:
    kind, value = detail["type"], detail["input"]
    message = detail["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    if kind == "missing":
        return "is missing: add it"
    if kind == "extra_forbidden":
        allowed = keys_at(model, detail["loc"][:-1])
        hint = did_you_mean(str(detail["loc"][-1]), allowed)
        return f"there is no such key; {hint}allowed: {', '.join(allowed)}"
    if kind in {"model_type", "model_attributes_type", "dataclass_type"}:
        allowed = keys_at(model, detail["loc"])
        return f"{_short(value)} must be keys and values; allowed keys: {', '.join(allowed)}"
    if kind == "tuple_type":
        return f"{_short(value)} must be a list"
    if kind == "string_type" and isinstance(value, bool | int | float):
        return f"{_short(value)} must be text: put it in quotes"
    if value is None:
        return "has no value: give it one, or leave the key out"
    if kind == "too_short":
        return f"{_short(value)} is too short: give at least {detail['ctx']['min_length']}"
    # A rule about several fields names their values itself.
    whole = not detail["loc"] or isinstance(value, Mapping | BaseModel | list | tuple)
    whole = whole or isinstance(detail.get("ctx", {}).get("error"), MonitorError)
    return message if whole else f"{_short(value)}: {message}"


def keys_at(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that may stand at `path` below `model`, as they are written in YAML."""
    for part in path:
        if isinstance(part, str):
            model = _model_of(model, part)
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_of(model: type[BaseModel], key: str) -> type[BaseModel]:
    for name, field in model.model_fields.items():
        if key == (field.alias or name):
            for kind in (field.annotation, *get_args(field.annotation)):
                if isinstance(kind, type) and issubclass(kind, BaseModel):
                    return kind
    return model


def _short(value: object) -> str:
    return reprlib.repr(value)
