"""What is kept of rows adds up: in any order of merging the same as in one pass, to the bit."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import reduce

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import monitor
from monitor import frames
from monitor.pipeline import gathered as gathered_module
from monitor.pipeline.pieces import Gatherer
from monitor.pipeline.spread import gathered_by_workers
from monitor.rules import RunRules
from monitor.windows import Every
from tests.embedding.cutting import CuttingExecutor
from tests.pipeline.test_pieces import PHOTOS, START, table

N = 120


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    """Rows of three days in any order, with failures, copies, a wrong clock, and one without a time."""
    made = table(N, 5, days=3, moved=20).sample(frac=1, random_state=0)
    made.loc[4, "ts"] = START - (START - START.replace(year=2001))
    made.loc[17, "ts"] = None
    return frames.as_arrow(made.reset_index(drop=True))


@pytest.fixture(scope="module")
def baseline() -> monitor.Baseline:
    return monitor.fit_baseline(
        table(200, 1), PHOTOS, explain_columns=["camera"], learn_changes=False, vocabulary=()
    )


@pytest.fixture(scope="module", params=["whole", "by day"])
def gatherer(request, baseline) -> Gatherer:
    if request.param == "whole":
        return Gatherer([baseline], RunRules(segment_column="country"), "ts", None)
    return Gatherer([baseline], RunRules(every=Every.parse("1d")), "ts", None)


@pytest.fixture(autouse=True, scope="module")
def _few() -> Iterator[None]:
    """Fewer rows are kept than there are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gathered_module, "MOST_SHOWN", 30)
        patch.setattr(gathered_module, "MOST_HELD", 40)
        patch.setattr(gathered_module, "LEAST_SHOWN", 5)
        yield


def plain(value: object) -> object:
    """A value as lists and texts, which tell whether two are the same to the bit."""
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.shape, value.tobytes()]
    if is_dataclass(value):
        return [plain(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, dict):
        return [(key, plain(of)) for key, of in value.items()]
    return [plain(of) for of in value] if isinstance(value, list | tuple) else value


def told(gatherer: Gatherer, gathered: gathered_module.Gathered) -> object:
    """All that reports are made from."""
    (feature,) = gathered.features.values()
    drawn = gatherer.drawn(feature)
    windows = [
        [window.n_rows, window.failures, window.sketch(has_quality=True), window.facts(["camera"])]
        for by_name in (feature.windows, feature.parts)
        for _, window in sorted(by_name.items())
    ]
    return plain(
        [
            *gathered.times.spans(gatherer.rules.grid, None),
            dict(gathered.segments),
            sorted(feature.windows),
            sorted(feature.parts),
            windows,
            {number: of_window.to_pylist() for number, of_window in drawn.items()},
        ]
    )


@pytest.fixture(scope="module")
def expected(gatherer, rows) -> object:
    return told(gatherer, gatherer.gathered([rows]))


@settings(max_examples=8, deadline=None)
@given(
    edges=st.lists(st.integers(0, N), max_size=5),
    order=st.lists(st.integers(0, 4), min_size=5, max_size=5),
)
def test_any_cut_merged_in_any_order_is_one_pass(gatherer, rows, expected, edges, order):
    starts = [0, *sorted(edges)]
    parts = [
        gatherer.gathered([rows.slice(start, stop - start)], start)
        for start, stop in zip(starts, [*starts[1:], N], strict=True)
    ]
    for at in order[: len(parts) - 1]:
        at %= len(parts) - 1
        parts[at].merge(parts.pop(at + 1))
    assert told(gatherer, parts[0]) == expected


def test_nothing_changes_nothing(gatherer, rows, expected):
    parts = [gatherer.nothing(), gatherer.gathered([rows]), gatherer.nothing()]
    assert told(gatherer, reduce(_merged, parts)) == expected


def _merged(first, second):
    first.merge(second)
    return first


@dataclass(frozen=True)
class Slice:
    """Some of the rows, for a worker."""

    rows: pa.Table
    first: int
    is_here: bool = True

    def tables(self) -> Iterator[pa.Table]:
        yield self.rows.slice(0, 7)
        yield self.rows.slice(7)


def test_workers_send_sums_and_then_the_rows_that_were_drawn(gatherer, rows, monkeypatch):
    executor = CuttingExecutor()
    baseline = gatherer.baselines[0]
    expected = gatherer.rows(gatherer.gathered([rows])).feature(baseline)
    bare = Gatherer(gatherer.baselines, gatherer.rules, "ts", None, keeps_rows=False)
    pieces = [Slice(rows.slice(first, 50), first) for first in range(0, N, 50)]
    made = gathered_by_workers(pieces, bare, executor).feature(baseline)
    assert made.examples.frame.equals(expected.examples.frame)
    assert made.examples.frame.num_rows < 60
    for mine, theirs in zip(made.windows, expected.windows, strict=True):
        assert plain(mine) == plain(theirs)
    assert [value for value, _ in made.segments] == [value for value, _ in expected.segments]
    unseen = [*pieces[:1], Slice(rows, 50, is_here=False)]
    assert gathered_by_workers(unseen, bare, executor) is None
    # Of a piece with more segments than are counted, who reads all rows may count others.
    monkeypatch.setattr(gathered_module, "MOST_SEGMENTS", 2)
    has_segments = gatherer.rules.segment_column is not None
    assert (gathered_by_workers(pieces, bare, executor) is None) == has_segments
