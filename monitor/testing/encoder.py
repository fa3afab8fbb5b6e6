"""What every encoder keeps to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest
import torch

from monitor.encoders.registry import Encoder, handlers, load_encoder
from monitor.encoders.spec import EncoderSpec
from monitor.errors import InvalidInputError
from monitor.testing.fakes import pictures

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXTS = ["a red cat", "a dog", "", "a very " + "long " * 40 + "sentence"]


class EncoderContract:
    """Subclass with fixtures `spec`, of your encoder, and `other_weights`, an equal spec but for its weights.

    The handler that the specs name must be known: by an entry point of your plug-in, or by
    `monitor.encoders.register_handler`.
    """

    tolerance: ClassVar[float] = 1e-6
    """Of the cosine between two ways to the same vector, which differ by rounding."""

    @pytest.fixture
    def encoder(self, spec: EncoderSpec) -> Encoder:
        return load_encoder(spec)

    def test_is_an_encoder_of_its_spec(self, encoder: Encoder, spec: EncoderSpec) -> None:
        assert isinstance(encoder, Encoder)
        assert encoder.spec == spec

    def test_rows_are_unit_float32_of_the_stated_width(self, encoder: Encoder) -> None:
        for rows in (encoder.encode_images(pictures(5)), encoder.encode_texts(TEXTS)):
            assert rows.dtype == np.float32
            assert rows.shape[1] == encoder.width
            np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)

    def test_one_row_for_each_input(self, encoder: Encoder) -> None:
        assert len(encoder.encode_images(pictures(5))) == 5
        assert len(encoder.encode_texts(TEXTS)) == len(TEXTS)

    def test_no_input_gives_no_rows(self, encoder: Encoder) -> None:
        for rows in (encoder.encode_images([]), encoder.encode_texts([]), encoder.encode_batch([])):
            assert rows.shape == (0, encoder.width)
            assert rows.dtype == np.float32

    def test_one_text_is_no_list_of_texts(self, encoder: Encoder) -> None:
        with pytest.raises(InvalidInputError, match="list of texts"):
            encoder.encode_texts("a cat")

    def test_a_stacked_batch_is_a_batch(self, encoder: Encoder) -> None:
        tensors = [encoder.preprocess(image) for image in pictures(3)]
        self.assert_same_directions(
            encoder.encode_batch(torch.stack(tensors)), encoder.encode_batch(tensors)
        )

    def test_order_is_kept(self, encoder: Encoder) -> None:
        images = pictures(9)
        straight, reverse = encoder.encode_images(images), encoder.encode_images(images[::-1])
        self.assert_same_directions(straight, reverse[::-1])

    @pytest.mark.parametrize("batch_size", [1, 7, 32])
    def test_batch_size_does_not_matter(self, spec: EncoderSpec, batch_size: int) -> None:
        images = pictures(33)
        whole = load_encoder(spec).encode_batch(
            [load_encoder(spec).preprocess(image) for image in images]
        )
        other = load_encoder(spec.model_copy(update={"batch_size": batch_size}))
        self.assert_same_directions(whole, other.encode_images(images))
        self.assert_same_directions(
            other.encode_texts(TEXTS), np.concatenate([other.encode_texts([t]) for t in TEXTS])
        )

    def test_preprocess_then_batch_is_encode_images(self, encoder: Encoder) -> None:
        images = pictures(4)
        tensors = [encoder.preprocess(image) for image in images]
        self.assert_same_directions(encoder.encode_batch(tensors), encoder.encode_images(images))

    def test_preprocess_is_safe_in_threads_and_leaves_the_image(self, encoder: Encoder) -> None:
        images = pictures(24)
        before = [image.tobytes() for image in images]
        alone = [encoder.preprocess(image) for image in images]
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(encoder.preprocess, images))
        assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))
        assert [image.tobytes() for image in images] == before

    def test_same_input_same_vector(self, encoder: Encoder) -> None:
        images = pictures(3)
        np.testing.assert_array_equal(encoder.encode_images(images), encoder.encode_images(images))

    def test_different_images_differ(self, encoder: Encoder) -> None:
        rows = encoder.encode_images(pictures(6))
        assert len(np.unique(rows.round(5), axis=0)) == 6

    def test_fingerprint_is_stable_and_names_the_architecture(self, spec: EncoderSpec) -> None:
        first, second = handlers[spec.handler](spec), handlers[spec.handler](spec)
        assert first is not second
        assert first.fingerprint == second.fingerprint
        name, _, digits = first.fingerprint.rpartition(":")
        assert name
        assert len(digits) >= 16
        assert set(digits) <= set("0123456789abcdef")

    def test_fingerprint_ignores_batch_size_and_device_name(self, spec: EncoderSpec) -> None:
        same = spec.model_copy(update={"batch_size": 3, "device": "cpu"})
        assert load_encoder(same).fingerprint == load_encoder(spec).fingerprint

    def test_fingerprint_tells_weights_apart(
        self, spec: EncoderSpec, other_weights: EncoderSpec
    ) -> None:
        assert load_encoder(other_weights).fingerprint != load_encoder(spec).fingerprint

    @pytest.mark.parametrize("precision", ["float16", "bfloat16"])
    def test_fingerprint_tells_precisions_apart(self, spec: EncoderSpec, precision: str) -> None:
        other = spec.model_copy(update={"precision": precision})
        assert load_encoder(other).fingerprint != load_encoder(spec).fingerprint

    @pytest.mark.parametrize("precision", ["float16", "bfloat16"])
    def test_low_precision_is_close(self, spec: EncoderSpec, precision: str) -> None:
        images = pictures(5)
        low = load_encoder(spec.model_copy(update={"precision": precision})).encode_images(images)
        full = load_encoder(spec).encode_images(images)
        assert low.dtype == np.float32
        assert (low * full).sum(axis=1).min() > 0.99

    def test_loaded_once_by_many_threads(self, spec: EncoderSpec) -> None:
        unused = spec.model_copy(update={"batch_size": 29})
        with ThreadPoolExecutor(4) as pool:
            encoders = list(pool.map(load_encoder, [unused] * 8))
        assert all(encoder is encoders[0] for encoder in encoders)

    def assert_same_directions(self, a: NDArray[np.float32], b: NDArray[np.float32]) -> None:
        """Equal unit vectors up to `tolerance`."""
        assert a.shape == b.shape
        assert (a.astype(np.float64) * b).sum(axis=1).min() >= 1 - self.tolerance
