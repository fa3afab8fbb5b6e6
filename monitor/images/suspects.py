"""The changes of a pipeline that are most often at fault when images drift, as functions of a picture."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

_SIDES_A_BLUR: Final = 160
"""A blur's standard deviation is the longer side over this, about 2.5 pixels of 400, and at least a pixel:
less would leave small images as they are."""
_GREY: Final = (128, 128, 128)


def _blurred(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(max(1.0, max(image.size) / _SIDES_A_BLUR)))


def _compressed(image: Image.Image) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=10)
    return Image.open(stream).convert("RGB")


def _scaled_down(image: Image.Image) -> Image.Image:
    size = (max(8, image.width // 4), max(8, image.height // 4))
    return image.resize(size, Image.Resampling.BILINEAR)


def _swapped(image: Image.Image) -> Image.Image:
    red, green, blue = image.split()
    return Image.merge("RGB", (blue, green, red))


def _letterboxed(image: Image.Image, grey: int = 0) -> Image.Image:
    side = max(image.size) * 4 // 3 if image.width == image.height else max(image.size)
    size = (side, image.height) if image.width == image.height else (side, side)
    return ImageOps.pad(image, size, color=(grey, grey, grey))


def _cropped(image: Image.Image) -> Image.Image:
    width, height = image.size
    return image.crop((width // 5, height // 5, max(width * 4 // 5, 1), max(height * 4 // 5, 1)))


def _squashed(image: Image.Image) -> Image.Image:
    return image.resize((image.width, max(8, image.height * 3 // 5)))


def _with_channels_times(image: Image.Image, *factors: float) -> Image.Image:
    channels = zip(image.split(), factors, strict=True)
    return Image.merge("RGB", [channel.point(_scale(factor)) for channel, factor in channels])


def _scale(factor: float) -> list[int]:
    return [min(255, round(value * factor)) for value in range(256)]


def _washed_out(image: Image.Image) -> Image.Image:
    return Image.blend(image, Image.new("RGB", image.size, _GREY), 0.5)


def _cut_off(image: Image.Image) -> Image.Image:
    # As decoders fill what a truncated file lacks.
    image = image.copy()
    image.paste(_GREY, (0, image.height * 3 // 5, image.width, image.height))
    return image


def _noisy(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image, dtype=np.float32)
    noise = np.random.default_rng(0).normal(0, 25, pixels.shape)
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))


def _overlaid(image: Image.Image) -> Image.Image:
    image = image.copy()
    side = max(4, min(image.size) // 3)
    right, bottom = image.size
    draw = ImageDraw.Draw(image)
    draw.rectangle((right - side, bottom - side // 2, right - 1, bottom - 1), fill=(220, 30, 40))
    draw.ellipse(
        (right - side, bottom - side // 2, right - side // 2, bottom - 1), fill=(255, 255, 255)
    )
    return image


SUSPECTS: Final[Mapping[str, Callable[[Image.Image], Image.Image]]] = MappingProxyType(
    {
        "blurred": _blurred,
        "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.5),
        "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.6),
        "compressed hard": _compressed,
        "scaled down": _scaled_down,
        "grey": lambda image: ImageOps.grayscale(image).convert("RGB"),
        "red and blue swapped": _swapped,
        "washed out": _washed_out,
        "harsher in contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.8),
        "more colourful": lambda image: ImageEnhance.Color(image).enhance(2.0),
        "warmer in colour": lambda image: _with_channels_times(image, 1.25, 1.0, 0.75),
        "colder in colour": lambda image: _with_channels_times(image, 0.75, 1.0, 1.25),
        "sharpened": lambda image: image.filter(ImageFilter.UnsharpMask(3, 200)),
        "letterboxed": _letterboxed,
        "letterboxed in white": lambda image: _letterboxed(image, 255),
        "cropped": _cropped,
        "tilted": lambda image: image.rotate(5, resample=Image.Resampling.BILINEAR),
        "turned by 90°": lambda image: image.transpose(Image.Transpose.ROTATE_90),
        "upside down": lambda image: image.transpose(Image.Transpose.ROTATE_180),
        "squashed": _squashed,
        "squashed sideways": lambda image: image.resize(
            (max(8, image.width * 3 // 5), image.height)
        ),
        "mirrored": ImageOps.mirror,
        "inverted": ImageOps.invert,
        "noisy": _noisy,
        "cut off at the bottom": _cut_off,
        "overlaid with a logo": _overlaid,
    }
)
"""What is done to an RGB picture, in words ─► the function that does it.

Examples
--------
>>> picture = Image.new("RGB", (40, 30), (200, 0, 0))
>>> SUSPECTS["red and blue swapped"](picture).getpixel((0, 0))
(0, 0, 200)
"""
