"""Degradations of an image, each with the word a caption would use for it."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

STRONG = ("blurry", "dark", "bright", "noisy", "pixelated", "compressed", "grey")
_CHANCES = (0.3, 0.28, 0.1, 0.1, 0.08, 0.07, 0.07)


def degrade(image: Image.Image, state: str, rng: np.random.Generator) -> Image.Image:
    """Apply one named degradation; strengths are relative to the size of the image."""
    side = min(image.size)
    if state == "blurry":
        # About half a pixel at 32 px is the mildest blur that people still call blurred.
        radius = side * np.exp(rng.uniform(np.log(0.012), np.log(0.05)))
        return image.filter(ImageFilter.GaussianBlur(float(radius)))
    if state == "dark":
        return ImageEnhance.Brightness(image).enhance(rng.uniform(0.2, 0.62))
    if state == "bright":
        return ImageEnhance.Brightness(image).enhance(rng.uniform(1.6, 2.4))
    if state == "noisy":
        pixels = np.asarray(image, dtype=np.float32)
        noise = rng.normal(0, rng.uniform(20, 60), pixels.shape)
        return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))
    if state == "pixelated":
        cells = int(rng.integers(20, 44))
        small = image.resize((cells, cells), Image.Resampling.BOX)
        return small.resize(image.size, Image.Resampling.NEAREST)
    if state == "compressed":
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=int(rng.integers(3, 12)))
        with Image.open(buffer) as reread:
            return reread.convert("RGB")
    if state == "grey":
        return ImageOps.grayscale(image).convert("RGB")
    raise ValueError(f"unknown degradation {state!r}")


def draw_state(rng: np.random.Generator) -> str:
    """Draw a degradation; blur and darkness, the two the benchmark asks for, most often."""
    return str(rng.choice(STRONG, p=_CHANCES))


def jitter(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Mild changes of colour and light that no caption mentions."""
    if rng.random() < 0.6:
        image = ImageEnhance.Brightness(image).enhance(rng.uniform(0.8, 1.25))
        image = ImageEnhance.Contrast(image).enhance(rng.uniform(0.75, 1.25))
        image = ImageEnhance.Color(image).enhance(rng.uniform(0.5, 1.4))
    if rng.random() < 0.15:
        turned = np.asarray(image.convert("HSV")).copy()
        turned[..., 0] += rng.integers(0, 256, dtype=np.uint8)
        image = Image.fromarray(turned, "HSV").convert("RGB")
    return image
