"""Bytes to pixels: every kind converted properly, every kind of damage named."""

from __future__ import annotations

import io
import struct
import sys
import threading
import warnings
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile, ImageFilter, PngImagePlugin

from monitor.failures import Failure
from monitor.images import DecodedImage, ImageReader, RawImage, SourcePolicy, decode
from monitor.images.quiet import quiet_pillow

from .pictures import JPEG, PNG, bomb, chunk, encode, png_claiming, png_with, scene

POLICY = SourcePolicy()


def read(data: Any, **options: Any) -> DecodedImage | Failure:
    raw = RawImage.of(data) if isinstance(data, bytes) else RawImage(data, "")
    return decode(raw, SourcePolicy(**options))


def good(data: Any, **options: Any) -> DecodedImage:
    outcome = read(data, **options)
    assert isinstance(outcome, DecodedImage), outcome
    assert outcome.image.mode == "RGB"
    assert outcome.image.info == {}
    return outcome


def reason(data: Any, **options: Any) -> str:
    outcome = read(data, **options)
    assert isinstance(outcome, Failure), outcome
    assert 0 < len(outcome.detail) <= 200
    return outcome.reason


def pixels(data: Any, **options: Any) -> np.ndarray[Any, Any]:
    return np.asarray(good(data, **options).image).astype(int)


SCENE = np.asarray(scene()).astype(int)

EVERY_FORMAT: list[tuple[str, dict[str, Any]]] = [
    ("JPEG", {"quality": 95, "subsampling": 0}),
    ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}),
    ("PNG", {}),
    ("PNG", {"optimize": True}),
    ("WEBP", {"lossless": True}),
    ("WEBP", {"quality": 95}),
    ("BMP", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "jpeg", "quality": 95}),
    ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ("PPM", {}),
    ("AVIF", {"quality": 95}),
    ("GIF", {}),
]


@pytest.fixture(params=[False, True], ids=["strict", "another library forgives"])
def _whatever_others_set(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow's globals as they are, and as a library that forgives everything leaves them."""
    if request.param:
        monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
        monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_CHUNK", 1 << 40)
        monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_MEMORY", 1 << 40)


@pytest.mark.parametrize(("kind", "options"), EVERY_FORMAT)
def test_every_format_gives_the_same_picture(kind: str, options: dict[str, Any]) -> None:
    data = encode(scene(), kind, **options)
    assert np.abs(pixels(data) - SCENE).mean() < 8
    # What follows the image is none of our business: a polyglot's tail.
    assert (pixels(data + b"PK\x03\x04" + b"<script>" * 2_000) == pixels(data)).all()


@pytest.mark.usefixtures("_whatever_others_set")
@pytest.mark.parametrize(("kind", "options"), EVERY_FORMAT)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_truncated_is_never_a_picture(kind: str, options: dict[str, Any], share: float) -> None:
    data = encode(scene(200, 150), kind, **options)
    # A container whose index is cut off is damaged beyond telling where it ends.
    expected = {"truncated", "corrupt"} if kind in ("AVIF", "TIFF") else {"truncated"}
    assert reason(data[: max(32, int(len(data) * share))]) in expected


@pytest.mark.usefixtures("_whatever_others_set")
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty_body"),
        (b"\xff\xd8\xff", "truncated"),
        (b"\x89PNG\r\n\x1a\n", "truncated"),
        (PNG[:-12], "truncated"),
        (PNG[:-1], "truncated"),
        (PNG[:29] + b"\0\0\0\0" + PNG[33:], "corrupt"),
        (PNG[:-16] + b"\0\0\0\0" + PNG[-12:], "corrupt"),
        (PNG[:60] + bytes([PNG[60] ^ 255]) + PNG[61:], "corrupt"),
        (PNG[:37] + b"\0\1\2\3" + PNG[41:], "corrupt"),
        (png_with(b"zTXt", b"a\0\0" + bomb()), "corrupt"),
        (png_with(b"iTXt", b"a\0\1\0\0\0" + bomb()), "corrupt"),
        (png_with(b"iCCP", b"a\0\0" + bomb()), "corrupt"),
        (png_claiming(65_500, 65_500), "too_many_pixels"),
        (png_claiming(20_000, 20_000), "too_many_pixels"),
        (png_claiming(2**31 - 1, 2**31 - 1), "too_many_pixels"),
        (png_claiming(0, 5), "too_small"),
        (png_claiming(4_000, 4_000), "truncated"),
        (encode(scene(1, 1)), "too_small"),
        (encode(scene(1, 5_000)), "too_small"),
        (encode(scene(5_000, 1)), "too_small"),
        (encode(scene(2, 5_000)), "too_small"),
        (b"<!DOCTYPE html><html>", "not_an_image"),
        (b'\xef\xbb\xbf {"error": "no"}', "not_an_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
        (b"<?xml version='1.0'?><svg/>", "not_an_image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "not_an_image"),
        (b"%PDF-1.7", "not_an_image"),
        (b"PK\x03\x04", "not_an_image"),
        (b"\x1f\x8b\x08", "not_an_image"),
        (b"BMW is a car, not a bitmap", "not_an_image"),
        (bytes(100), "not_an_image"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "not_an_image"),
    ],
)
def test_each_fault_gets_its_reason(data: bytes, expected: str) -> None:
    assert reason(data) == expected


LARGE_SCENE = scene(400, 300).filter(ImageFilter.GaussianBlur(1))
JPEGS: list[dict[str, Any]] = [
    {},
    {"quality": 95, "subsampling": 0},
    {"progressive": True},
    {"restart_marker_rows": 1},
    {"restart_marker_blocks": 3},
    {"progressive": True, "restart_marker_rows": 2},
]


@pytest.mark.usefixtures("_whatever_others_set")
@pytest.mark.parametrize("options", JPEGS, ids=str)
@pytest.mark.parametrize("n_missing", [1, 2, 3, 10, 20])
def test_a_jpeg_that_ends_a_few_bytes_early_is_the_picture(
    options: dict[str, Any], n_missing: int
) -> None:
    whole = encode(LARGE_SCENE, "JPEG", **options)
    expected = pixels(whole)
    outcome = good(whole[:-n_missing])
    actual = np.asarray(outcome.image).astype(int)
    truly_missing = (actual != expected).any(axis=2).mean()
    # What is told is what differs from the whole file's pixels.
    assert outcome.missing_share == pytest.approx(truly_missing, abs=0.01)
    assert outcome.missing_share <= 0.05
    assert outcome.notes[0].startswith("cut off: ")
    assert reason(whole[:-n_missing], truncated="refuse") == "truncated"
    assert good(whole, truncated="refuse").missing_share == 0


@pytest.mark.usefixtures("_whatever_others_set")
@pytest.mark.parametrize("options", JPEGS, ids=str)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.85, 0.9])
def test_a_jpeg_of_which_a_tenth_is_missing_is_none(options: dict[str, Any], share: float) -> None:
    whole = encode(LARGE_SCENE, "JPEG", **options)
    assert reason(whole[: int(len(whole) * share)]) == "truncated"


