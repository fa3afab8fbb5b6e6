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
    image = Image.fromarray(pixels)
    return measure_image(image, n_bytes=n_bytes, missing_share=missing_share)


def measure_image(
    image: Image.Image,
    *,
    size: tuple[int, int] | None = None,
    n_bytes: int | None = None,
    missing_share: float = 0.0,
) -> NDArray[np.float32]:
    """As `measure`, of an image of mode RGB, without a copy of its pixels.

    Parameters
    ----------
    image
        Upright. It may be the picture at a smaller scale, averaged, as a JPEG decoder gives it, down to
        `statistics_size`.
    size
        Width and height of the picture itself, where `image` is smaller.
    n_bytes, missing_share
        As in `measure`.

    Examples
    --------
    >>> measure_image(Image.new("RGB", (40, 20), (51, 51, 51)), n_bytes=400).round(2).tolist()
    [0.2..., 0.0, nan, 0.0, 40.0, 20.0, 0.5, 0.0]
    """
    width, height = size = size or image.size
    red, green, blue = (np.asarray(band) for band in _shrunk(image, size).split())
    luma = _LUMA[0] * red
    luma += _LUMA[1] * green
    luma += _LUMA[2] * blue
    greatest = np.maximum(np.maximum(red, green), blue)
    least = np.minimum(np.minimum(red, green), blue)
    light = _total(greatest)
    brightness = float(luma.sum(axis=1).sum(dtype=np.float64)) / luma.size
    contrast = float(np.sqrt(_mean_square(luma - np.float32(brightness))))
    return np.array(
        [
            brightness,
            contrast,
            _sharpness(luma) if contrast >= _LEAST_CONTRAST else np.nan,
            1 - _total(least) / light if light > 0 else 0.0,
            width,
            height,
            np.nan if n_bytes is None else n_bytes / (width * height),
            missing_share,
        ],
        dtype=np.float32,
    )


def statistics_size(size: tuple[int, int]) -> tuple[int, int]:
    """Width and height at which a picture of width and height `size` is measured.

    Examples
    --------
    >>> statistics_size((4000, 3000)), statistics_size((300, 200))
    ((334, 250), (300, 200))
    """
    step = _step(size)
    width, height = (max(1, side // step) for side in size)
    factor = -(-max(width, height) // LONGEST_SIDE)
    return -(-width // factor), -(-height // factor)


def _step(size: tuple[int, int]) -> int:
    # Of a huge picture's blocks, 16 pixels or more are enough for a mean.
    return max(1, max(size) // (4 * LONGEST_SIDE))


def _shrunk(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    target = statistics_size(size)
    if image.size != size:
        return image if image.size == target else image.resize(target, Image.Resampling.BOX)
    step = _step(size)
    if step > 1:
        width, height = (max(1, side // step) for side in size)
        whole = (0, 0, min(width * step, image.width), min(height * step, image.height))
        image = image.resize((width, height), Image.Resampling.NEAREST, box=whole)
    factor = -(-max(image.size) // LONGEST_SIDE)
    return image if factor == 1 else image.reduce(factor)


def _sharpness(luma: NDArray[np.float32]) -> float:
    if min(luma.shape) < 3:
        return np.nan
    across, down = luma[:, 1:] - luma[:, :-1], luma[1:] - luma[:-1]
    laplacian = across[1:-1, 1:] - across[1:-1, :-1]
    laplacian += down[1:, 1:-1]
    laplacian -= down[:-1, 1:-1]
    gradient = _mean_square(across) + _mean_square(down)
    rounding = _ROUNDING * np.count_nonzero(laplacian != 0) / laplacian.size
    ratio = (_mean_square(laplacian) - rounding) / gradient
    return float(0.5 * np.log2(max(ratio, _LEAST_RATIO)))


def _total(values: NDArray[np.uint8]) -> float:
    # No side is longer than LONGEST_SIDE, so that 32 bits are enough.
    return float(values.sum(dtype=np.uint32))


def _mean_square(values: NDArray[np.float32]) -> float:
    # A row's sum is exact to about 1e-6 in float32; no array of squares is made.
    return float(np.einsum("ij,ij->i", values, values).sum(dtype=np.float64)) / values.size
