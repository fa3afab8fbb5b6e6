"""Preprocessing in two parts, and the fast one: how close, how it is told apart."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from monitor.encoders import EncoderSpec, load_encoder
from monitor.encoders.preprocessing import Preprocessing
from monitor.encoders.traits import traits_of
from monitor.errors import EncoderError
from monitor.images import ImageReader, SourcePolicy
from monitor.images.quality import QUALITY_FIELDS, measure_image
from monitor.images.raw import RawImage
from monitor.testing import FakeEncoder, pictures

from .tiny import VIT, write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"local-dir:{write_model(tmp_path_factory.mktemp('models') / 'vit', VIT)}"


def spec(model: str, preprocessing: str, **fields: object) -> EncoderSpec:
    return EncoderSpec(handler="open_clip", model=model, preprocessing=preprocessing, **fields)


def photo(seed: int, size: tuple[int, int]) -> Image.Image:
    """Shapes of all sizes, coarse ones the strongest, as in photographs, and a sensor's noise."""
    rng = np.random.default_rng(seed)
    whole = np.zeros((size[1], size[0], 3))
    for octave in range(2, 8):
        cells = rng.normal(size=(2**octave, 2**octave, 3)).clip(-2, 2)
        layer = Image.fromarray(((cells + 2) * 63).astype(np.uint8)).resize(
            size, Image.Resampling.BICUBIC
        )
        whole += np.asarray(layer, dtype=float) / 2**octave
    whole -= whole.min()
    noisy = whole / whole.max() * 220 + 16 + rng.normal(size=whole.shape) * 12
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def jpeg(image: Image.Image, **options: object) -> RawImage:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=90, **options)
    return RawImage.of(stream.getvalue())


def test_fast_is_close_to_exact(model: str) -> None:
    exact, fast = (load_encoder(spec(model, mode)) for mode in ("exact", "fast"))
    images = [photo(i, (90 + 60 * i, 400 - 30 * i)) for i in range(8)]
    grey_levels = [
        (exact.preprocess(image).float() - fast.preprocess(image).float()).abs().mean()
        for image in images
    ]
    assert max(grey_levels) < 1.5
    cosine = (exact.encode_images(images) * fast.encode_images(images)).sum(axis=1)
    assert cosine.min() > 0.999


def test_fast_takes_the_same_part_of_the_picture(model: str) -> None:
    encoder = load_encoder(spec(model, "fast"))
    for size in ((300, 100), (100, 300)):
        bands = np.zeros((size[1], size[0]), dtype=np.uint8)
        # The outer thirds are white: the centre, cut out, is black.
        if size[0] > size[1]:
            bands[:, :98] = bands[:, 202:] = 255
        else:
            bands[:98] = bands[202:] = 255
        assert int(encoder.preprocess(Image.fromarray(bands)).max()) < 40


def test_fast_has_a_fingerprint_of_its_own(model: str) -> None:
    exact, fast = (load_encoder(spec(model, mode)) for mode in ("exact", "fast"))
    assert exact.fingerprint != fast.fingerprint
    assert exact.fingerprint == load_encoder(spec(model, "exact", batch_size=3)).fingerprint
    assert (traits_of(exact).least_side, traits_of(fast).least_side) == (None, 32)


def test_fast_refuses_a_geometry_that_it_does_not_know(model: str, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "squash", VIT)
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["preprocess_cfg"]["resize_mode"] = "squash"
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(EncoderError, match=r"preprocessing='fast'.*use preprocessing='exact'"):
        load_encoder(spec(f"local-dir:{folder}", "fast"))


def test_a_geometry_gives_what_the_models_steps_give(model: str) -> None:
    for name in (model, "compact"):
        exact, fast = (load_encoder(spec(name, mode)) for mode in ("exact", "fast"))
        for encoder in (exact, fast):
            geometry = traits_of(encoder).geometry
            assert geometry is not None
            assert geometry.least_side == traits_of(encoder).least_side
            rng = np.random.default_rng(0)
            for width, height in rng.integers(3, 500, (40, 2)):
                noise = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
                tensor = encoder.preprocess(Image.fromarray(noise))
                pixels = geometry.pixels(Image.fromarray(noise))
                np.testing.assert_array_equal(pixels, tensor.permute(1, 2, 0).numpy())