def test_a_progressive_jpeg_that_lacks_whole_scans_is_truncated() -> None:
    whole = encode(LARGE_SCENE, "JPEG", progressive=True)
    scans = [i for i in range(len(whole)) if whole[i : i + 2] == b"\xff\xda"]
    for start in scans[1:]:
        # Tables stand before a scan: they may be there or not.
        assert reason(whole[:start]) == "truncated"


def webp_claiming(side: int) -> bytes:
    data = bytearray(
        encode(scene(), "WEBP", save_all=True, append_images=[Image.new("RGB", (48, 32))])
    )
    data[24:30] = (side - 1).to_bytes(3, "little") * 2
    return bytes(data)


@pytest.mark.usefixtures("_whatever_others_set")
def test_webp_canvas_is_checked_before_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.WebPImagePlugin._webp.WebPAnimDecoder", None)
    assert reason(webp_claiming(16_383)) == "too_many_pixels"


def test_tiff_whose_one_tile_is_huge() -> None:
    # Width, height, bits, LZW, black is zero, one sample; then a tile's width, height, place, length.
    tags = {
        256: 16,
        257: 16,
        258: 8,
        259: 5,
        262: 1,
        277: 1,
        322: 50_000,
        323: 50_000,
        324: 0,
        325: 9,
    }
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    data = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    assert reason(data) == "too_many_pixels"


@pytest.mark.usefixtures("_whatever_others_set")
def test_damage_within_a_jpeg_is_not_forgiven() -> None:
    data = encode(scene(400, 300), "JPEG")
    # A second frame header where pixels are expected: libjpeg gives up in the middle.
    middle = len(data) // 2
    broken = data[:middle] + b"\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00" + data[middle:]
    assert reason(broken) in ("corrupt", "truncated")


def test_size_is_checked_before_pixels_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.Image.core.new", None)
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "PPM", "WEBP", "AVIF"):
        data = encode(scene(), kind) if kind == "PNG" else ENCODED[kind]
        assert reason(data, max_pixels=100) == "too_many_pixels"


