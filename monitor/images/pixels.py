"""Pixels of any kind become 8-bit RGB: scaled and not clipped, over a background."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import ExifTags, Image

from monitor.failures import Failure

Array = np.ndarray[Any, Any]

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to turn an image upright, by its EXIF orientation (EXIF 2.32, tag 0x0112)."""

ACCEPTED_ARRAYS = (
    "arrays of shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) and type uint8, uint16, bool or "
    "float within [0, 1]"
)


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1, which is upright, if there is none or it cannot be read."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # broken EXIF raises almost anything, and the pixels are fine without it
        return 1
    return value if isinstance(value, int) and value in _UPRIGHT else 1


def upright(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """`image` turned as its EXIF orientation says."""
    turn = _UPRIGHT.get(orientation(image))
    return (image, ()) if turn is None else (image.transpose(turn), ("turned upright",))


def to_rgb(
    image: Image.Image, background: tuple[int, int, int]
) -> tuple[Image.Image, tuple[str, ...]]:
    """`image` in mode RGB, and a note for each conversion that is more than a copy.

    16-bit values are divided by 257, so that 65,535 becomes 255. Integers and floats of wider range
    are stretched from their least to their greatest value. Transparent pixels lie over
    `background`.

    Raises
    ------
    ValueError
        If the image's mode has no conversion to RGB, or its floats are not finite.

    Examples
    --------
    >>> grey = Image.fromarray(np.array([[0, 257, 65535]], dtype=np.uint16))
    >>> rgb, notes = to_rgb(grey, (255, 255, 255))
    >>> [rgb.getpixel((x, 0))[0] for x in range(3)], notes
    ([0, 1, 255], ('16-bit scaled to 8-bit',))
    """
    mode = image.mode
    if mode.startswith("I;16"):
        return _grey(from_16_bit(np.asarray(image))), ("16-bit scaled to 8-bit",)
    if mode in ("I", "F"):
        values, note = _from_wide(np.asarray(image))
        return _grey(values), (note,)
    if image.has_transparency_data:
        solid = Image.new("RGBA", image.size, (*background, 255))
        # Premultiplied grey has no direct way to RGBA.
        solid.alpha_composite((image.convert("LA") if mode == "La" else image).convert("RGBA"))
        return solid.convert("RGB"), ("transparency over the background",)
    converted = image.convert("RGB")
    notes = {"CMYK": "CMYK converted", "P": "palette converted", "1": "1-bit converted"}
    return converted, ((notes[mode],) if mode in notes else ())


def array_to_image(array: Array) -> Image.Image | Failure:
    """The image of an array, in mode L, RGB or RGBA.

    >>> array_to_image(np.ones((2, 3, 3))).getpixel((0, 0))
    (255, 255, 255)
    >>> print(array_to_image(np.zeros((3, 8, 8), dtype=np.uint8)))
    unsupported_type: uint8 array of shape (3, 8, 8); accepted: arrays of shape (H, W), ...
    """
    if not is_image_like(array):
        return unsupported_array(array)
    values = _eight_bits(array[:, :, 0] if array.shape[2:] == (1,) else array)
    if isinstance(values, Failure):
        return values
    return unsupported_array(array) if values is None else Image.fromarray(values)


def is_image_like(array: Array) -> bool:
    """Whether shape and type are an image's; the values are another matter.

    >>> is_image_like(np.zeros((8, 8, 3))), is_image_like(np.zeros(512))
    (True, False)
    """
    is_numeric = array.dtype.kind in "bf" or array.dtype.str[1:] in ("u1", "u2")
    return is_numeric and (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4)))


def unsupported_array(array: Array) -> Failure:
    """The Failure of an array that is no image, with what is accepted."""
    return Failure(
        "unsupported_type",
        f"{array.dtype} array of shape {array.shape}; accepted: {ACCEPTED_ARRAYS}",
    )


def from_16_bit(values: Array) -> Array:
    """uint16 values as uint8: divided by 257 and rounded."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _eight_bits(pixels: Array) -> Array | Failure | None:
    """`pixels` as uint8, contiguous; None when their range is not accepted."""
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype.kind == "u":
        return from_16_bit(pixels)
    if not np.isfinite(pixels).all():
        return Failure("corrupt", "NaN or infinity among the pixels")
    # Resizing leaves floats a rounding error outside of [0, 1].
    if pixels.min() < -1e-3 or pixels.max() > 1 + 1e-3:
        return None
    return np.rint(np.clip(pixels.astype(np.float32), 0, 1) * 255).astype(np.uint8)


def _from_wide(values: Array) -> tuple[Array, str]:
    """Greys of mode I or F as uint8, and how they were scaled."""
    if not np.isfinite(values).all():
        raise ValueError("NaN or infinity among the pixels")
    low, high = float(values.min()), float(values.max())
    if values.dtype.kind == "i" and low >= 0 and high <= 65_535:
        # Pillow also holds 16-bit greys in 32-bit integers.
        return from_16_bit(values), "16-bit scaled to 8-bit"
    if values.dtype.kind == "f" and low >= 0 and high <= 1:
        return np.rint(values * 255).astype(np.uint8), "float scaled to 8-bit"
    spread = (values.astype(np.float64) - low) / ((high - low) or 1.0)
    return np.rint(spread * 255).astype(np.uint8), f"stretched from {low:g} to {high:g}"


def _grey(values: Array) -> Image.Image:
    return Image.fromarray(values).convert("RGB")
