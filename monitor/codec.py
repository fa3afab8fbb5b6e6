"""Frozen dataclasses ─► JSON, safetensors, and back: a field is written once, where it is declared.

A field's type says how its value is written, and what is believed when it is read: numbers, text, enums,
`Literal`, instants, tuples, frozen sets, mappings from text, other dataclasses, `| None` of these, and
numpy arrays with their shapes: `Annotated[NDArray[np.float32], Shape("clusters", "width")]`.

In JSON, instants are ISO 8601 in UTC, NaN is null, an infinite number is the text "Infinity" or
"-Infinity", and arrays are lists. In safetensors the arrays are tensors, and everything else is JSON in the
file's metadata, with the tensors' names where the arrays were. Nothing is ever unpickled.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)  # fmt: skip

import numpy as np
from numpy.typing import NDArray

Kind = TypeVar("Kind")

_METADATA: Final = "monitor"
_INFINITE: Final = {"Infinity": math.inf, "-Infinity": -math.inf}
_LONGEST_SHOWN: Final = 40


class Mismatch(ValueError):
    """A value that does not fit its field; the message says where and what."""


class FormatMismatch(Mismatch):
    """A document of another kind or version."""


@dataclass(frozen=True, init=False)
class Shape:
    """The lengths of an array, beside its type: `Annotated[NDArray[np.int64], Shape("clusters", 3)]`.

    Parameters
    ----------
    lengths
        For each axis a number, None for any length, or a name. Axes of one name are equally long wherever
        in a document they stand; of a name with a leading underscore, wherever in one object.
    finite
        Whether NaN and infinity are refused.
    """

    lengths: tuple[int | str | None, ...]
    finite: bool

    def __init__(self, *lengths: int | str | None, finite: bool = True) -> None:
        object.__setattr__(self, "lengths", lengths)
        object.__setattr__(self, "finite", finite)


@dataclass(frozen=True, init=False)
class Lengths:
    """What an object's own names of lengths are: `Annotated[Overdispersion, Lengths(_categories=2)]`."""

    of: Mapping[str, int | str]

    def __init__(self, **of: int | str) -> None:
        object.__setattr__(self, "of", of)


def to_plain(value: Any) -> Any:
    """`value` in what JSON knows: dictionaries, lists, text, numbers, booleans and None."""
    return _encode(value, None, "")


def from_plain(plain: Any, kind: type[Kind], where: str | None = None) -> Kind:
    """The value of type `kind` that `to_plain` turned into `plain`; `where` names it in errors.

    Raises
    ------
    Mismatch
        If they do not fit.
    """
    value: Kind = _Reader(None).read(plain, kind, where or kind.__name__)
    return value


def to_parts(value: Any) -> tuple[Any, dict[str, NDArray[Any]]]:
    """`value` in plain values with the names of its arrays in their places, and the arrays by name."""
    arrays: dict[str, NDArray[Any]] = {}
    return _encode(value, arrays, ""), arrays


def to_safetensors(value: Any, header: Mapping[str, str]) -> bytes:
    """`value` as a safetensors file, with what `header` says of it beside it, such as its format."""
    from safetensors.numpy import save

    plain, arrays = to_parts(value)
    document = {**header, "content": plain}
    return bytes(save(arrays, metadata={_METADATA: json.dumps(document, allow_nan=False)}))


