"""Rendered scenes with known captions: shapes, colours, textures and gradients."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from training.captions import Facts, with_article

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (212, 36, 36),
    "green": (44, 160, 60),
    "blue": (40, 80, 208),
    "yellow": (240, 214, 48),
    "orange": (240, 138, 32),
    "purple": (132, 56, 168),
    "pink": (240, 140, 180),
    "brown": (124, 78, 44),
    "black": (18, 18, 18),
    "white": (244, 244, 244),
    "grey": (130, 130, 130),
}
SHAPES = ("circle", "square", "triangle", "star", "ring", "cross")
_COUNTS = {1: "", 2: "two", 3: "three", 4: "four"}
_SUPERSAMPLING = 2


def _jitter(name: str, rng: np.random.Generator) -> tuple[int, int, int]:
    shade = np.array(COLOURS[name]) + rng.normal(0, 12, 3)
    red, green, blue = (int(value) for value in np.clip(shade, 0, 255))
    return red, green, blue


def _polygon(shape: str, angle: float) -> np.ndarray:
    """Corners of a shape inside the unit circle, turned by `angle`."""
    if shape == "triangle":
        turns, radii = np.arange(3) / 3, np.ones(3)
    elif shape == "square":
        turns, radii = np.arange(4) / 4 + 1 / 8, np.ones(4)
    elif shape == "star":
        turns, radii = np.arange(10) / 10, np.where(np.arange(10) % 2, 0.42, 1.0)
    else:
        arm = np.arctan2(0.3, 1.0) / (2 * np.pi)
        outer = (np.arange(4)[:, None] / 4 + np.array([-arm, arm, 1 / 8])).ravel()
        turns, radii = outer, np.tile([1.0, 1.0, 0.3 * np.sqrt(2)], 4)
    radians = 2 * np.pi * turns - np.pi / 2 + angle
    return np.stack([np.cos(radians), np.sin(radians)], axis=1) * radii[:, None]


def _draw_shape(
    canvas: ImageDraw.ImageDraw,
    shape: str,
    centre: np.ndarray,
    radius: float,
    fill: tuple[int, int, int],
    angle: float,
) -> None:
    box = [*(centre - radius), *(centre + radius)]
    if shape == "circle":
        canvas.ellipse(box, fill=fill)
    elif shape == "ring":
        canvas.ellipse(box, outline=fill, width=max(2, int(radius * 0.36)))
    else:
        corners = _polygon(shape, angle) * radius + centre
        canvas.polygon([(float(x), float(y)) for x, y in corners], fill=fill)


def _background(size: int, name: str, rng: np.random.Generator) -> Image.Image:
    base = np.array(_jitter(name, rng), dtype=np.float32)
    ramp = np.linspace(-1, 1, size, dtype=np.float32) * rng.uniform(0, 16)
    pixels = base + ramp[:, None, None] + rng.normal(0, rng.uniform(0, 6), (size, size, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _shapes(size: int, rng: np.random.Generator) -> tuple[Image.Image, Facts]:
    shape = str(rng.choice(SHAPES))
    colour, back = (str(name) for name in rng.choice(list(COLOURS), 2, replace=False))
    count = int(rng.choice([1, 2, 3, 4], p=[0.55, 0.2, 0.15, 0.1]))
    image = _background(size, back, rng)
    canvas = ImageDraw.Draw(image)
    cells = rng.permutation(4)[:count]
    for cell in cells:
        if count == 1:
            radius = size * rng.uniform(0.18, 0.42)
            centre = size * rng.uniform(0.4, 0.6, 2)
        else:
            radius = size * rng.uniform(0.13, 0.21)
            centre = size * (np.array([cell % 2, cell // 2]) * 0.5 + rng.uniform(0.2, 0.3, 2))
        _draw_shape(canvas, shape, centre, radius, _jitter(colour, rng), rng.uniform(-0.4, 0.4))
    plural = "crosses" if shape == "cross" else f"{shape}s"
    one = count == 1
    noun = shape if one else plural
    lead = "" if one else f"{_COUNTS[count]} "
    plain = with_article(shape) if one else lead + noun
    tinted = with_article(f"{colour} {shape}") if one else f"{lead}{colour} {noun}"
    scenes = {
        plain,
        tinted,
        f"{tinted} on {with_article(back)} background",
        f"{plain} on {with_article(back)} background",
    }
    return image, frozenset(f"scene:{scene}" for scene in scenes)


def _texture(size: int, rng: np.random.Generator) -> tuple[Image.Image, Facts]:
    first, second = (str(name) for name in rng.choice(list(COLOURS), 2, replace=False))
    kind = str(rng.choice(["stripes", "checks", "dots", "gradient", "plain", "noise"]))
    one, two = (np.array(_jitter(name, rng), np.float32) for name in (first, second))
    across, down = np.meshgrid(np.linspace(0, 1, size), np.linspace(0, 1, size))
    pair = f"{first} and {second}"
    if kind == "stripes":
        name, axis = str(rng.choice(["horizontal", "vertical", "diagonal"])), across
        axis = {"horizontal": down, "vertical": across, "diagonal": (across + down) / 1.4}[name]
        weight = (np.floor(axis * int(rng.integers(4, 20)) + rng.random()) % 2).astype(np.float32)
        scenes = {"stripes", f"{name} stripes", f"{pair} stripes", f"{name} {pair} stripes"}
    elif kind == "checks":
        cells = int(rng.integers(3, 14))
        weight = ((np.floor(across * cells) + np.floor(down * cells)) % 2).astype(np.float32)
        scenes = {"a checkerboard", f"{with_article(first)} and {second} checkerboard"}
    elif kind == "dots":
        cells, radius = int(rng.integers(3, 12)), rng.uniform(0.2, 0.42)
        u, v = (across * cells) % 1 - 0.5, (down * cells) % 1 - 0.5
        weight = (u * u + v * v < radius * radius).astype(np.float32)
        scenes = {"dots", f"{second} dots", f"{second} dots on {with_article(first)} background"}
    elif kind == "gradient":
        turn = rng.uniform(0, 2 * np.pi)
        weight = np.cos(turn) * across + np.sin(turn) * down
        weight = (weight - weight.min()) / np.ptp(weight)
        scenes = {"a gradient", f"a gradient of {pair}"}
    elif kind == "plain":
        weight = np.zeros_like(across)
        scenes = {"a plain background", f"a plain {first} background", f"a {first} background"}
    else:
        cells = int(rng.integers(12, 96))
        field = Image.fromarray((rng.random((cells, cells)) * 255).astype(np.uint8))
        weight = np.asarray(field.resize((size, size), Image.Resampling.BICUBIC)) / 255.0
        scenes = {"a texture", f"a texture of {pair}"}
    pixels = one + (two - one) * weight[..., None].astype(np.float32)
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return image, frozenset(f"scene:{scene}" for scene in scenes)


def render_scene(size: int, rng: np.random.Generator) -> tuple[Image.Image, Facts]:
    """A rendered scene and everything its captions may say."""
    draw = _shapes if rng.random() < 0.7 else _texture
    image, facts = draw(size * _SUPERSAMPLING, rng)
    image = image.resize((size, size), Image.Resampling.LANCZOS)
    return image, facts | {"medium:drawing"}
