"""Cells as vectors, numbers and texts, whatever made them."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

import monitor
from monitor import frames
from monitor.errors import InvalidFeatureError, InvalidInputError
from monitor.frames import VectorCells

VECTORS = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)


class PgVector:
    """Like pgvector's class: numpy does not know it."""

    def __init__(self, numbers):
        self.numbers = numbers

    def to_list(self):
        return [float(number) for number in self.numbers]


@pytest.mark.parametrize(
    ("cells", "tolerance"),
    [
        ([torch.tensor(v, dtype=torch.bfloat16) for v in VECTORS], 0.02),
        ([torch.tensor(v, requires_grad=True) for v in VECTORS], 0),
        ([torch.tensor(v, dtype=torch.float64) for v in VECTORS], 0),
        ([torch.tensor(VECTORS[0], dtype=torch.bfloat16), *VECTORS[1:]], 0.02),
        ([PgVector(v) for v in VECTORS], 1e-6),
    ],
)
def test_tensors_and_other_arrays(cells, tolerance):
    read = frames.read_vectors(pd.DataFrame({"v": cells}), "v")
    assert read.usable.all()
    np.testing.assert_allclose(read.matrix, VECTORS, rtol=tolerance, atol=tolerance)


def test_one_strange_tensor_stops_only_itself():
    class Broken:
        def detach(self):
            raise RuntimeError("no device")

    released = memoryview(bytearray(8))
    released.release()
    odd = [
        Broken(),
        torch.empty(4, device="meta"),
        released,
        torch.tensor([[1.0]]),
        [[1.0], [2.0, 3.0]],
    ]
    read = frames.read_vectors(pd.DataFrame({"v": [*odd, *VECTORS]}), "v")
    assert read.failures[:5].tolist() == [
        "not_numeric", "not_numeric", "not_numeric", "wrong_dimension", "not_numeric"
    ]  # fmt: skip
    np.testing.assert_array_equal(read.matrix, VECTORS)


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table])
def test_vectors_written_as_text_are_read_when_asked_for(kind):
    cells = [json.dumps([float(x) for x in v]) for v in VECTORS]
    cells[3:7] = ["[1, 2", "NA", "[1, 2]", "hello"]
    frame = kind({"v": cells})
    with pytest.raises(
        InvalidInputError, match=r"is a vector written as text: set parse_text=True"
    ):
        frames.read_vectors(frame, "v")
    read = frames.read_vectors(frame, "v", kind=VectorCells(is_text=True))
    assert read.failures[3:7].tolist() == [
        "not_numeric",
        "missing",
        "wrong_dimension",
        "not_numeric",
    ]
    np.testing.assert_allclose(read.matrix, np.delete(VECTORS, range(3, 7), axis=0), rtol=1e-6)
    words = kind({"v": ["a", "b"]})
    for cells_of in (VectorCells(), VectorCells(is_text=True)):
        with pytest.raises(InvalidInputError, match="name the column of vectors"):
            frames.read_vectors(words, "v", kind=cells_of)


def test_a_feature_of_vectors_written_as_text():
    frame = pd.DataFrame({"v": [str(v.tolist()) for v in VECTORS]})
    feature = monitor.VectorFeature(name="v", column="v", n_clusters=2, parse_text=True)
    baseline = monitor.fit_baseline(frame, feature)
    assert baseline.n_rows == len(VECTORS)
    lists = pd.DataFrame({"v": list(VECTORS)})
    as_lists = monitor.fit_baseline(lists, feature.model_copy(update={"parse_text": False}))
    np.testing.assert_allclose(baseline.centroids, as_lists.centroids, atol=1e-6)


def test_the_length_of_vectors_counts_when_asked_for():
    rng = np.random.default_rng(1)
    calm, later = (pd.DataFrame({"v": list(rng.normal(size=(400, 4)) + 1)}) for _ in range(2))
    longer = pd.DataFrame({"v": [3 * v for v in later.v]})
    for scaling, length_counts in (("unit", False), ("raw", True), ("standard", True)):
        feature = monitor.VectorFeature(name="v", column="v", n_clusters=3, scaling=scaling)
        baseline = monitor.fit_baseline(calm, feature)
        reports = [monitor.detect_drift(frame, baseline) for frame in (later, longer)]
        assert [report.has_drift for report in reports] == [False, length_counts], scaling
    zeros = pd.DataFrame({"v": [*calm.v, np.zeros(4)]})
    raw = monitor.VectorFeature(name="v", column="v", n_clusters=3, scaling="raw")
    assert monitor.fit_baseline(zeros, raw).n_rows == 401
    with pytest.raises(InvalidFeatureError, match="scaling"):
        monitor.VectorFeature(name="v", column="v", scaling="length")


def test_numbers_of_a_column_may_be_text():
    frame = pd.DataFrame({"a": ["1", " 2.5", "NA", "x", "4"], "b": [1, 2, 3, 4, None]})
    read = frames.read_columns(frame, ["a", "b"])
    assert read.failures.tolist() == [None, None, "not_finite", "not_numeric", "not_finite"]
    assert read.matrix.tolist() == [[1, 1], [2.5, 2]]
    with pytest.raises(InvalidInputError, match=r"such as '1,5'.*decimal"):
        frames.read_columns(pd.DataFrame({"a": ["1,5", "2,5"], "b": [1, 2]}), ["a", "b"])


def test_texts_are_what_can_be_written_anywhere():
    cells = ["b\ud83d", "a\0b", 300, 300.0, 1.5, True, None, " ", [1], "\U0001f600"]
    frame = pd.DataFrame({"t": pd.Series(cells, dtype=object)})
    assert frames.read_texts(frame, "t") == [
        "b\ufffd", "a\ufffdb", "300", "300", "1.5", "True", None, None, None, "\U0001f600"
    ]  # fmt: skip
    assert frames.as_arrow(frame)["t"].to_pylist()[0] == "b\ufffd"


def test_half_an_emoji_in_a_segment_is_reported_everywhere(tmp_path):
    def rows(n, seed):
        rng = np.random.default_rng(seed)
        segments = pd.Series(["a", "b\ud83d"] * (n // 2), dtype=object)
        return pd.DataFrame({"v": list(rng.normal(size=(n, 4))), "seg": segments})

    points = monitor.VectorFeature(name="points", column="v", n_clusters=3)
    base = monitor.fit_baseline(rows(400, 0), points, segment_column="seg")
    report = monitor.detect_drift(rows(100, 1), base, segment_column="seg")
    assert "b\ufffd" in report.to_frame().segment.tolist()
    report.to_markdown(tmp_path / "r.md")
    page = report.to_html(tmp_path / "r.html", thumbnails=False)
    assert "b\ufffd" in page.read_text(encoding="utf-8")


def test_columns_that_embed_writes_are_nobody_elses():
    photos = monitor.ImageEmbedding(name="photos", source_column="u", column="emb", model="compact")
    for column in ("emb_failure", "emb_quality"):
        other = monitor.VectorFeature(name="other", column=column)
        with pytest.raises(
            InvalidFeatureError, match=rf"'photos' writes the column '{column}'.*'other'"
        ):
            monitor.features.check_features([photos, other])
    twin = photos.model_copy(update={"name": "twin", "n_clusters": 3})
    monitor.features.check_features([photos, twin])