def from_safetensors(
    file: bytes, kind: type[Kind], expected_format: str
) -> tuple[Kind, dict[str, str]]:
    """The value of type `kind` that `to_safetensors` wrote, and its header.

    Numbers must be finite, but for those of arrays that say otherwise.

    Raises
    ------
    FormatMismatch
        If the header's `format` is another one.
    Mismatch
        If the file is no such file, or its content does not fit `kind`.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(file)
        # The file begins with the length of its JSON header, in 8 bytes; `load` has checked them.
        described = json.loads(file[8 : 8 + int.from_bytes(file[:8], "little")])
        document = json.loads(described.get("__metadata__", {}).get(_METADATA, "{}"))
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise Mismatch(f"{type(error).__name__}: {error}") from error
    document = _expect(document, dict, "the description")
    if document.get("format") != expected_format:
        raise FormatMismatch(
            f"its format is {_shown(document.get('format'))}, expected {expected_format!r}"
        )
    reader = _Reader(arrays)
    value: Kind = reader.read(document.pop("content", None), kind, kind.__name__.lower())
    if arrays:
        raise Mismatch(f"it has unknown arrays {', '.join(sorted(arrays))}")
    return value, {name: _expect(text, str, name) for name, text in document.items()}


def _encode(value: Any, arrays: dict[str, NDArray[Any]] | None, name: str) -> Any:
    """`value` in plain values; its arrays go to `arrays`, if given, under the names of their fields."""

    def inside(item: Any, key: object) -> Any:
        return _encode(item, arrays, f"{name}.{key}" if name else str(key))

    if dataclasses.is_dataclass(value):
        return {f.name: inside(getattr(value, f.name), f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): inside(item, i) for i, (key, item) in enumerate(value.items())}
    if isinstance(value, frozenset):
        value = sorted(value)
    if isinstance(value, tuple | list):
        return [inside(item, i) for i, item in enumerate(value)]
    if isinstance(value, np.ndarray) and arrays is not None:
        arrays[name] = np.ascontiguousarray(value)
        return name
    if isinstance(value, np.ndarray | np.generic):
        return inside(value.tolist(), "")
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
    return get_type_hints(kind, include_extras=True)


class _Reader:
    """Plain values ─► typed ones, of one document.

    Parameters
    ----------
    arrays
        The document's arrays by name, from which each is taken once; None where arrays are lists.
    """

    def __init__(self, arrays: dict[str, NDArray[Any]] | None) -> None:
        self.arrays = arrays
        self.shared: dict[str, int] = {}
        # Lengths that have one name in the whole document, and in each object that is being read.
        self.own: list[dict[str, int]] = [{}]
        self.renamed: list[Mapping[str, int | str]] = [{}]

    def read(self, value: Any, kind: Any, where: str, marks: tuple[Any, ...] = ()) -> Any:
        """`value` as the type `kind`; `where` names it in an error, `marks` are those of `Annotated`."""
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self.read(value, inner[0], where, inner[1:])
        if origin in (Union, UnionType):
            (present,) = (option for option in inner if option is not NoneType)
            return None if value is None else self.read(value, present, where, marks)
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            return self._object(value, kind, where, marks)
        if origin is Literal:
            if value not in inner:
                raise Mismatch(f"{where} is {_shown(value)}, expected one of {inner}")
            return value
        if origin is tuple:
            return self._tuple(_expect(value, list, where), inner, where)
        if origin is frozenset:
            items = _expect(value, list, where)
            return frozenset(self.read(item, inner[0], where) for item in items)
        if origin is np.ndarray:
            return self._array(value, get_args(inner[1])[0], where, marks)
        if origin is not None and issubclass(origin, Mapping):
            items = _expect(value, dict, where).items()
            return {key: self.read(item, inner[1], f"{where}.{key}") for key, item in items}
        if kind is Any:
            return value
        return self._scalar(value, kind, where)

    def _object(self, value: Any, kind: type, where: str, marks: tuple[Any, ...]) -> Any:
        saved = _expect(value, dict, where)
        fields = dataclasses.fields(kind)
        if unknown := sorted(set(saved) - {f.name for f in fields}):
            raise Mismatch(f"{where} has unknown fields {', '.join(unknown)}")
        if missing := [f.name for f in fields if f.name not in saved and _has_no_default(f)]:
            raise Mismatch(f"{where} lacks {', '.join(missing)}")
        hints = _hints(kind)
        self.own.append({})
        self.renamed.append(next((mark.of for mark in marks if isinstance(mark, Lengths)), {}))
        names = [f.name for f in fields if f.name in saved]
        values = {name: self.read(saved[name], hints[name], f"{where}.{name}") for name in names}
        self.own.pop()
        self.renamed.pop()
        return kind(**values)

    def _tuple(self, items: list[Any], inner: tuple[Any, ...], where: str) -> tuple[Any, ...]:
        kinds = inner[:1] * len(items) if inner[-1] is ... else inner
        if len(items) != len(kinds):
            raise Mismatch(f"{where} has {len(items)} entries, expected {len(kinds)}")
        return tuple(
            self.read(item, kind, f"{where}[{i}]")
            for i, (item, kind) in enumerate(zip(items, kinds, strict=True))
        )

    def _array(
        self, value: Any, kind: type[np.generic], where: str, marks: tuple[Any, ...]
    ) -> NDArray[Any]:
        shape = next((mark for mark in marks if isinstance(mark, Shape)), Shape(None))
        array = self._taken(value, np.dtype(kind), where)
        if array.dtype != kind:
            raise Mismatch(f"{where} holds {array.dtype}, expected {np.dtype(kind)}")
        lengths = shape.lengths
        if array.ndim == len(lengths):
            pairs = zip(lengths, array.shape, strict=True)
            lengths = tuple(self._length(name, n) for name, n in pairs)
        if array.shape != lengths:
            raise Mismatch(f"{where} has shape {array.shape}, expected {lengths}")
        if shape.finite and array.dtype.kind == "f" and not np.isfinite(array).all():
            raise Mismatch(f"{where} holds NaN or infinity")
        return array

    def _taken(self, value: Any, dtype: np.dtype[Any], where: str) -> NDArray[Any]:
        if self.arrays is None:
            return _from_lists(value, dtype, where)
        if _expect(value, str, where) not in self.arrays:
            raise Mismatch(f"{where} lacks its array {_shown(value)}")
        return self.arrays.pop(value)

    def _length(self, name: int | str | None, n: int) -> int:
        """How long an axis of `name` is to be: as long as the first of that name, which may be this, `n`."""
        name = self.renamed[-1].get(name, name) if isinstance(name, str) else name
        if not isinstance(name, str):
            return n if name is None else name
        return (self.own[-1] if name.startswith("_") else self.shared).setdefault(name, n)

    def _scalar(self, value: Any, kind: type, where: str) -> Any:
        if kind is float:
            number = _number(value, where)
            if self.arrays is not None and not math.isfinite(number):
                raise Mismatch(f"{where} is {number}")
            return number
        if kind is bool:
            if not isinstance(value, bool):
                raise Mismatch(f"{where} is {_shown(value)}, expected true or false")
            return value
        try:
            if issubclass(kind, dt.datetime):
                return _in_utc(dt.datetime.fromisoformat(_expect(value, str, where)))
            if issubclass(kind, StrEnum):
                return kind(_expect(value, str, where))
        except Mismatch:
            raise
        except (ValueError, OverflowError) as error:
            raise Mismatch(f"{where}: {error}") from error
        return _expect(value, kind, where)


def _has_no_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is field.default_factory is dataclasses.MISSING


def _number(value: Any, where: str) -> float:
    if value is None:
        return math.nan
    if isinstance(value, str) and value in _INFINITE:
        return _INFINITE[value]
    try:
        return float(_expect(value, (int, float), where))
    except OverflowError as error:
        raise Mismatch(f"{where} is larger than any number of 64 bits") from error


def _from_lists(value: Any, dtype: np.dtype[Any], where: str) -> NDArray[Any]:
    def leaves(item: Any) -> Any:
        if isinstance(item, list):
            return [leaves(inside) for inside in item]
        return _expect(item, int, where) if dtype.kind == "i" else _number(item, where)

    try:
        return np.array(leaves(_expect(value, list, where)), dtype=dtype)
    except OverflowError as error:
        raise Mismatch(f"{where} holds a number beyond {dtype.itemsize * 8} bits") from error
    except ValueError as error:
        if isinstance(error, Mismatch):
            raise
        raise Mismatch(f"{where} has rows of different lengths") from error


def _expect(value: Any, kind: type | tuple[type, ...], where: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        allowed = kind if isinstance(kind, tuple) else (kind,)
        names = " or ".join(option.__name__ for option in allowed)
        raise Mismatch(f"{where} is {_shown(value)}, expected {names}")
    return value


def _shown(value: Any) -> str:
    return repr(str(value)[:_LONGEST_SHOWN])