ENCODED = {kind: encode(scene(), kind) for kind in ("JPEG", "GIF", "BMP", "TIFF", "PPM", "WEBP")}
ENCODED["AVIF"] = encode(scene(), "AVIF")


def test_limits_are_exact() -> None:
    assert reason(PNG, max_pixels=48 * 32 - 1) == "too_many_pixels"
    assert good(PNG, max_pixels=48 * 32)
    assert reason(PNG, min_side=33) == "too_small"
    assert good(PNG, min_side=32)
    assert good(encode(scene(100, 2)), max_aspect_ratio=50)
    assert reason(encode(scene(101, 2)), max_aspect_ratio=50) == "too_small"


def test_jpeg_of_thousands_of_scans_is_refused() -> None:
    # Each end-of-band run of a few bytes makes libjpeg pass over all the pixels once more.
    data = encode(scene(400, 300), "JPEG", progressive=True)
    scans = b"\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00\xff" * 5_000
    assert reason(data[:-2] + scans + data[-2:], max_pixels=400 * 300) == "corrupt"
    assert good(data, max_pixels=400 * 300)


def test_heic_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    outcome = read(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "not_an_image"
    assert "pip install 'embedding-monitor[heic]'" in outcome.detail


def test_heic_with_its_extra() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(scene()).save(buffer, quality=95)
    assert np.abs(pixels(buffer.getvalue()) - SCENE).mean() < 8
    assert reason(buffer.getvalue()[:-200]) in ("truncated", "corrupt")
    assert reason(buffer.getvalue(), max_pixels=100) == "too_many_pixels"


def test_cmyk_with_and_without_adobes_inversion() -> None:
    cmyk = scene().convert("CMYK")
    assert np.abs(pixels(encode(cmyk, "TIFF")) - SCENE).mean() < 3
    jpeg = encode(cmyk, "JPEG", quality=95)
    assert np.abs(pixels(jpeg) - SCENE).mean() < 12
    assert good(jpeg).notes == ("CMYK converted",)


def test_palette_grey_and_one_bit() -> None:
    palette = encode(scene().quantize(64))
    assert np.abs(pixels(palette) - SCENE).mean() < 12
    assert good(palette).notes == ("palette converted",)
    grey = scene().convert("L")
    assert (pixels(encode(grey))[..., 1] == np.asarray(grey)).all()
    bits = grey.convert("1")
    assert (pixels(encode(bits))[..., 2] == np.asarray(bits) * 255).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_clipped(kind: str) -> None:
    ramp = np.linspace(0, 65_535, 64 * 64).reshape(64, 64).astype(np.uint16)
    outcome = good(encode(Image.fromarray(ramp), kind))
    expected = np.rint(ramp / 257)
    assert (np.asarray(outcome.image)[..., 0] == expected).all()
    assert outcome.notes == ("16-bit scaled to 8-bit",)


def test_sixteen_bit_colour_png() -> None:
    ramp = np.linspace(0, 65_535, 32 * 32 * 3).reshape(32, 32, 3).astype(np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in ramp)
    header = struct.pack(">IIBBBBB", 32, 32, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
    assert np.abs(pixels(data + chunk(b"IEND", b"")) - ramp / 257).max() <= 1


def test_floats_and_wide_integers() -> None:
    ramp = np.linspace(0, 1, 64 * 64).reshape(64, 64).astype(np.float32)
    unit = good(encode(Image.fromarray(ramp), "TIFF"))
    assert np.abs(np.asarray(unit.image)[..., 0] - ramp * 255).max() <= 0.5
    assert unit.notes == ("float scaled to 8-bit",)
    wide = good(encode(Image.fromarray(ramp * 3_000 - 1_000), "TIFF"))
    assert np.abs(np.asarray(wide.image)[..., 0] - ramp * 255).max() <= 0.51
    assert wide.notes == ("stretched from -1000 to 2000",)
    integers = (ramp * 10**6).astype(np.int32)
    assert good(encode(Image.fromarray(integers), "TIFF")).notes == ("stretched from 0 to 1e+06",)
    flat = np.full((8, 8), 7e9, dtype=np.float32)
    assert (pixels(encode(Image.fromarray(flat), "TIFF")) == 0).all()
    flat[0, 0] = np.nan
    assert reason(encode(Image.fromarray(flat), "TIFF")) == "corrupt"


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA", "La", "RGBa"])
def test_transparency_lies_over_the_background(mode: str) -> None:
    image = scene().convert("RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    image.paste((9, 9, 9, 255), (0, 0, 10, 10))
    if mode in ("RGBA", "LA"):
        data: Any = encode(image.convert(mode))
    elif mode == "P":
        palette = image.convert("P")
        data = encode(palette, "GIF", transparency=palette.getpixel((20, 20)))
    else:
        between = {"PA": "P", "La": "LA", "RGBa": "RGBA"}[mode]
        data = image.convert(between).convert(mode)
    actual = pixels(data, background=[200, 210, 220])
    if mode not in ("P", "PA"):
        assert (actual[:10, :10] == 9).all()
    assert (actual[15:, 15:] == [200, 210, 220]).all()
    assert "transparency over the background" in good(data).notes


def test_colour_key_transparency() -> None:
    data = encode(Image.new("RGB", (8, 8), (1, 2, 3)), transparency=(1, 2, 3))
    assert (pixels(data) == 255).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(kind: str, orientation: int) -> None:
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = scene().transpose(back[orientation]) if orientation > 1 else scene()
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"quality": 95} if kind in ("JPEG", "WEBP", "AVIF") else {}
    actual = pixels(encode(stored, kind, exif=exif, **options))
    assert actual.shape == SCENE.shape
    assert np.abs(actual - SCENE).mean() < 8


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0garbage",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x04abcd",
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x63\0\0\0\0\0\0",
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x1a\0\x05\0\0\0\x01\0\0\0\0\0\0\0\0",
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_broken_exif_is_forgiven(exif: bytes, kind: str) -> None:
    assert np.abs(pixels(encode(scene(), kind, exif=exif, quality=95)) - SCENE).mean() < 8


def test_broken_and_large_colour_profiles_are_forgiven() -> None:
    assert good(encode(scene(), "JPEG", icc_profile=b"not a profile" * 100))
    assert (pixels(png_with(b"iCCP", b"a\0\0broken")) == SCENE).all()
    assert (pixels(png_with(b"iCCP", b"a\0\0" + zlib.compress(bytes(2_000_000)))) == SCENE).all()
    assert (pixels(png_with(b"iCCP", b"no end")) == SCENE).all()
    assert (pixels(png_with(b"iTXt", b"a\0\1")) == SCENE).all()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert (pixels(encode(scene(), icc_profile=profile)) == SCENE).all()


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_first_of_several_frames(kind: str) -> None:
    later = [Image.new("RGB", (48, 32), colour) for colour in ("blue", "green")]
    data = encode(scene(), kind, save_all=True, append_images=later)
    outcome = good(data)
    assert np.abs(np.asarray(outcome.image).astype(int) - SCENE).mean() < 10
    assert "first frame" in outcome.notes


def test_gif_whose_second_frame_is_broken() -> None:
    data = encode(scene(), "GIF", save_all=True, append_images=[Image.new("RGB", (48, 32), "blue")])
    assert good(data[:-30])


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.asarray(scene()), SCENE),
        (np.asarray(scene().convert("RGBA")), SCENE),
        (SCENE[..., :1].astype(np.uint8), np.repeat(SCENE[..., :1], 3, axis=2)),
        (SCENE[..., 0].astype(np.uint8), np.repeat(SCENE[..., :1], 3, axis=2)),
        ((SCENE * 257).astype(np.uint16), SCENE),
        ((SCENE * 257).astype(">u2"), SCENE),
        (SCENE / 255, SCENE),
        ((SCENE / 255).astype(np.float16), SCENE),
        (SCENE / 255 * (1 + 1e-6), SCENE),
        (SCENE[:, :, 0] > 100, np.repeat((SCENE[..., :1] > 100) * 255, 3, axis=2)),
        (np.asarray(scene())[::-1], SCENE[::-1]),
        (np.asfortranarray(SCENE.astype(np.uint8)), SCENE),
    ],
)
def test_arrays(array: Any, expected: Any) -> None:
    before = array.copy()
    assert np.abs(pixels(array) - expected).max() <= (1 if array.dtype == np.float16 else 0)
    assert (array == before).all()


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.zeros(512, np.float32), "unsupported_type"),
        (np.array(0.5), "unsupported_type"),
        (np.zeros((3, 32, 48), np.uint8), "unsupported_type"),
        (np.zeros((8, 8, 2), np.uint8), "unsupported_type"),
        (np.zeros((1, 8, 8, 3), np.uint8), "unsupported_type"),
        (np.zeros((8, 8), np.int64), "unsupported_type"),
        (np.zeros((8, 8), complex), "unsupported_type"),
        (np.full((8, 8), "a"), "unsupported_type"),
        (np.full((8, 8), None), "unsupported_type"),
        (np.full((8, 8), 200.0), "unsupported_type"),
        (np.full((8, 8), -0.5), "unsupported_type"),
        (np.full((8, 8), np.nan), "corrupt"),
        (np.full((8, 8, 3), np.inf), "corrupt"),
        (np.zeros((0, 8), np.uint8), "too_small"),
        (np.zeros((1, 1), np.uint8), "too_small"),
        (np.broadcast_to(np.uint8(0), (20_000, 20_000)), "too_many_pixels"),
    ],
)
def test_arrays_that_are_no_images(array: Any, expected: str) -> None:
    outcome = read(array)
    assert isinstance(outcome, Failure)
    assert outcome.reason == expected
    if expected == "unsupported_type":
        assert "(H, W, 3)" in outcome.detail
        assert "float within [0, 1]" in outcome.detail


