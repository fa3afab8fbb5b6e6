"""A model's preprocessing in two parts: what is done to one picture, and what is done to a batch of numbers.

Done one by one and in floats, the second part costs as much as the decoding of a JPEG: each operation of
torch on so small an image wakes torch's threads, in each of ours. So pictures stay bytes until they are a
batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from PIL import Image

from monitor.errors import EncoderError

FAST_VERSION: Final = "fast preprocessing 1"
"""Stands in the fingerprint; another number means other pixels."""


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
        return torch.from_numpy(np.array(self._geometry(image))).permute(2, 0, 1)

    def _geometry(self, image: Image.Image) -> Image.Image:
        for step in self._of_picture:
            image = step(image)
        return image

    def batch(self, pictures: torch.Tensor) -> torch.Tensor:
        """(n, 3, height, width) floats, as the model takes them, of stacked pictures on any device."""
        if pictures.dtype != torch.uint8:
            return pictures
        scaled = pictures.to(torch.float32).div_(255)
        return scaled.sub_(self._mean.to(scaled.device)).div_(self._std.to(scaled.device))


class FastPreprocessing(Preprocessing):
    """The same geometry in one step: only what the model sees is resized.

    Raises
    ------
    EncoderError
        If the model's preprocessing is not "resize the shorter side, cut out the centre" to a square.
    """

    def __init__(self, transform: Callable[[Image.Image], torch.Tensor]) -> None:
        super().__init__(transform)
        names = [type(step).__name__ for step in self._of_picture]
        size = getattr(self._of_picture[0], "size", None) if self._is_split else None
        if names[:2] != ["Resize", "CenterCrop"] or not isinstance(size, int):
            raise EncoderError(
                f"preprocessing='fast' does not know this model's geometry ({', '.join(names)}); "
                "it needs a square cut out of the centre: use preprocessing='exact'"
            )
        self.least_side = size
        self._resample = Image.Resampling[self._of_picture[0].interpolation.name]

    def _geometry(self, image: Image.Image) -> Image.Image:
        side = self.least_side
        assert side is not None
        shorter = min(image.size)
        # As torchvision rounds them, so that nothing is shifted against the exact way.
        width, height = (int(side * length / shorter) for length in image.size)
        left, top = round((width - side) / 2), round((height - side) / 2)
        across, down = image.width / width, image.height / height
        crop = (left * across, top * down, (left + side) * across, (top + side) * down)
        # Beyond three times the size needed, averaging blocks first is as good and a multiple as fast.
        return image.convert("RGB").resize((side, side), self._resample, box=crop, reducing_gap=3.0)
