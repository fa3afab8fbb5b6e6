"""A picture as it comes out of decoding."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """Pixels as an encoder wants them.

    Parameters
    ----------
    image
        Mode RGB, 8 bits, upright, no transparency, no metadata.
    notes
        What was converted on the way, each in a few words.
    sha256
        The digest of the `RawImage` that it came from.
    missing_share
        How much of the picture its file does not hold, in [0, 1]: 0 unless it is cut off.
    scaled_from
        Width and height of the whole picture, where the decoder has scaled it down.

    Examples
    --------
    >>> DecodedImage(Image.new("RGB", (6, 4)), notes=("turned upright",), sha256="").image.size
    (6, 4)
    """

    image: Image.Image
    notes: tuple[str, ...]
    sha256: str
    missing_share: float = 0.0
    scaled_from: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole picture."""
        return self.scaled_from or self.image.size
