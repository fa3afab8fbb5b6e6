"""Pixel statistics, held against pictures whose light, edges and colour are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy.special import ndtr

from monitor.images.quality import LONGEST_SIDE, QUALITY_FIELDS, measure
from tests.images.pictures import scene


def fields(pixels: NDArray[np.uint8] | Image.Image, n_bytes: int | None = None) -> dict[str, float]:
    return dict(zip(QUALITY_FIELDS, measure(np.asarray(pixels), n_bytes=n_bytes), strict=True))


def edge(width: float, height: float = 200.0, length: int = 64) -> NDArray[np.uint8]:
    """A vertical edge blurred by a Gaussian of standard deviation `width`."""
    row = 20 + height * ndtr((np.arange(length) - length / 2 + 0.3) / width)
    return np.rint(np.broadcast_to(row[None, :, None], (length, length, 3))).astype(np.uint8)


def texture(width: int, height: int, seed: int = 0) -> Image.Image:
    """Overlapping rectangles of random grey and colour: edges at every scale."""
    rng = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), 128, dtype=np.uint8)
    for _ in range(200):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = (rng.pareto(1.5, size=2) + 0.03) * np.array([width, height]) / 10
        pixels[y : y + max(int(h), 1), x : x + max(int(w), 1)] = rng.integers(40, 216, size=3)
    return Image.fromarray(pixels)


def test_of_two_halves_of_known_grey():
    pixels = np.zeros((10, 20, 3), dtype=np.uint8)
    pixels[:, 10:] = 204
    actual = fields(pixels, n_bytes=100)
    assert actual["brightness"] == pytest.approx(0.4)
    assert actual["contrast"] == pytest.approx(0.4)
    assert actual["saturation"] == 0
    assert (actual["width"], actual["height"]) == (20, 10)
    assert actual["bytes_per_pixel"] == 0.5


def test_luma_weights_the_colours_as_bt_601_does():
    pure = [np.full((3, 3, 3), 255 * np.eye(3)[k], dtype=np.uint8) for k in range(3)]
    assert [round(float(fields(p)["brightness"]), 3) for p in pure] == [0.299, 0.587, 0.114]
    assert [fields(p)["saturation"] for p in pure] == [1, 1, 1]


@pytest.mark.parametrize("width", [1.5, 2.0, 2.5, 3.0])
def test_sharpness_is_the_logarithm_of_the_width_of_an_edge(width):
    # For Φ(x/σ): ∫φ'² / ∫φ² = (1 / 4√π σ³) / (1 / 2√π σ) = 1 / 2σ².
    assert fields(edge(width))["sharpness"] == pytest.approx(-0.5 - np.log2(width), abs=0.12)


def test_sharpness_does_not_know_the_height_or_the_number_of_edges():
    single = fields(edge(2.0))["sharpness"]
    half_as_high = fields(edge(2.0, height=100.0))["sharpness"]
    three = fields(np.concatenate([edge(2.0), edge(2.0)[:, ::-1], edge(2.0)], axis=1))["sharpness"]
    assert half_as_high == pytest.approx(single, abs=0.1)
    assert three == pytest.approx(single, abs=0.1)


@pytest.mark.parametrize("size", [(32, 32), (224, 160), (533, 400), (2000, 1500)])
def test_every_step_of_blur_lowers_sharpness_at_any_size(size):
    picture = texture(*size)
    steps = [0, *(max(size[0] / 384, 1) * s for s in (0.5, 1, 1.5, 2))]
    actual = [
        fields(picture.filter(ImageFilter.GaussianBlur(s)) if s else picture)["sharpness"]
        for s in steps
    ]
    assert np.all(np.diff(actual) < -0.1), actual


def test_a_smaller_copy_of_a_picture_is_about_as_sharp():
    picture = texture(1600, 1200)
    blurred = fields(picture.filter(ImageFilter.GaussianBlur(12)))["sharpness"]
    copies = [
        fields(picture.resize((side, side * 3 // 4), Image.Resampling.BOX))["sharpness"]
        for side in (1600, 800, 400, 200)
    ]
    assert np.ptp(copies) < (min(copies) - blurred) / 3


def test_darkness_lowers_light_and_contrast_alone():
    picture = texture(224, 160)
    light = fields(picture)
    dark = fields(picture.point(lambda value: value // 2))
    assert dark["brightness"] == pytest.approx(light["brightness"] / 2, rel=0.02)
    assert dark["contrast"] == pytest.approx(light["contrast"] / 2, rel=0.02)
    assert dark["sharpness"] == pytest.approx(light["sharpness"], abs=0.05)
    assert dark["saturation"] == pytest.approx(light["saturation"], abs=0.02)


def test_a_grey_copy_loses_saturation_alone():
    picture = texture(224, 160)
    colour, grey = fields(picture), fields(picture.convert("L").convert("RGB"))
    assert colour["saturation"] > 0.2
    assert grey["saturation"] == 0
    for field in ("brightness", "contrast"):
        assert grey[field] == pytest.approx(colour[field], abs=0.01)


@pytest.mark.parametrize("value", [0, 1, 255])
def test_a_flat_picture_has_no_sharpness(value):
    actual = fields(np.full((50, 700, 3), value, dtype=np.uint8))
    assert np.isnan(actual["sharpness"])
    assert actual["brightness"] == pytest.approx(value / 255)
    assert actual["contrast"] == pytest.approx(0, abs=1e-6)
    assert np.isnan(actual["bytes_per_pixel"])


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (2, 9), (3, 3), (4001, 3)])
def test_odd_shapes_are_measured(shape):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    actual = measure(pixels)
    assert actual.dtype == np.float32
    assert actual.shape == (len(QUALITY_FIELDS),)
    assert np.isnan(actual[2]) == (min(shape) < 3 or max(shape) > LONGEST_SIDE)
    assert actual[4:6].tolist() == [shape[1], shape[0]]


def test_a_huge_picture_has_the_light_of_all_its_parts():
    pixels = np.asarray(scene(480, 320).resize((4801, 3203), Image.Resampling.NEAREST))
    huge, exact = fields(pixels), pixels / 255 @ np.array([0.299, 0.587, 0.114])
    assert huge["brightness"] == pytest.approx(exact.mean(), abs=0.002)
    assert huge["contrast"] == pytest.approx(exact.std(), abs=0.005)


def test_the_pixels_are_left_alone_and_a_read_only_view_will_do():
    pixels = np.asarray(scene(900, 700))
    before = pixels.copy()
    turned = pixels.transpose(1, 0, 2)
    turned.flags.writeable = False
    assert measure(turned)[4:6].tolist() == [700, 900]
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
    ],
)
def test_other_arrays_are_refused(pixels):
    with pytest.raises(ValueError, match=r"measured on uint8 of shape \(height, width, 3\)"):
        measure(pixels)


def test_what_is_missing_of_a_cut_file_is_kept() -> None:
    assert fields(np.zeros((4, 6, 3), dtype=np.uint8))["missing_share"] == 0
    cut = measure(np.zeros((4, 6, 3), dtype=np.uint8), missing_share=0.03)
    assert cut[QUALITY_FIELDS.index("missing_share")] == pytest.approx(0.03)