def test_no_geometry_is_made_up(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "squash", VIT)
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["preprocess_cfg"]["resize_mode"] = "squash"
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    encoder = load_encoder(spec(f"local-dir:{folder}", "exact"))
    assert traits_of(encoder).geometry is None
    # Steps that are named as usual and do something else.
    known = load_encoder(spec("compact", "exact"))._preprocessing  # type: ignore[attr-defined]
    flipping = Preprocessing(known._transform)
    flipping._of_picture = [*known._of_picture, ImageOps.mirror]
    assert flipping.geometry is None


def test_pixels_of_a_geometry_are_a_batch(model: str) -> None:
    encoder = load_encoder(spec(model, "exact"))
    geometry = traits_of(encoder).geometry
    assert geometry is not None
    images = [image.convert("RGB") for image in pictures(3)]
    np.testing.assert_array_equal(
        encoder.encode_batch([geometry.pixels(image) for image in images]),  # type: ignore[arg-type]
        encoder.encode_batch([encoder.preprocess(image) for image in images]),
    )


def test_pictures_stay_bytes_until_they_are_a_batch(model: str) -> None:
    encoder = load_encoder(spec(model, "exact"))
    tensors = [encoder.preprocess(image) for image in pictures(3)]
    assert {tensor.dtype for tensor in tensors} == {torch.uint8}
    assert encoder.pixel_values(tensors).dtype == torch.float32  # type: ignore[attr-defined]


def test_an_encoder_that_says_nothing_of_itself_is_used_with_care() -> None:
    traits = traits_of(FakeEncoder(FakeEncoder.spec_of()))
    assert (traits.is_parallel, traits.least_side) == (False, None)


class TestSmallerPictures:
    @pytest.mark.parametrize("orientation", [1, 6])
    def test_keep_their_size_and_statistics(self, orientation: int) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        raw = jpeg(photo(3, (2000, 1500)), exif=exif)
        with ImageReader(SourcePolicy()) as reader:
            with reader.decoding(raw) as full:
                pass
            with reader.decoding(raw, 64) as smaller:
                pass
        assert smaller.size == full.size == full.image.size  # type: ignore[union-attr]
        assert smaller.size == ((2000, 1500) if orientation == 1 else (1500, 2000))  # type: ignore[union-attr]
        assert max(smaller.image.size) == 500  # type: ignore[union-attr]
        values = [
            measure_image(decoded.image, size=decoded.size, n_bytes=raw.n_bytes)  # type: ignore[union-attr]
            for decoded in (full, smaller)
        ]
        off = dict(zip(QUALITY_FIELDS, np.abs(values[0] - values[1]), strict=True))
        assert off.pop("sharpness") < 0.05
        assert max(off.values()) < 0.005

    @pytest.mark.parametrize(("least_side", "expected"), [(1000, 2000), (700, 1000), (64, 500)])
    def test_no_side_is_shorter_than_was_asked_for(self, least_side: int, expected: int) -> None:
        raw = jpeg(photo(1, (2000, 1500)))
        with ImageReader(SourcePolicy()) as reader, reader.decoding(raw, least_side) as decoded:
            assert decoded.image.width == expected  # type: ignore[union-attr]

    def test_are_jpegs_only(self) -> None:
        stream = io.BytesIO()
        photo(1, (800, 600)).save(stream, "PNG")
        raw = RawImage.of(stream.getvalue())
        with ImageReader(SourcePolicy()) as reader, reader.decoding(raw, 64) as decoded:
            assert decoded.image.size == decoded.size == (800, 600)  # type: ignore[union-attr]