def test_pillow_images_are_left_as_they_were() -> None:
    image = Image.open(io.BytesIO(encode(scene(), "JPEG", quality=95)))
    image.info["mine"] = "kept"
    assert np.abs(pixels(image) - SCENE).mean() < 8
    assert image.info["mine"] == "kept"
    assert image.size == (48, 32)


def test_decoding_warns_nobody_and_leaves_no_filter() -> None:
    # A file with a directory that points nowhere makes Pillow warn.
    exif = b"Exif\0\0II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\xff\xff\0\0\xff\xff\0\0\x12\x01"
    noisy = encode(scene(), "JPEG", exif=exif)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        Image.open(io.BytesIO(noisy)).getexif().get(0x0112)
    assert heard
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        inside = list(warnings.filters)
        assert good(noisy)
        assert list(warnings.filters) == inside
    assert heard == []
    assert list(warnings.filters) == before


def test_filter_stays_until_the_last_thread_leaves() -> None:
    before = list(warnings.filters)
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with quiet_pillow():
            entered.set()
            leave.wait(5)

    thread = threading.Thread(target=other)
    with quiet_pillow():
        thread.start()
        entered.wait(5)
    assert len(warnings.filters) == len(before) + 1
    leave.set()
    thread.join()
    assert list(warnings.filters) == before


