"""Segments: the values of a metadata column as text."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from monitor.errors import InvalidInputError
from monitor.pipeline.reading import segment_values


@pytest.mark.parametrize(
    ("dtype", "cells", "expected"),
    [
        ("string", ["a", pd.NA], ["a", "(empty)"]),
        ("Int64", [1, pd.NA], ["1", "(empty)"]),
        ("boolean", [True, pd.NA], ["True", "(empty)"]),
        ("category", ["a", None], ["a", "(empty)"]),
        ("object", ["a", pd.NA, pd.NaT, None, np.nan, " "], ["a"] + ["(empty)"] * 5),
    ],
)
def test_an_empty_cell_is_a_segment_of_its_own(dtype, cells, expected):
    frame = pd.DataFrame({"country": pd.Series(cells, dtype=dtype)})
    assert segment_values(frame, "country").tolist() == expected


@pytest.mark.parametrize("kind", [pl.DataFrame, pa.table])
def test_other_frames_have_the_same_segments(kind):
    frame = kind({"country": ["a", None, "b"]})
    assert segment_values(frame, "country").tolist() == ["a", "(empty)", "b"]


@pytest.mark.parametrize("cell", [np.array([1.0, 2.0]), [1.0, 2.0], {"a": 1}])
def test_a_column_of_vectors_is_no_segment(cell):
    frame = pd.DataFrame({"vector": pd.Series([None, cell], dtype=object)})
    with pytest.raises(InvalidInputError, match=r"'vector' holds .*, not single values"):
        segment_values(frame, "vector")


def test_a_key_is_no_segment():
    with pytest.raises(InvalidInputError, match="201 different values"):
        segment_values(pd.DataFrame({"id": range(201)}), "id")
