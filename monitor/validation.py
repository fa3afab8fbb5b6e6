"""pydantic's errors in our words: which field, the value seen, what is allowed."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel, ValidationError

from monitor.errors import MonitorError, did_you_mean
from monitor.redaction import redacted

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

KeyPath = tuple[str | int, ...]
"""Where a value stands: `("features", 0, "n_clusters")`."""

_ENUM_MEMBER = re.compile(r"<\w+\.\w+: ('[^']*')>")


def short(value: object) -> str:
    """`value` as a person should see it in an error: its beginning, without passwords.

    Examples
    --------
    >>> short("postgresql://me:hunter2@db/shop")
    "'postgresql://…@db/shop'"
    >>> short(list(range(1000)))
    '[0, 1, 2, 3, 4, 5, ...]'
    """
    # A long text is cut in its middle, after which no URL is known as one.
    text = reprlib.repr(redacted(value) if isinstance(value, str) else value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def dotted(path: KeyPath) -> str:
    """The path as it is written in Python.

    Examples
    --------
    >>> dotted(("features", 0, "n_clusters"))
    'features[0].n_clusters'
    """
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).removeprefix(".")


def explained(error: ValidationError, model: type[BaseModel]) -> str:
    """Each thing that `error` says about the fields of `model`, in one line.

    Examples
    --------
    >>> class Bounds(BaseModel, extra="forbid"):
    ...     width: int
    >>> try:
    ...     Bounds(width="wide", hight=3)
    ... except ValidationError as error:
    ...     print(explained(error, Bounds))
    width='wide': must be a valid integer, unable to parse string as an integer; hight=3: there is no
    such key; allowed: width
    """
    return "; ".join(_keyword(detail, keys_at(model, detail["loc"])) for detail in details(error))


def details(error: ValidationError) -> list[ErrorDetails]:
    """What `error` says, one item for each mistake.

    Pydantic calls a list too short, too, when it holds enough items of which some are wrong; that
    follows from the other mistakes and is left out.
    """
    return [
        detail
        for detail in error.errors(include_url=False)
        if detail["type"] != "too_short" or len(detail["input"]) < detail["ctx"]["min_length"]
    ]


def sentence(detail: ErrorDetails, keys: Sequence[str]) -> str:
    """One of pydantic's error details without its place.

    Parameters
    ----------
    detail
        An item of `ValidationError.errors`.
    keys
        Those that may stand where the value stands, or beside it if it is a key itself.
    """
    message = _message(detail, keys)
    return f"{short(detail['input'])}: {message}" if _shows_value(detail) else message


def _keyword(detail: ErrorDetails, keys: Sequence[str]) -> str:
    field, message = dotted(detail["loc"]), _message(detail, keys)
    if not field:
        return message
    if detail["type"] == "missing":
        return f"{field} {message}"
    return f"{field}={short(detail['input'])}: {message}"


def _message(detail: ErrorDetails, keys: Sequence[str]) -> str:
    kind, value = detail["type"], detail["input"]
    if kind == "missing":
        return "is missing: add it"
    if kind == "extra_forbidden":
        hint = did_you_mean(str(detail["loc"][-1]), keys)
        return f"there is no such key; {hint}allowed: {', '.join(keys)}"
    if kind in {"model_type", "model_attributes_type", "dataclass_type"}:
        return f"must be keys and values; allowed keys: {', '.join(keys)}"
    if kind == "tuple_type":
        return "must be a list"
    if kind == "string_type" and isinstance(value, bool | int | float):
        return "must be text: put it in quotes"
    if kind == "too_short":
        return f"is too short: give at least {detail['ctx']['min_length']}"
    if value is None:
        return "has no value: give it one, or leave the key out"
    message = detail["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    return _ENUM_MEMBER.sub(r"\1", message)


def _shows_value(detail: ErrorDetails) -> bool:
    kind, value = detail["type"], detail["input"]
    if kind in {"missing", "extra_forbidden"} or value is None:
        return False
    if kind in {"tuple_type", "too_short", "model_type", "model_attributes_type", "dataclass_type"}:
        return True
    # A rule about several fields names their values itself, and so does an error of ours.
    is_whole = not detail["loc"] or isinstance(value, Mapping | BaseModel | list | tuple)
    return not is_whole and not isinstance(detail.get("ctx", {}).get("error"), MonitorError)


def keys_at(model: type[BaseModel], path: KeyPath) -> list[str]:
    """The keys that may stand at `path` below `model`, or beside its last part, as in YAML."""
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
