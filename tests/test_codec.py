"""The codec: what is written is read again, and what does not fit is refused."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load, save

from monitor.codec import (
    FormatMismatch,
    Lengths,
    Mismatch,
    Shape,
    from_plain,
    from_safetensors,
    to_plain,
    to_safetensors,
)

FORMAT = "test/1"


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, eq=False)
class Part:
    values: Annotated[NDArray[np.float64], Shape("_n")]
    counts: Annotated[NDArray[np.int64], Shape("_n", "width")]


@dataclass(frozen=True, eq=False)
class Whole:
    name: str
    centre: Annotated[NDArray[np.float32], Shape("width", finite=False)]
    part: Annotated[Part, Lengths(_n="width")]
    pair: Annotated[Part, Lengths(_n=2)]
    parts: Mapping[str, Part]
    share: float
    colour: Colour
    kind: Literal["a", "b"]
    at: dt.datetime
    pixels: Annotated[NDArray[np.int64], Shape(None, "width")] | None = None
    known: frozenset[str] | None = None
    span: tuple[str, int] = ("", 0)
    is_new: bool = False
    anything: Any = None


def part(n: int, width: int = 3) -> Part:
    return Part(np.linspace(0, 1, n), np.arange(n * width).reshape(n, width))


def whole(**changes: Any) -> Whole:
    return replace(
        Whole(
            name="\ud83d ü",
            centre=np.array([1, np.nan, np.inf], dtype=np.float32),
            part=part(3),
            pair=part(2),
            parts={"a.b": part(5), "": part(1)},
            share=0.1,
            colour=Colour.BLUE,
            kind="b",
            at=dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
            known=frozenset({"b", "a"}),
            anything={"deep": [1, {"x": None}]},
        ),
        **changes,
    )


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Whole | Part):
        return all(same(value, getattr(other, name)) for name, value in vars(one).items())
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(
            one, other, equal_nan=one.dtype.kind == "f"
        )
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


@pytest.mark.parametrize(
    "changes", [{}, {"pixels": np.ones((4, 3), dtype=np.int64), "known": None}]
)
def test_nothing_is_lost(changes: dict[str, Any]) -> None:
    value = whole(**changes)
    text = json.dumps(to_plain(value), allow_nan=False)
    assert same(from_plain(json.loads(text), Whole), value)
    again, header = from_safetensors(
        to_safetensors(value, {"format": FORMAT, "id": "x"}), Whole, FORMAT
    )
    assert same(again, value)
    assert header == {"format": FORMAT, "id": "x"}


@given(st.floats(), st.text(), st.lists(st.floats(width=32), min_size=3, max_size=3))
def test_any_number_and_any_text(share: float, name: str, centre: list[float]) -> None:
    value = whole(share=share, name=name, centre=np.array(centre, dtype=np.float32))
    plain = json.loads(json.dumps(to_plain(value), allow_nan=False))
    again = from_plain(plain, Whole)
    assert again.name == name
    assert again.share == share or (math.isnan(again.share) and math.isnan(share))
    np.testing.assert_array_equal(again.centre, value.centre)


def test_the_arrays_are_tensors_that_others_can_read(tmp_path: Any) -> None:
    (tmp_path / "file").write_bytes(to_safetensors(whole(), {"format": FORMAT}))
    with safe_open(tmp_path / "file", framework="numpy") as file:
        np.testing.assert_array_equal(file.get_tensor("parts.0.counts"), part(5).counts)
        assert json.loads(file.metadata()["monitor"])["content"]["name"] == "\ud83d ü"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, "Whole.name is '3', expected str"),
        ({"share": "much"}, "Whole.share is 'much', expected int or float"),
        ({"share": True}, "Whole.share is 'True', expected int or float"),
        ({"share": 10**400}, "Whole.share is larger than any number"),
        ({"colour": "green"}, "'green' is not a valid Colour"),
        ({"kind": "c"}, r"Whole.kind is 'c', expected one of \('a', 'b'\)"),
        ({"at": "soon"}, "Whole.at: Invalid isoformat"),
        ({"is_new": 1}, "Whole.is_new is '1', expected true or false"),
        ({"span": ["a"]}, "Whole.span has 1 entries, expected 2"),
        ({"span": ["a", 2, 3]}, "Whole.span has 3 entries, expected 2"),
        ({"known": "ab"}, "Whole.known is 'ab', expected list"),
        ({"parts": [1]}, r"Whole.parts is '\[1\]', expected dict"),
        ({"parts": {"x": {}}}, "Whole.parts.x lacks values, counts"),
        ({"other": 1}, "Whole has unknown fields other"),
        ({"centre": [1, 2]}, r"Whole.part.values has shape \(3,\), expected \(2,\)"),
        ({"centre": [[1, 2]]}, r"Whole.centre has shape \(1, 2\), expected \('width',\)"),
        ({"pixels": [[1, 2, 3], [1]]}, "Whole.pixels has rows of different lengths"),
        ({"pixels": [[1, 2, 2**70]]}, "Whole.pixels holds a number beyond 64 bits"),
        ({"pixels": [[1, 2, 0.5]]}, "Whole.pixels is '0.5', expected int"),
        ({"pair": to_plain(part(3))}, r"Whole.pair.values has shape \(3,\), expected \(2,\)"),
        (
            {"parts": {"x": to_plain(Part(np.zeros(2), np.zeros((1, 3), dtype=int)))}},
            r"Whole.parts.x.counts has shape \(1, 3\), expected \(2, 3\)",
        ),
        (
            {"parts": {"x": to_plain(Part(np.full(1, np.nan), np.zeros((1, 3), dtype=int)))}},
            "Whole.parts.x.values holds NaN or infinity",
        ),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Mismatch, match=message):
        from_plain(to_plain(whole()) | change, Whole)


def test_a_file_that_does_not_fit_is_refused() -> None:
    good = to_safetensors(whole(), {"format": FORMAT})
    with pytest.raises(FormatMismatch, match="its format is 'test/1', expected 'test/2'"):
        from_safetensors(good, Whole, "test/2")
    with pytest.raises(FormatMismatch, match="its format is 'None'"):
        from_safetensors(save({"a": np.zeros(3)}), Whole, FORMAT)
    with pytest.raises(Mismatch, match=r"whole\.share is nan"):
        from_safetensors(to_safetensors(whole(share=math.nan), {"format": FORMAT}), Whole, FORMAT)
    described = {"format": FORMAT, "content": to_plain(whole()) | {"centre": "centre"}}
    lacking = save(load(good) | {"more": np.zeros(1)}, metadata={"monitor": json.dumps(described)})
    with pytest.raises(Mismatch, match=r"whole\.part\.values is '"):
        from_safetensors(lacking, Whole, FORMAT)


def test_no_damage_gives_anything_but_a_mismatch() -> None:
    good = to_safetensors(whole(), {"format": FORMAT})
    rng = np.random.default_rng(0)
    n_refused = 0
    for _ in range(400):
        bad = bytearray(good)
        for at in rng.integers(len(bad), size=rng.integers(1, 4)):
            bad[at] = rng.integers(256)
        try:
            from_safetensors(bytes(bad[: rng.integers(len(bad) // 2, len(bad) + 1)]), Whole, FORMAT)
        except Mismatch:
            n_refused += 1
    assert n_refused > 300
