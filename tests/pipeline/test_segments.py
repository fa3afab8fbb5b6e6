"""Segments: the values of a metadata column as text."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import monitor
from monitor.errors import InvalidInputError
from monitor.images.quality import QUALITY_FIELDS
from monitor.pipeline.rows import Segments, category_values, read_quality, segment_values


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
        category_values(frame, "vector")
    # A production that turns to lists is told in a note, and all the rest is judged.
    assert segment_values(frame, "vector").tolist() == ["(empty)", "(not one value)"]


def test_one_list_among_values_is_a_segment_of_its_own():
    frame = pd.DataFrame({"country": pd.Series(["a", ["a", "b"], "b"], dtype=object)})
    assert segment_values(frame, "country").tolist() == ["a", "(not one value)", "b"]


def test_a_key_is_no_segment():
    frame = pd.DataFrame({"id": range(201)})
    with pytest.raises(InvalidInputError, match="201 different values in 201 rows"):
        Segments.read(frame, "id").refuse_key()


def test_of_many_values_the_known_and_the_frequent_are_segments():
    frame = pd.DataFrame({"country": [f"c{i:03}" for i in range(300)] * 2 + ["c290"] * 5})
    found = Segments.read(frame, "country", known={"c250"})
    assert len(found.names) == 200
    assert found.n_left_out == 100
    assert {"c250", "c290", "c000", "c197"} <= set(found.names)
    assert "c198" not in found.names
    is_kept = frame.country.isin(found.names)
    assert found.values[is_kept].tolist() == frame.country[is_kept].tolist()
    assert set(found.values[~is_kept]) == {None}
    found.refuse_key()


def test_pixel_statistics_of_another_version_are_told():
    photos = monitor.ImageEmbedding(name="photos", source_column="u", column="v", model="compact")
    width = len(QUALITY_FIELDS)
    same = pd.DataFrame({"v_quality": [np.ones(width, np.float32), None]})
    assert read_quality(same, photos).shape == (2, width)
    with pytest.warns(UserWarning, match=rf"'v_quality' has {width - 1} pixel .* takes {width}:"):
        measured = read_quality(same.map(lambda cell: None if cell is None else cell[1:]), photos)
    assert np.isnan(measured).all()
