"""Pixels of any kind become 8-bit RGB: scaled and not clipped, over a background."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

_BAND_PIXELS = 1 << 20
_LEAST_16_BIT = 1 << 14
"""Divided by 257, fewer than 64 of 256 levels would be left below it."""

ACCEPTED_ARRAYS = (
    "arrays of shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) and type uint8, uint16, bool or "
    "float within [0, 1]"
)


def channels_last(array: Array) -> Array:
    """An array whose channels come first, as torchvision has them, as one whose channels come last.

    >>> channels_last(np.zeros((3, 4, 6))).shape, channels_last(np.zeros((4, 6, 3))).shape
    ((4, 6, 3), (4, 6, 3))
    """
    channels = (1, 3, 4)
    if array.ndim == 3 and array.shape[0] in channels and array.shape[2] not in channels:
        return np.ascontiguousarray(np.moveaxis(array, 0, -1))
    return array


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1, which is upright, if there is none or it cannot be read."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # broken EXIF raises almost anything, and the pixels are fine without it
        return 1
    return value if isinstance(value, int) and value in _UPRIGHT else 1


def upright(image: Image.Image, orientation: int) -> tuple[Image.Image, tuple[str, ...]]:
    """`image` turned as its EXIF orientation says."""
    turn = _UPRIGHT.get(orientation)
    return (image, ()) if turn is None else (image.transpose(turn), ("turned upright",))


def to_rgb(
    image: Image.Image, background: tuple[int, int, int], *, white: int | None = None
) -> tuple[Image.Image, tuple[str, ...]]:
    """`image` in mode RGB, and a note for each conversion; `image` itself if it is in that mode.

    16-bit values are divided by 257, so that 65,535 becomes 255; where none reaches 16,384, as in the
    pictures of 10-, 12- and 14-bit cameras, they are stretched up to the greatest. Integers and floats
    of wider range are stretched from their least to their greatest value. Transparent pixels lie over
    `background`. Large pictures are converted in bands, so that no more than a band stands twice in
    memory.

    Parameters
    ----------
    image
        In any mode.
    background
        Red, green and blue, 0 to 255.
    white
        The greatest 16-bit value that there can be, where the file tells it.

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
        return _from_16_bit_image(image, background, white)
    if mode in ("I", "F"):
        return _from_wide(image)
    if image.has_transparency_data:
        solid = _by_bands(image, lambda band: _over(band, background))
        return solid, ("transparency over the background",)
    if mode == "RGB":
        return image, ()
    notes = {"CMYK": "CMYK converted", "P": "palette converted", "1": "1-bit converted"}
    converted = _by_bands(image, lambda band: band.convert("RGB"))
    return converted, ((notes[mode],) if mode in notes else ())


def differing_share(image: Image.Image, other: Image.Image) -> float:
    """The share of the pixels, in [0, 1], that two images of one size and mode do not have in common.

    >>> differing_share(Image.new("RGB", (4, 2)), Image.new("RGB", (4, 2), "red"))
    1.0
    """
    n_different = 0
    for band, against in zip(_arrays(image), _arrays(other), strict=True):
        differs = band != against
        n_different += int(np.count_nonzero(differs.any(axis=2) if differs.ndim == 3 else differs))
    return n_different / (image.width * image.height)


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


def _scaled(values: Array, white: int) -> Array:
    """Integers up to `white` as uint8, rounded."""
    return ((values.astype(np.uint32) * 255 + white // 2) // white).clip(max=255).astype(np.uint8)


def _white_of(greatest: int) -> tuple[int, str]:
    """The 16-bit value to show as white, and the note."""
    if 0 < greatest < _LEAST_16_BIT:
        return greatest, f"16-bit stretched from 0 to {greatest}"
    return 65_535, "16-bit scaled to 8-bit"


def _eight_bits(pixels: Array) -> Array | Failure | None:
    """`pixels` as uint8, contiguous; None when their range is not accepted."""
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype.kind == "u":
        return _scaled(pixels, _white_of(int(pixels.max(initial=0)))[0])
    if not np.isfinite(pixels).all():
        return Failure("corrupt", "NaN or infinity among the pixels")
    # Resizing leaves floats a rounding error outside of [0, 1].
    if pixels.min() < -1e-3 or pixels.max() > 1 + 1e-3:
        return None
    return np.rint(np.clip(pixels.astype(np.float32), 0, 1) * 255).astype(np.uint8)


def _from_16_bit_image(
    image: Image.Image, background: tuple[int, int, int], white: int | None
) -> tuple[Image.Image, tuple[str, ...]]:
    if white is None or not 0 < white < 65_535:
        greatest = max(int(values.max()) for values in _arrays(image))
        white, note = _white_of(greatest)
    else:
        note = f"{white.bit_length()}-bit scaled to 8-bit"
    most = white
    see_through = image.info.get("transparency")
    if not isinstance(see_through, int):
        return _by_bands(image, lambda band: _grey(_scaled(np.asarray(band), most))), (note,)

    def over(band: Image.Image) -> Image.Image:
        values = np.asarray(band)
        pixels = np.repeat(_scaled(values, most)[..., None], 3, axis=2)
        pixels[values == see_through] = background
        return Image.fromarray(pixels)

    return _by_bands(image, over), (note, "transparency over the background")


def _from_wide(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """Greys of mode I or F as RGB, and how they were scaled."""
    bounds = []
    for values in _arrays(image):
        if not np.isfinite(values).all():
            raise ValueError("NaN or infinity among the pixels")
        bounds.append((float(values.min()), float(values.max())))
    low, high = min(least for least, _ in bounds), max(greatest for _, greatest in bounds)
    if image.mode == "I" and low >= 0 and high <= 65_535:
        # Pillow also holds 16-bit greys in 32-bit integers.
        white, note = _white_of(int(high))
        return _by_bands(image, lambda band: _grey(_scaled(np.asarray(band), white))), (note,)
    note = f"stretched from {low:g} to {high:g}"
    if image.mode == "F" and low >= 0 and high <= 1:
        low, high, note = 0.0, 1.0, "float scaled to 8-bit"

    def stretch(band: Image.Image) -> Image.Image:
        spread = (np.asarray(band).astype(np.float64) - low) / ((high - low) or 1.0)
        return _grey(np.rint(spread * 255).astype(np.uint8))

    return _by_bands(image, stretch), (note,)


def _over(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    solid = Image.new("RGBA", image.size, (*background, 255))
    # Premultiplied grey has no direct way to RGBA.
    solid.alpha_composite((image.convert("LA") if image.mode == "La" else image).convert("RGBA"))
    return solid.convert("RGB")


def _grey(values: Array) -> Image.Image:
    return Image.fromarray(values).convert("RGB")


def _by_bands(image: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """`convert` of each band, put together in mode RGB."""
    if image.width * image.height <= _BAND_PIXELS:
        return convert(image)
    whole = Image.new("RGB", image.size)
    for band, top in _bands(image):
        whole.paste(convert(band), (0, top))
    return whole


def _bands(image: Image.Image) -> Iterator[tuple[Image.Image, int]]:
    rows = max(1, _BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height))), top


def _arrays(image: Image.Image) -> Iterator[Array]:
    return (np.asarray(band) for band, _ in _bands(image))
