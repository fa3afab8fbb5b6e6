"""The image tower in 8 bits: how close, what it is not for, and that it is told apart."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from monitor.encoders import EncoderSpec, load_encoder
from monitor.errors import EncoderError, MissingExtraError
from monitor.testing import pictures

from .tiny import VIT, write_model

pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
pytest.importorskip("onnx", reason="the extra onnx is not installed")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"local-dir:{write_model(tmp_path_factory.mktemp('models') / 'vit', VIT)}"


def spec(model: str, precision: str) -> EncoderSpec:
    return EncoderSpec(handler="open_clip", model=model, precision=precision, device="cpu")


def test_vectors_are_close_alike_in_any_batch_and_told_apart(
    model: str, caplog: pytest.LogCaptureFixture
) -> None:
    exact, small = (load_encoder(spec(model, precision)) for precision in ("float32", "int8"))
    images = pictures(7)
    vectors = small.encode_images(images)
    cosine = (vectors * exact.encode_images(images)).sum(axis=1)
    # The tiny tower has 32 numbers to average an error out over, where ViT-B-32 has 768.
    assert 0.999 < cosine.min() < 1 - 1e-7
    alone = np.concatenate([small.encode_images([image]) for image in images])
    np.testing.assert_array_equal(vectors, alone)
    assert not caplog.records
    assert small.fingerprint != exact.fingerprint
    np.testing.assert_allclose(small.encode_texts(["a"]), exact.encode_texts(["a"]), atol=1e-6)


def test_convolutions_are_refused() -> None:
    with pytest.raises(EncoderError, match=r"vision transformers; 'compact' .* in convolutions"):
        load_encoder(spec("compact", "int8"))


def test_of_sentence_transformers_is_refused() -> None:
    described = EncoderSpec(handler="sentence_transformers", model="m", precision="int8")
    with pytest.raises(EncoderError, match="int8' is for open_clip models"):
        load_encoder(described)


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    folder = write_model(tmp_path / "vit", VIT, seed=1)
    with pytest.raises(MissingExtraError, match=r"embedding-monitor\[onnx\]"):
        load_encoder(spec(f"local-dir:{folder}", "int8"))
