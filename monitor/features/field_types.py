"""What the fields of a feature accept: names, counts, centroids, plain settings."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, NoReturn

import numpy as np
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    InstanceOf,
    PlainSerializer,
    Strict,
    WithJsonSchema,
)

from monitor.validation import short

MIN_CLUSTERS: Final = 2
# No limit of principle: beyond it a histogram has more bins than windows have rows, and fitting
# takes hours. It stops a slip such as one million.
MAX_CLUSTERS: Final = 100_000
_MAX_SEED: Final = 2**32 - 1  # numpy's and scikit-learn's
_MAX_FLOAT32: Final = float(np.finfo(np.float32).max)

Rows = tuple[tuple[float, ...], ...]


def whole_number(value: object) -> int:
    """`value` as an int, from 7, 7.0 or '7'; never from True or 2.5.

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> whole_number("7"), whole_number(2.0)
    (7, 2)
    """
    if isinstance(value, (bool, np.bool_)):
        raise ValueError("must be a whole number, not true or false")
    try:
        number: Any = float(value) if isinstance(value, str) else value
        if isinstance(number, (float, np.floating)) and float(number).is_integer():
            return int(number)
        return operator.index(number)
    except (TypeError, ValueError) as error:
        raise ValueError("must be a whole number, such as 5") from error


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty or blank; give it a name")
    return value


def _cluster_count(value: object) -> int | None:
    if value is None:
        return None
    number = whole_number(value)
    if number < MIN_CLUSTERS:
        raise ValueError(
            f"must be at least {MIN_CLUSTERS}, since one cluster has no histogram to compare; "
            "None chooses the number from the data"
        )
    if number > MAX_CLUSTERS:
        raise ValueError(
            f"must be at most {MAX_CLUSTERS:,}: with more clusters than rows in a window no drift "
            "can be seen; 5 to 100 is usual, and None chooses the number from the data"
        )
    return number


def _tag_count(value: object) -> int:
    number = whole_number(value)
    if number < 1:
        raise ValueError("must be at least 1")
    return number


def _seed(value: object) -> int:
    number = whole_number(value)
    if not 0 <= number <= _MAX_SEED:
        raise ValueError(f"must be from 0 to {_MAX_SEED:,}, as numpy's seeds are")
    return number


def _centroids(value: object) -> Rows | None:
    """A matrix of finite numbers as nested tuples, exactly as given."""
    if value is None:
        return None
    rows = _listed(value)
    if not isinstance(rows, Sequence) or isinstance(rows, (str, bytes)):
        raise ValueError("must be a list of rows of numbers, one row for each cluster")
    matrix = tuple(_row(index, row) for index, row in enumerate(rows))
    widths = sorted({len(row) for row in matrix})
    if not matrix or widths[0] == 0:
        raise ValueError("must not be empty; leave it out to have the centroids fitted")
    if len(widths) > 1:
        raise ValueError(
            f"is ragged: rows have {' and '.join(map(str, widths))} numbers; "
            "every row must have as many as the vectors"
        )
    return matrix


def _row(index: int, row: object) -> tuple[float, ...]:
    numbers = _listed(row)
    if not isinstance(numbers, Sequence) or isinstance(numbers, (str, bytes)):
        raise ValueError(f"must hold rows of numbers, but row {index} is {short(row)}")
    return tuple(_number(index, number) for number in numbers)


def _number(index: int, number: object) -> float:
    if isinstance(number, bool) or not isinstance(number, (int, float, np.integer, np.floating)):
        raise ValueError(f"must be numbers, but row {index} holds {short(number)}")
    try:
        as_float = float(number)
    except OverflowError:
        as_float = math.inf
    # Vectors are float32: a centroid that overflows there is at no distance from anything.
    if not abs(as_float) <= _MAX_FLOAT32:
        raise ValueError(f"must be finite float32 numbers, but row {index} holds {short(number)}")
    return as_float


def _listed(value: Any) -> Any:
    """Arrays and tensors as lists; all else as it is."""
    return np.asarray(value).tolist() if hasattr(value, "__array__") else value


class FrozenDict(dict[str, Any]):
    """A dictionary that does not change and can be hashed.

    Examples
    --------
    >>> FrozenDict(a=1)["a"]
    1
    """

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a feature's config does not change; make a new feature")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[str, Any]]]:
        return type(self), (dict(self),)


def _settings(value: object) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError("must be a mapping of names to plain JSON values")
    return _frozen(value)


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        bad = [key for key in value if not isinstance(key, str)]
        if bad:
            raise ValueError(f"must have texts for keys, not {short(bad[0])}")
        return FrozenDict({key: _frozen(inner) for key, inner in value.items()})
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(inner) for inner in value)
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError(f"must hold plain JSON values, not {short(value)}")


def _thawed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _thawed(inner) for key, inner in value.items()}
    return [_thawed(inner) for inner in value] if isinstance(value, tuple) else value


Name = Annotated[
    str, Strict(), AfterValidator(_not_blank), Field(json_schema_extra={"minLength": 1})
]
ClusterCount = Annotated[
    int | None,
    BeforeValidator(_cluster_count),
    Field(json_schema_extra={"minimum": MIN_CLUSTERS, "maximum": MAX_CLUSTERS}),
]
TagCount = Annotated[int, BeforeValidator(_tag_count), Field(json_schema_extra={"minimum": 1})]
Seed = Annotated[int, BeforeValidator(_seed), Field(json_schema_extra={"minimum": 0})]
Centroids = Annotated[Rows | None, BeforeValidator(_centroids)]
Settings = Annotated[
    InstanceOf[FrozenDict],
    BeforeValidator(_settings),
    PlainSerializer(_thawed, return_type=dict[str, Any]),
    WithJsonSchema({"type": "object"}),
]
