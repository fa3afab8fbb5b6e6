"""A baseline's file: what is damaged gives an error of ours, and no verdict."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load, save

from monitor.clusters import (
    Baseline,
    Clustering,
    Example,
    RowMetadata,
    RowWindows,
    fit,
    fit_quality,
)
from monitor.errors import BaselineError

ROWS = np.random.default_rng(0).normal(size=(120, 6)) + np.eye(6)[np.arange(120) % 3] * 4
Document = dict[str, Any]
Arrays = dict[str, NDArray[Any]]


@cache
def saved() -> bytes:
    """A baseline that has everything a baseline can have, as a file."""
    shops = np.array(["a", "b"], dtype=object)[np.arange(120) % 2]
    metadata = RowMetadata(
        fingerprint="tiny:1",
        failures={"missing": 2},
        segment_column="shop",
        segments=shops,
        windows=RowWindows("1d", np.arange(120) // 12),
        columns={"page": shops},
    )
    baseline = fit(ROWS, {"name": "photo"}, Clustering(3, scaling="standard"), metadata)
    pixels = fit_quality(
        np.random.default_rng(1).normal(size=(120, 2)), ["brightness", "sharpness"]
    )
    return replace(baseline, quality=pixels).to_bytes()


def opened() -> tuple[Document, Arrays]:
    file = saved()
    header = json.loads(file[8 : 8 + int.from_bytes(file[:8], "little")])
    return json.loads(header["__metadata__"]["monitor"]), load(file)


def closed(document: Any, arrays: Arrays) -> bytes:
    return bytes(save(arrays, metadata={"monitor": json.dumps(document)}))


def test_a_file_opened_and_closed_is_the_same_baseline() -> None:
    baseline = Baseline.from_bytes(closed(*opened()))
    assert baseline.id == Baseline.from_bytes(saved()).id
    assert baseline.statistics.variation is not None
    assert baseline.quality is not None


def in_content(**changes: Any) -> Callable[[Document, Arrays], None]:
    return lambda document, arrays: document["content"].update(changes)


def array(name: str, value: NDArray[Any]) -> Callable[[Document, Arrays], None]:
    return lambda document, arrays: arrays.update({name: value})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d, a: d.update(format="monitor.baseline/3"), "is not a baseline of this version"),
        (lambda d, a: d.pop("content"), "baseline is 'None', expected dict"),
        (lambda d, a: d["content"].pop("statistics"), "baseline lacks statistics"),
        (in_content(feature={}), "it names no feature"),
        (in_content(feature=["x"]), r"baseline\.feature is .*, expected dict"),
        (in_content(quantum="far"), r"baseline\.quantum is 'far'"),
        (in_content(quantum=None), r"baseline\.quantum is nan"),
        (in_content(quantum=0), "the unit of sums is 0"),
        (in_content(fingerprint="other:1"), "was changed after it was written"),
        (in_content(n_fit=61), "was changed after it was written"),
        (
            lambda d, a: d["content"]["statistics"]["sketch"]["histogram"].update(failures={}),
            "was changed after it was written",
        ),
        (
            lambda d, a: d["content"]["columns"]["page"].update(known=["a", "c"]),
            "was changed after it was written",
        ),
        (lambda d, a: d["content"]["scaling"].update(kind="junk"), r"scaling\.kind is 'junk'"),
        (
            lambda d, a: d["content"]["scaling"].update(kind="unit"),
            "6 columns are scaled by 'unit'",
        ),
        (array("centroids", np.zeros(3, np.float32)), r"centroids has shape \(3,\)"),
        (
            array("centroids", np.zeros((2, 6), np.float32)),
            r"counts has shape \(3,\), expected \(2,",
        ),
        (
            array("centroids", np.full((3, 6), np.nan, np.float32)),
            "centroids holds NaN or infinity",
        ),
        (array("whitener", np.zeros((6, 3), np.float32)), r"whitener has shape \(6, 3\)"),
        (array("distance_edges", np.zeros(63)), "the distance edges do not rise"),
        (array("statistics.sketch.histogram.counts", np.array([-1, 2, 3])), "counts below 0"),
        (array("statistics.sketch.histogram.counts", np.ones(3)), "holds float64, expected int64"),
        (array("statistics.sketch.distance_counts", np.ones(64, int)), "of rows do not agree"),
        (array("statistics.sketch.nearness_counts", np.ones(15, int)), "of rows do not agree"),
        (array("statistics.sample", np.ones((99, 6), np.float32)), "of rows do not agree"),
        (array("statistics.mean_moments", np.full(3, np.nan)), "the moments hold NaN"),
        (array("statistics.variation.replayed.novel", np.ones(3, int)), r"expected \("),
        (array("segments.1.variation.counts", np.full((30, 3), 9)), "of windows and of rows"),
        (array("columns.0.counts", np.zeros((2, 3), int)), "column 'page' and their counts"),
        (array("quality.edges", np.zeros((1, 26), np.float32)), r"counts has shape \(2, 27\)"),
        (array("more", np.zeros(1)), "unknown arrays more"),
        (lambda d, a: a.pop("whitener"), "whitener lacks its array"),
    ],
)
def test_what_cannot_be_a_baseline_is_refused(damage: Any, message: str) -> None:
    document, arrays = opened()
    damage(document, arrays)
    with pytest.raises(BaselineError, match=message) as caught:
        Baseline.from_bytes(closed(document, arrays), "b.safetensors")
    assert str(caught.value).startswith("b.safetensors ")
    assert "fit the baseline again" in str(caught.value)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of everything in a JSON value."""
    if path:
        yield path
    entries = dict(enumerate(value)) if isinstance(value, list) else value
    for key, inside in entries.items() if isinstance(entries, dict) else ():
        yield from leaves(inside, (*path, key))


def test_whatever_is_in_the_wrong_place_gives_an_error_of_ours_or_none() -> None:
    original, arrays = opened()
    paths = [path for path in leaves(original) if path[:2] != ("content", "examples")]
    assert len(paths) > 100
    n_refused = 0
    for i, path in enumerate(paths):
        document, _ = opened()
        at = document
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = [None, -1, 10**400, "x", [], {}, [[]], 0.5, True, {"a": 1}][i % 10]
        try:
            Baseline.from_bytes(closed(document, dict(arrays)))
        except BaselineError:
            n_refused += 1
    assert n_refused > 0.95 * len(paths)


def test_examples_and_words_do_not_change_the_id() -> None:
    baseline = Baseline.from_bytes(saved())
    shown = replace(baseline, examples=((Example("row 1", None, 0.1),),) * 3, choice="three")
    assert shown.id == baseline.id
    assert Baseline.from_bytes(shown.to_bytes()).examples == shown.examples
    assert replace(baseline, most_repeated=0.5).id != baseline.id


def test_a_prompt_and_a_cell_show_little_and_nothing_acts() -> None:
    baseline = Baseline.from_bytes(saved())
    evil = replace(baseline, feature={"name": "<script>alert(1)</script>"})

    assert repr(baseline).startswith("<Baseline '")
    assert len(repr(baseline)) < 200
    html = evil._repr_html_()
    assert "<script" not in html
    assert "cluster 0" in html
    assert len(html) < 5_000
