"""Pictures of a little shop, drawn here, with captions that are known to be true."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

SIZE: Final = 160
_SCALE: Final = 2  # drawn at twice the size and shrunk, for smooth edges
_SIDE: Final = SIZE * _SCALE

Colour = tuple[int, int, int]
COLOURS: Final[dict[str, Colour]] = {
    "red": (196, 52, 48),
    "orange": (232, 134, 46),
    "yellow": (238, 200, 62),
    "green": (74, 142, 76),
    "blue": (52, 104, 178),
    "purple": (118, 78, 152),
    "white": (240, 236, 228),
    "brown": (132, 88, 56),
}


@dataclass(frozen=True)
class Picture:
    """An image and what it shows.

    Parameters
    ----------
    image
        RGB, `SIZE` pixels square.
    kind
        One of `KINDS` or `NEW_KIND`.
    caption
        Such as "a drawing of a blue mug".
    """

    image: Image.Image
    kind: str
    caption: str

    def jpeg(self) -> bytes:
        """The image as a JPEG file."""
        buffer = io.BytesIO()
        self.image.save(buffer, "JPEG", quality=88)
        return buffer.getvalue()


def draw(kind: str, rng: np.random.Generator, *, brightness: float = 1.0) -> Picture:
    """Draw one picture of `kind`, different each time.

    Parameters
    ----------
    kind
        One of `KINDS` or `NEW_KIND`.
    rng
        Decides colour, place, size, background and grain.
    brightness
        1 as drawn; below 1 darker, as under bad light.

    Examples
    --------
    >>> picture = draw("mug", np.random.default_rng(0))
    >>> picture.caption, picture.image.size
    ('a drawing of a white mug', (160, 160))
    """
    colour = str(rng.choice(list(COLOURS)))
    sprite = Image.new("RGBA", (_SIDE, _SIDE))
    _DRAWERS[kind](ImageDraw.Draw(sprite), COLOURS[colour], rng)
    size = int(SIZE * rng.uniform(0.8, 1.1))
    sprite = _turned(sprite, rng.uniform(-8, 8)).resize((size, size), Image.Resampling.BOX)
    x, y = (int((SIZE - size) / 2 + rng.uniform(-0.06, 0.06) * SIZE) for _ in range(2))
    shadow = Image.new("RGBA", sprite.size, (20, 20, 30, 255))
    shadow.putalpha(sprite.getchannel("A").point(lambda a: a // 4))
    image = _background(rng)
    image.paste(shadow, (x + 4, y + 5), shadow)
    image.paste(sprite, (x, y), sprite)
    image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 0.5))))
    image = ImageEnhance.Brightness(image).enhance(brightness * float(rng.uniform(0.92, 1.08)))
    grain = np.floor(rng.normal(0, rng.uniform(1, 4), (SIZE, SIZE, 1))).astype(np.int16)
    article = "an" if colour[0] in "aeiou" else "a"
    pixels = np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)
    return Picture(Image.fromarray(pixels), kind, f"a drawing of {article} {colour} {kind}")


def _background(rng: np.random.Generator) -> Image.Image:
    """A wall above a table, in muted colours, lit from one side."""
    wall = rng.uniform(190, 232) + rng.normal(0, 9, 3)
    table = rng.uniform(130, 190) + rng.normal(0, 14, 3)
    horizon = int(SIZE * rng.uniform(0.62, 0.8))
    light = np.linspace(rng.uniform(-24, 24), rng.uniform(-24, 24), SIZE)[None, :, None]
    rows = np.clip(np.stack([wall, table])[:, None] + light, 0, 255).astype(np.uint8)
    return Image.fromarray(np.repeat(rows, [horizon, SIZE - horizon], axis=0))


def _turned(sprite: Image.Image, degrees: float) -> Image.Image:
    """`sprite` turned about its middle; only what is drawn on is computed, as most of it is empty."""
    left, top, right, bottom = sprite.getbbox() or (0, 0, 1, 1)
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    corners = [
        (cos * x + sin * y, cos * y - sin * x)
        for x in (left - _SIDE / 2, right - _SIDE / 2)
        for y in (top - _SIDE / 2, bottom - _SIDE / 2)
    ]
    x0, y0 = (max(0, math.floor(min(c) + _SIDE / 2) - 2) for c in zip(*corners, strict=True))
    x1, y1 = (min(_SIDE, math.ceil(max(c) + _SIDE / 2) + 2) for c in zip(*corners, strict=True))
    middle = (_SIDE / 2 - x0, _SIDE / 2 - y0)
    part = sprite.crop((x0, y0, x1, y1)).rotate(degrees, Image.Resampling.BILINEAR, center=middle)
    turned = Image.new("RGBA", sprite.size)
    turned.paste(part, (x0, y0))
    return turned


def _box(*fractions: float) -> tuple[float, ...]:
    return tuple(fraction * _SIDE for fraction in fractions)


def _points(*fractions: tuple[float, float]) -> list[tuple[float, float]]:
    return [(x * _SIDE, y * _SIDE) for x, y in fractions]


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, int(c * factor)) for c in colour)
    return red, green, blue


def _mug(pen: ImageDraw.ImageDraw, colour: Colour, rng: np.random.Generator) -> None:
    pen.arc(_box(0.58, 0.38, 0.84, 0.66), -100, 100, fill=_shade(colour, 0.8), width=26)
    pen.rounded_rectangle(_box(0.26, 0.3, 0.66, 0.78), 40, fill=colour)
    pen.rectangle(_box(0.3, 0.36, 0.36, 0.7), fill=_shade(colour, 1.25))
    pen.ellipse(_box(0.26, 0.25, 0.66, 0.36), fill=_shade(colour, 0.6))
    pen.ellipse(_box(0.29, 0.27, 0.63, 0.35), fill=(70, 44, 30))


def _apple(pen: ImageDraw.ImageDraw, colour: Colour, rng: np.random.Generator) -> None:
    pen.ellipse(_box(0.24, 0.32, 0.58, 0.8), fill=colour)
    pen.ellipse(_box(0.42, 0.32, 0.76, 0.8), fill=colour)
    pen.ellipse(_box(0.3, 0.4, 0.4, 0.54), fill=_shade(colour, 1.3))
    pen.line(_points((0.5, 0.38), (0.54, 0.2)), fill=(92, 64, 40), width=14)
    pen.ellipse(_box(0.54, 0.18, 0.72, 0.28), fill=(88, 150, 70))


def _shirt(pen: ImageDraw.ImageDraw, colour: Colour, rng: np.random.Generator) -> None:
    body = _points(
        (0.36, 0.22), (0.44, 0.27), (0.56, 0.27), (0.64, 0.22), (0.86, 0.36), (0.78, 0.5),
        (0.68, 0.44), (0.68, 0.82), (0.32, 0.82), (0.32, 0.44), (0.22, 0.5), (0.14, 0.36),
    )  # fmt: skip
    pen.polygon(body, fill=colour)
    pen.line([*body, body[0]], fill=_shade(colour, 0.7), width=6)
    if rng.random() < 0.5:
        for y in (0.5, 0.6, 0.7):
            pen.rectangle(_box(0.33, y, 0.67, y + 0.035), fill=_shade(colour, 0.6))


def _plant(pen: ImageDraw.ImageDraw, colour: Colour, rng: np.random.Generator) -> None:
    for angle in rng.uniform(-70, 70, size=int(rng.integers(7, 11))):
        length = rng.uniform(0.26, 0.42)
        x = 0.5 + length * math.sin(math.radians(angle))
        y = 0.6 - length * math.cos(math.radians(angle))
        green = (int(rng.integers(40, 90)), int(rng.integers(110, 160)), int(rng.integers(50, 90)))
        pen.line(_points((0.5, 0.6), (x, y)), fill=green, width=9)
        pen.ellipse(_box(x - 0.07, y - 0.05, x + 0.07, y + 0.05), fill=green)
    pen.polygon(_points((0.34, 0.58), (0.66, 0.58), (0.6, 0.84), (0.4, 0.84)), fill=colour)
    pen.rectangle(_box(0.32, 0.56, 0.68, 0.62), fill=_shade(colour, 0.8))


def _chair(pen: ImageDraw.ImageDraw, colour: Colour, rng: np.random.Generator) -> None:
    wood = _shade(colour, 0.7)
    for x in (0.3, 0.64):
        pen.rectangle(_box(x, 0.16, x + 0.05, 0.86), fill=wood)
    for y in (0.2, 0.3, 0.4):
        pen.rectangle(_box(0.32, y, 0.66, y + 0.05), fill=colour)
    pen.polygon(_points((0.26, 0.56), (0.7, 0.56), (0.78, 0.64), (0.22, 0.64)), fill=colour)
    for x in (0.22, 0.73):
        pen.rectangle(_box(x, 0.64, x + 0.05, 0.9), fill=wood)


def _receipt(pen: ImageDraw.ImageDraw, colour: Colour, rng: np.random.Generator) -> None:
    pen.rectangle(_box(0.26, 0.06, 0.74, 0.94), fill=(250, 249, 244))
    pen.rectangle(_box(0.34, 0.11, 0.66, 0.15), fill=(40, 40, 44))
    for y in np.arange(0.2, 0.74, 0.045):
        pen.rectangle(_box(0.31, y, 0.31 + rng.uniform(0.12, 0.24), y + 0.018), fill=(90, 90, 96))
        pen.rectangle(_box(0.62, y, 0.69, y + 0.018), fill=(90, 90, 96))
    x = 0.31
    while x < 0.68:
        stripe = rng.uniform(0.004, 0.014)
        pen.rectangle(_box(x, 0.79, x + stripe, 0.89), fill=(30, 30, 34))
        x += stripe + rng.uniform(0.005, 0.012)


_DRAWERS: Final[dict[str, Callable[[ImageDraw.ImageDraw, Colour, np.random.Generator], None]]] = {
    "mug": _mug,
    "apple": _apple,
    "shirt": _shirt,
    "plant": _plant,
    "chair": _chair,
    "receipt": _receipt,
}
NEW_KIND: Final = "receipt"
KINDS: Final = tuple(kind for kind in _DRAWERS if kind != NEW_KIND)
