"""Pixels of rarer kinds: greys of 10 to 16 bits, planes, plain Netpbm, icons, orientation in XMP."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from monitor.failures import Failure
from monitor.images import DecodedImage, RawImage, SourcePolicy, decode

from .pictures import PNG, chunk, encode, scene
from .test_decoding import SCENE, good, pixels, reason

RAMP = np.linspace(0, 1, 60 * 40).reshape(40, 60)


def grey(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(values * 255).astype(int)


def tiff(
    planes: Sequence[NDArray[Any]], *, order: str = "<", bits: int = 16, planar: int = 1,
    packed: bool = False, compression: int = 1, **tags: int,
) -> bytes:  # fmt: skip
    """A TIFF of `planes`, written here: Pillow writes no planes, and no 12 bits."""
    height, width = planes[0].shape
    kind = np.dtype(f"{order}u{bits // 8}") if not packed else None
    if packed:
        strips = [pack_12(planes[0])]
    elif planar == 2:
        strips = [plane.astype(kind).tobytes() for plane in planes]
    else:
        strips = [np.stack(planes, axis=-1).astype(kind).tobytes()]
    if compression == 8:
        strips = [zlib.compress(strip) for strip in strips]
    n = len(planes)
    starts = [8 + sum(map(len, strips[:i])) for i in range(n if planar == 2 else 1)]
    end = 8 + sum(map(len, strips))
    entries: dict[int, tuple[str, list[int]]] = {
        256: ("H", [width]), 257: ("H", [height]), 258: ("H", [bits] * n), 259: ("H", [compression]),
        262: ("H", [2 if n == 3 else 1]), 273: ("I", starts), 277: ("H", [n]), 278: ("H", [height]),
        279: ("I", [len(strip) for strip in strips]), 284: ("H", [planar]),
    } | {int(name.removeprefix("tag")): ("H", [value]) for name, value in tags.items()}  # fmt: skip
    far, table = b"", struct.pack(f"{order}H", len(entries))
    for tag, (letter, values) in sorted(entries.items()):
        packed_values = struct.pack(f"{order}{len(values)}{letter}", *values)
        if len(packed_values) > 4:
            place = struct.pack(f"{order}I", end + len(far))
            far += packed_values
        else:
            place = packed_values.ljust(4, b"\0")
        table += struct.pack(f"{order}HHI", tag, 3 if letter == "H" else 4, len(values)) + place
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", end + len(far))
    return head + b"".join(strips) + far + table + bytes(4)


def pack_12(values: NDArray[Any]) -> bytes:
    left, right = values.reshape(-1, 2).astype(np.uint32).T
    parts = np.stack([left >> 4, (left & 15) << 4 | right >> 8, right & 255], axis=1)
    return parts.astype(np.uint8).tobytes()


def test_twelve_bits_of_a_file_that_says_so_use_the_whole_range() -> None:
    dark = (RAMP * 2_000).astype(np.uint16)
    outcome = good(tiff([dark], bits=12, packed=True))
    assert np.abs(np.asarray(outcome.image)[..., 0].astype(int) - grey(dark / 4_095)).max() <= 1
    assert outcome.notes == ("12-bit scaled to 8-bit",)


def test_a_greatest_value_that_the_file_names_is_white() -> None:
    dark = (RAMP * 600).astype(np.uint16)
    outcome = good(tiff([dark], tag281=1_023))
    assert np.abs(np.asarray(outcome.image)[..., 0].astype(int) - grey(dark / 1_023)).max() <= 1


@pytest.mark.parametrize("most", [255, 1_023, 4_095, 16_383])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "array"])
def test_fewer_bits_in_sixteen_are_stretched(most: int, kind: str) -> None:
    values = np.rint(RAMP * most).astype(np.uint16)
    data = values if kind == "array" else encode(Image.fromarray(values), kind)
    actual = pixels(data)[..., 0]
    assert np.abs(actual - grey(values / most)).max() <= 1
    if kind != "array":
        assert good(data).notes == (f"16-bit stretched from 0 to {most}",)


def test_dark_pictures_of_sixteen_bits_stay_dark() -> None:
    values = np.rint(RAMP * 20_000).astype(np.uint16)
    outcome = good(encode(Image.fromarray(values)))
    assert np.abs(np.asarray(outcome.image)[..., 0].astype(int) - grey(values / 65_535)).max() <= 1
    assert outcome.notes == ("16-bit scaled to 8-bit",)
    assert (pixels(encode(Image.fromarray(values * 0))) == 0).all()


def test_large_pictures_are_converted_band_by_band_like_small_ones() -> None:
    rng = np.random.default_rng(0)
    rgba = Image.fromarray(rng.integers(0, 256, (1_100, 1_900, 4), dtype=np.uint8))
    whole = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
    whole.alpha_composite(rgba)
    assert (pixels(rgba) == np.asarray(whole.convert("RGB"))).all()
    wide = rng.integers(-1_000, 10**6, (1_100, 1_900)).astype(np.int32)
    expected = np.rint((wide - wide.min()) / (wide.max() - wide.min()) * 255)
    assert (pixels(Image.fromarray(wide))[..., 1] == expected).all()


def test_transparent_value_of_sixteen_bit_greys() -> None:
    values = np.full((8, 8), 40_000, dtype=np.uint16)
    values[:4] = 1_234
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    parts = (
        chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 0, 0, 0, 0)),
        chunk(b"tRNS", struct.pack(">H", 1_234)),
        chunk(b"IDAT", zlib.compress(rows)),
        chunk(b"IEND", b""),
    )
    outcome = good(b"\x89PNG\r\n\x1a\n" + b"".join(parts), background=[10, 20, 30])
    actual = np.asarray(outcome.image)
    assert (actual[:4] == [10, 20, 30]).all()
    assert (actual[4:] == round(40_000 / 257)).all()
    assert "transparency over the background" in outcome.notes


def test_palette_without_its_colours_says_so() -> None:
    data = encode(scene().quantize(16))
    at = data.index(b"PLTE") - 4
    (length,) = struct.unpack_from(">I", data, at)
    outcome = decode(RawImage.of(data[:at] + data[at + 12 + length :]), SourcePolicy())
    assert isinstance(outcome, Failure)
    assert (
        str(outcome) == "corrupt: PNG with colours of a palette, and no PLTE chunk that says which"
    )


COLOURS = [np.rint(SCENE[..., i] * 257.0).astype(np.uint16) for i in range(3)]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("planar", [1, 2])
def test_planes_are_read_or_refused_and_never_noise(
    order: str, bits: int, compression: int, planar: int
) -> None:
    planes = COLOURS if bits == 16 else [plane // 257 for plane in COLOURS]
    data = tiff(planes, order=order, bits=bits, planar=planar, compression=compression)
    if (bits, planar, compression) == (16, 2, 1):
        outcome = decode(RawImage.of(data), SourcePolicy())
        assert isinstance(outcome, Failure)
        assert "planes of 16 bits" in outcome.detail
    else:
        assert np.abs(pixels(data) - SCENE).max() <= 1


def netpbm(kind: str, most: int = 255) -> tuple[bytes, NDArray[np.int64]]:
    values = np.rint(SCENE / 255 * most).astype(int)
    if kind in "14":
        bits = (SCENE[..., 1] < 128).astype(np.uint8)
        expected = np.repeat((1 - bits)[..., None] * 255, 3, axis=2)
        if kind == "1":
            body = "\n".join("".join(map(str, row)) for row in bits).encode()
        else:
            body = np.packbits(bits, axis=1).tobytes()
        return f"P{kind} # made here\n48 32\n".encode() + body, expected
    samples = values[..., 1] if kind in "25" else values
    expected = np.rint(samples * 255 / most)
    if kind in "25":
        expected = np.repeat(expected[..., None], 3, axis=2)
    head = f"P{kind}\n# a comment\n48 #another\n32\n{most}\n".encode()
    if kind in "23":
        body = " ".join(map(str, samples.reshape(-1))).encode() + b"\n"
    else:
        body = samples.astype("u1" if most < 256 else ">u2").tobytes()
    return head + body, expected


@pytest.mark.parametrize(
    ("kind", "most"),
    [(kind, most) for kind in "2356" for most in (1, 100, 255, 1_000, 65_535)]
    + [("1", 1), ("4", 1)],
)
def test_netpbm_of_every_kind(kind: str, most: int) -> None:
    data, expected = netpbm(kind, most)
    assert np.abs(pixels(data) - expected).max() <= 1
    assert np.abs(pixels(data + b"\n# tail") - expected).max() <= 1
    assert reason(data[: len(data) * 2 // 3]) == "truncated"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"P1 is how the letter begins", "not_an_image"),
        (b"P5\n2 2\n0\n\0\0\0\0", "corrupt"),
        (b"P5\n2 2\n70000\n\0\0\0\0\0\0\0\0", "corrupt"),
        (b"P2\n2 2\n9\n1 2 three 4", "corrupt"),
        (b"P2\n2 2\n9\n1 2 99999999999999999999 4", "corrupt"),
        (b"P1\n2 2\n0 1 2 0", "corrupt"),
        (b"P6\n100000 100000\n255\n", "too_many_pixels"),
        (b"P6\n5 ", "truncated"),
        (b"P6\n" + b"#" * 70_000 + b"\n2 2 255\n", "corrupt"),
    ],
)
def test_damaged_netpbm(data: bytes, expected: str) -> None:
    assert reason(data) == expected


@pytest.mark.parametrize("bitmap_format", ["png", "bmp"])
def test_the_largest_picture_of_an_icon(bitmap_format: str) -> None:
    image = scene(64, 64).convert("RGBA")
    image.putalpha(Image.new("L", image.size, 255))
    buffer = io.BytesIO()
    image.save(buffer, "ICO", sizes=[(16, 16), (64, 64), (32, 32)], bitmap_format=bitmap_format)
    outcome = good(buffer.getvalue())
    assert outcome.image.size == (64, 64)
    expected = np.asarray(scene(64, 64)).astype(int)
    assert np.abs(np.asarray(outcome.image).astype(int) - expected).max() <= 2
    assert reason(buffer.getvalue(), max_pixels=64 * 63) == "too_many_pixels"
    for share in (0.1, 0.3, 0.6, 0.9):
        data = buffer.getvalue()
        assert reason(data[: int(len(data) * share)]) in ("truncated", "corrupt")


XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6" x="1"/></x:xmpmeta>'
EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0\0\0\0\0"


def with_xmp(kind: str, xmp: bytes, exif: bytes | None) -> bytes:
    options: dict[str, Any] = {} if exif is None else {"exif": exif}
    if kind == "PNG":
        text = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
        png = encode(scene(), **options)
        return png[:33] + text + png[33:]
    if kind == "TIFF":
        from PIL.TiffImagePlugin import ImageFileDirectory_v2

        tags = ImageFileDirectory_v2()
        tags[700] = xmp
        tags.tagtype[700] = 1
        if exif is not None:
            tags[274] = 3
        return encode(scene(), kind, tiffinfo=tags)
    return encode(scene(), kind, xmp=xmp, **options)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_is_read_from_xmp_where_exif_has_none(kind: str) -> None:
    turned = good(with_xmp(kind, XMP, None))
    assert turned.image.size == (32, 48)
    # EXIF comes first, as in browsers.
    first = good(with_xmp(kind, XMP, EXIF))
    assert first.image.size == (48, 32)
    assert np.abs(np.asarray(first.image)[::-1, ::-1].astype(int) - SCENE).mean() < 8


def test_xmp_that_is_compressed_or_broken() -> None:
    packed = chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP))
    assert good(PNG[:33] + packed + PNG[33:]).image.size == (32, 48)
    for xmp in (b"", b"\xff\xfe", XMP.replace(b"6", b"9"), b"tiff:Orientation", bytes(100_000)):
        assert good(with_xmp("PNG", xmp, None)).image.size == (48, 32)


def test_what_is_no_image_still_says_what_it_is() -> None:
    outcome = decode(RawImage.of(b"P3 tickets: 4"), SourcePolicy())
    assert not isinstance(outcome, DecodedImage)
    assert outcome.reason == "not_an_image"
