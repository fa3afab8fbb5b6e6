"""Cheap statistics of a picture's pixels, taken while they are at hand: is it dark, blurred, small?"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

QUALITY_FIELDS: Final = (
    "brightness",
    "contrast",
    "sharpness",
    "saturation",
    "width",
    "height",
    "bytes_per_pixel",
    "missing_share",
)
"""What `measure` returns, in its order."""
LONGEST_SIDE: Final = 384
"""Larger pictures are averaged in square blocks until no side is longer: cost is bounded, and sharpness
is judged at about the scale that an encoder sees."""
_LUMA: Final = np.array([0.299, 0.587, 0.114], dtype=np.float32) / 255
"""Weights of ITU-R BT.601, for values 0 to 255."""
_LEAST_CONTRAST: Final = 1 / 255
"""A picture with less has no edges whose width could be told: its ripples are rounding."""
_ROUNDING: Final = 20 / 12 / 255**2
"""What rounding to 8 bits adds to the mean squared Laplacian (its weights' squares add up to 20) where
the picture is not flat."""
_LEAST_RATIO: Final = 2.0**-6
"""Below this, rounding hides the rest."""


def measure(
    pixels: NDArray[np.uint8], *, n_bytes: int | None = None, missing_share: float = 0.0
) -> NDArray[np.float32]:
    """The picture's `QUALITY_FIELDS`.

    - `brightness`, `contrast`: mean and standard deviation of the luma (ITU-R BT.601), in [0, 1] and
      [0, 0.5]. Halving the light halves both.
    - `sharpness`: ½ log₂(Σ(∇²Y)² / Σ|∇Y|²), the logarithm of the inverse width of the edges. Blurring
      every edge to twice its width lowers it by 1; light, contrast and the number of edges cancel out,
      which they do not in the usual variance of the Laplacian (Pech-Pacheco et al. 2000). From −3
      (blurred) to about 1.2 (noise); NaN for a flat picture, or one less than 3 pixels high or wide.
    - `saturation`: Σ(max − min) / Σ max over the pixels' red, green and blue, in [0, 1]: 0 is grey.
      Weighted by light, so that the noise of black pixels does not count.
    - `width`, `height`: pixels.
    - `bytes_per_pixel`: encoded bytes per pixel, which falls when compression gets harder; NaN when
      `n_bytes` is None.
    - `missing_share`: how much of the picture its file does not hold, in [0, 1]: 0 unless it is cut off.

    Parameters
    ----------
    pixels
        (height, width, 3) uint8, RGB, upright.
    n_bytes
        Length of the encoded image, where there was one.
    missing_share
        Of a file that is cut off.

    Returns
    -------
    (8,) float32.

    Raises
    ------
    ValueError
        If `pixels` has another shape or type.

    Examples
    --------
    >>> grey = np.full((20, 40, 3), 51, dtype=np.uint8)
    >>> for field, value in zip(QUALITY_FIELDS, measure(grey, n_bytes=400)):
    ...     print(f"{field} {value:.3g}", end="; ")
    brightness 0.2; contrast 0; sharpness nan; saturation 0; width 40; height 20; bytes_per_pixel 0.5;
    missing_share 0;
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ValueError(
            f"pixels are {pixels.dtype} of shape {pixels.shape}; "
            "quality is measured on uint8 of shape (height, width, 3), with at least one pixel"
        )
    height, width = pixels.shape[:2]
    red, green, blue = np.moveaxis(_shrunk(pixels), 2, 0)
    luma = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
    greatest = np.maximum(np.maximum(red, green), blue)
    least = np.minimum(np.minimum(red, green), blue)
    light = float(greatest.sum(dtype=np.int64))
    contrast = float(luma.std(dtype=np.float64))
    return np.array(
        [
            luma.mean(dtype=np.float64),
            contrast,
            _sharpness(luma) if contrast >= _LEAST_CONTRAST else np.nan,
            1 - float(least.sum(dtype=np.int64)) / light if light > 0 else 0.0,
            width,
            height,
            np.nan if n_bytes is None else n_bytes / (width * height),
            missing_share,
        ],
        dtype=np.float32,
    )


def _shrunk(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    # Of a huge picture's blocks, 16 pixels or more are enough for a mean.
    step = max(1, max(pixels.shape[:2]) // (4 * LONGEST_SIDE))
    sampled = pixels[::step, ::step]
    factor = -(-max(sampled.shape[:2]) // LONGEST_SIDE)
    return sampled if factor == 1 else np.asarray(Image.fromarray(sampled).reduce(factor))


def _sharpness(luma: NDArray[np.float32]) -> float:
    if min(luma.shape) < 3:
        return np.nan
    across, down = np.diff(luma, axis=1), np.diff(luma, axis=0)
    laplacian = np.diff(across, axis=1)[1:-1] + np.diff(down, axis=0)[:, 1:-1]
    gradient = np.square(across).mean(dtype=np.float64) + np.square(down).mean(dtype=np.float64)
    curvature = np.square(laplacian).mean(dtype=np.float64)
    rounding = _ROUNDING * np.count_nonzero(laplacian) / laplacian.size
    ratio = (curvature - rounding) / gradient
    return float(0.5 * np.log2(max(ratio, _LEAST_RATIO)))
