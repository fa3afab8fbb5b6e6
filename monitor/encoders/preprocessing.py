"""A model's preprocessing in two parts: what is done to one picture, and what is done to a batch of numbers.

Done one by one and in floats, the second part costs as much as the decoding of a JPEG: each operation of
torch on so small an image wakes torch's threads, in each of ours. So pictures stay bytes until they are a
batch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

import numpy as np
import torch
from PIL import Image

from monitor.errors import EncoderError
from monitor.geometry import Geometry

FAST_VERSION: Final = "fast preprocessing 1"
"""Stands in the fingerprint; another number means other pixels."""
_PROBES: Final = ((97, 61), (61, 97), (353, 228), (228, 353))
"""Sizes by which a geometry is compared with the steps that it stands for: both ways up, larger and smaller
than models' sides, with halves to round."""


class Preprocessing:
    """open_clip's transform `transform`, with the same result to the last bit.

    Parameters
    ----------
    transform
        A composition of torchvision's that ends with the conversion to a tensor and its normalization. Any
        other is applied as a whole to each image.
    """

    least_side: int | None = None
    """No side of a picture need be longer; None where it must come in full."""

    def __init__(self, transform: Callable[[Image.Image], torch.Tensor]) -> None:
        self._transform = transform
        steps: list[Any] = list(getattr(transform, "transforms", ()))
        names = [type(step).__name__ for step in steps[-2:]]
        self._is_split = names in (["MaybeToTensor", "Normalize"], ["ToTensor", "Normalize"])
        self._of_picture = steps[:-2]
        if self._is_split:
            self._mean, self._std = (
                torch.as_tensor(values, dtype=torch.float32)[:, None, None]
                for values in (steps[-1].mean, steps[-1].std)
            )

    def picture(self, image: Image.Image) -> torch.Tensor:
        """(3, height, width): uint8 where the rest is left to `batch`, else floats."""
        if not self._is_split:
            return self._transform(image)
        return torch.from_numpy(np.array(self._steps(image))).permute(2, 0, 1)

    @cached_property
    def geometry(self) -> Geometry | None:
        """What is done to one picture, where it is known and, on some of all shapes, gives the same."""
        geometry = self._named_geometry()
        if geometry is None:
            return None
        noise = np.random.default_rng(0)
        for width, height in _PROBES:
            pixels = noise.integers(0, 256, (height, width, 3), dtype=np.uint8)
            image = Image.fromarray(pixels)
            if not np.array_equal(geometry.pixels(image), np.array(self._steps(image))):
                return None
        return geometry

    def _named_geometry(self) -> Geometry | None:
        """The geometry that the steps' names and sizes tell of."""
        if not self._is_split or len(self._of_picture) < 2:
            return None
        resize, crop, *_ = self._of_picture
        names = [type(step).__name__ for step in (resize, crop)]
        side = getattr(resize, "size", None)
        if names != ["Resize", "CenterCrop"] or not isinstance(side, int):
            return None
        return Geometry(side, resize.interpolation.name)

    def _steps(self, image: Image.Image) -> Image.Image:
        for step in self._of_picture:
            image = step(image)
        return image

    def batch(self, pictures: torch.Tensor) -> torch.Tensor:
        """(n, 3, height, width) floats, as the model takes them, of stacked pictures on any device."""
        if pictures.dtype != torch.uint8:
            return pictures
        if self._mean.device != pictures.device:
            # They stay there: each copy would wait for what the device does.
            self._mean, self._std = (
                values.to(pictures.device) for values in (self._mean, self._std)
            )
        return pictures.to(torch.float32).div_(255).sub_(self._mean).div_(self._std)


class FastPreprocessing(Preprocessing):
    """The same geometry in one step: only what the model sees is resized.

    Raises
    ------
    EncoderError
        If the model's preprocessing is not "resize the shorter side, cut out the centre" to a square.
    """

    def __init__(self, transform: Callable[[Image.Image], torch.Tensor]) -> None:
        super().__init__(transform)
        exact = self._named_geometry()
        if exact is None:
            names = [type(step).__name__ for step in self._of_picture]
            raise EncoderError(
                f"preprocessing='fast' does not know this model's geometry ({', '.join(names)}); "
                "it needs a square cut out of the centre: use preprocessing='exact'"
            )
        self._fast = Geometry(exact.side, exact.resample, is_fast=True)
        self.least_side = exact.side

    @property
    def geometry(self) -> Geometry:
        """What is done to one picture."""
        return self._fast

    def picture(self, image: Image.Image) -> torch.Tensor:
        """(3, side, side) uint8."""
        return torch.from_numpy(self._fast.pixels(image)).permute(2, 0, 1)