def test_pillows_globals_are_left_alone() -> None:
    settings_before = (ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS, dict(Image.OPEN))
    for data in (PNG, JPEG, PNG[:-9], *ENCODED.values()):
        read(data)
    assert settings_before == (
        ImageFile.LOAD_TRUNCATED_IMAGES,
        Image.MAX_IMAGE_PIXELS,
        dict(Image.OPEN),
    )


ALL = [encode(scene(), kind, **options) for kind, options in EVERY_FORMAT]


@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    data=st.sampled_from(ALL),
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=6)), max_size=5
    ),
    cut=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_no_damage_raises(data: bytes, changes: list[tuple[float, bytes]], cut: float) -> None:
    damaged = bytearray(data)
    for where, new in changes:
        at = int(where * len(damaged))
        damaged[at : at + len(new)] = new
    outcome = read(bytes(damaged[: int(cut * len(damaged))]), max_pixels=1_000_000)
    if isinstance(outcome, DecodedImage):
        assert outcome.image.mode == "RGB"
        assert outcome.image.width * outcome.image.height <= 1_000_000
    else:
        assert outcome.reason in {
            "empty_body",
            "not_an_image",
            "truncated",
            "corrupt",
            "too_many_pixels",
            "too_small",
        }


def test_tensors() -> None:
    torch = pytest.importorskip("torch")
    picture = torch.from_numpy(SCENE.astype(np.uint8))
    first = picture.permute(2, 0, 1)
    cells = (
        picture,
        first,
        picture / 255,
        (first / 255).requires_grad_(),
        (first / 255).bfloat16(),
    )
    strange = (
        torch.zeros(3, 8, 8, device="meta"),
        torch.zeros(2, 3, 8, 8),
        torch.zeros(8, 8).to_sparse(),
    )
    with ImageReader() as reader:
        for cell in cells:
            decoded = reader.read(cell)
            assert isinstance(decoded, DecodedImage)
            most = 1 if cell.dtype == torch.bfloat16 else 0
            assert np.abs(np.asarray(decoded.image) - SCENE).max() <= most
        for cell in strange:
            outcome = reader.read(cell)
            assert isinstance(outcome, Failure)
            assert outcome.reason == "unsupported_type"


def test_what_libtiff_prints_is_kept_from_the_caller(capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(encode(scene(), "TIFF", compression="tiff_lzw"))
    data[100:300] = b"\xff" * 200
    with ImageReader(SourcePolicy(isolation="none")) as reader:
        outcome = reader.read(bytes(data))
    assert isinstance(outcome, Failure)
    assert outcome.reason == "corrupt"
    assert capfd.readouterr() == ("", "")
