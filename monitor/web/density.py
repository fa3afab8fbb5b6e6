"""A cloud as a picture that the server draws: for browsers without WebGL, and for links in a chat."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from monitor.web.cloud import Cloud

SIDE: Final = 720
_BASELINE = (120, 128, 140)
_WINDOW = (213, 94, 0)
"""Grey and vermilion of Okabe and Ito (2008): told apart by everybody, also by lightness."""


def density_png(cloud: Cloud) -> bytes:
    """A transparent PNG of `SIDE` pixels: the baseline below, the windows above."""
    layers = np.zeros((SIDE, SIDE, 4), dtype=np.float64)
    for mask, colour in ((~cloud.is_window, _BASELINE), (cloud.is_window, _WINDOW)):
        alpha = _density(cloud.xy[mask])
        layers[..., :3] = layers[..., :3] * (1 - alpha[..., None]) + alpha[..., None] * colour
        layers[..., 3] = layers[..., 3] * (1 - alpha) + alpha * 255
    visible = np.maximum(layers[..., 3:], 1e-9) / 255
    layers[..., :3] = np.clip(layers[..., :3] / visible, 0, 255)
    buffer = io.BytesIO()
    Image.fromarray(layers.round().astype(np.uint8), "RGBA").save(buffer, "PNG", optimize=False)
    return buffer.getvalue()


def _density(xy: NDArray[np.float32]) -> NDArray[np.float64]:
    """(SIDE, SIDE) in [0, 1], the top row first: how many points lie there, on a scale of logarithms."""
    if not len(xy):
        return np.zeros((SIDE, SIDE))
    cells = np.clip(((xy + 1) / 2 * SIDE).astype(np.int64), 0, SIDE - 1)
    counts = np.bincount(cells[:, 1] * SIDE + cells[:, 0], minlength=SIDE * SIDE)
    grid = np.log1p(counts.reshape(SIDE, SIDE)[::-1].astype(np.float64))
    # A point alone is a dot that can be seen, not a pixel.
    padded = np.pad(grid, 1)
    around = [
        padded[1 + dy : 1 + dy + SIDE, 1 + dx : 1 + dx + SIDE]
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
    ]
    spread = np.max(around, axis=0)
    highest = spread.max()
    shade: NDArray[np.float64] = np.where(spread > 0, 0.25 + 0.75 * spread / highest, 0.0)
    return shade
