"""What a model's preprocessing does to a picture before it becomes numbers, as plain data.

Small and without torch, so that processes that do nothing but read can do it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_REDUCING_GAP: Final = 3.0
"""Beyond three times the size needed, averaging blocks first is as good and a multiple as fast."""


@dataclass(frozen=True)
class Geometry:
    """The shorter side resized to `side`, and the square in the centre cut out.

    Parameters
    ----------
    side
        Width and height of what the model sees, in pixels.
    resample
        The filter, as a member of Pillow's `Image.Resampling` is named.
    is_fast
        Resize only what is cut out, of pictures that may come smaller; else the whole picture, as torchvision
        does, to the last bit.

    Examples
    --------
    >>> Geometry(32, "BICUBIC").pixels(Image.new("RGB", (80, 60), "red")).shape
    (32, 32, 3)
    """

    side: int
    resample: str
    is_fast: bool = False

    @property
    def least_side(self) -> int | None:
        """No side of a picture need be longer; None where it must come in full."""
        return self.side if self.is_fast else None

    def pixels(self, image: Image.Image) -> NDArray[np.uint8]:
        """(side, side, 3) uint8 of `image`."""
        square = self._cut_out(image) if self.is_fast else self._resized(image)
        return np.array(_rgb(square))

    def _resized(self, image: Image.Image) -> Image.Image:
        size = self._size(image)
        if image.size != size:
            image = image.resize(size, Image.Resampling[self.resample])
        left, top = self._corner(size)
        return image.crop((left, top, left + self.side, top + self.side))

    def _cut_out(self, image: Image.Image) -> Image.Image:
        width, height = self._size(image)
        left, top = self._corner((width, height))
        across, down = image.width / width, image.height / height
        right, bottom = (left + self.side) * across, (top + self.side) * down
        return _rgb(image).resize(
            (self.side, self.side),
            Image.Resampling[self.resample],
            box=(left * across, top * down, right, bottom),
            reducing_gap=_REDUCING_GAP,
        )

    def _size(self, image: Image.Image) -> tuple[int, int]:
        # Here and below as torchvision rounds them, so that nothing is shifted against it.
        shorter = min(image.size)
        return int(self.side * image.width / shorter), int(self.side * image.height / shorter)

    def _corner(self, size: tuple[int, int]) -> tuple[int, int]:
        return round((size[0] - self.side) / 2), round((size[1] - self.side) / 2)


def _rgb(image: Image.Image) -> Image.Image:
    # Pillow copies what is in that mode already.
    return image if image.mode == "RGB" else image.convert("RGB")
