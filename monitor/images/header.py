"""What is known of an encoded image before its pixels are decoded: its size, and what they will cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MOST_PARTS: Final = 1 << 16
"""Segments, chunks, strips, tiles or tags that an image may have. Pillow walks through them in Python, so
that a million of them, which fit in a few megabytes, take it minutes. A file of 20 MB in strips of one
row, or in chunks of 512 bytes, has fewer."""
MOST_QUICK_PIXELS: Final = 1 << 24
"""An image that goes over so many pixels in all is decoded in about a second, whatever its bytes are."""


@dataclass(frozen=True, slots=True)
class Header:
    """An encoded image's size and what decoding it costs, told by its structure alone.

    Parameters
    ----------
    width, height
        Pixels, as they are stored; None if only the decoder can tell.
    data
        What the decoder is given: the parts that make pixels.
    bytes_per_pixel
        Memory at the peak of decoding and conversion to RGB, for each pixel.
    n_passes
        How often the decoder goes over the pixels.
    is_bounded
        Whether time is bounded by the pixels and the length; else by a deadline only.
    orientation
        1 to 8, as EXIF counts; None if the decoder tells.
    has_more_frames
        Whether it is an animation, or has several pages.
    white
        The greatest 16-bit value that there can be, where the file tells it.
    is_cut
        Whether it is a JPEG whose last scan has begun and has no end.
    """

    size: tuple[int, int] | None
    data: bytes
    bytes_per_pixel: float
    n_passes: float = 1
    is_bounded: bool = True
    orientation: int | None = 1
    has_more_frames: bool = False
    white: int | None = None
    is_cut: bool = False

    @property
    def is_quick(self) -> bool:
        """Whether its structure proves that it is decoded in about a second."""
        if self.size is None or not self.is_bounded:
            return False
        return self.size[0] * self.size[1] * self.n_passes <= MOST_QUICK_PIXELS

    def memory(self, max_pixels: int) -> int:
        """Bytes needed to decode it, at most."""
        n_pixels = max_pixels if self.size is None else self.size[0] * self.size[1]
        return int(n_pixels * self.bytes_per_pixel) + 2 * len(self.data)
