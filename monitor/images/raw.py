"""What a fetch brings: bytes (or pixels that a cell held ready-made) and where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


@dataclass(frozen=True, slots=True)
class RawImage:
    """An image before it is decoded.

    Parameters
    ----------
    data
        Encoded bytes; or a Pillow image or array that the cell held.
    sha256
        Hex digest of the bytes, or of the mode, shape and pixels of an image or array: equal
        digests, equal pixels.
    etag, last_modified
        What the server said about the version of its bytes, if anything.

    Examples
    --------
    >>> RawImage.of(b"abc").sha256[:8]
    'ba7816bf'
    """

    data: bytes | Image.Image | np.ndarray[Any, Any]
    sha256: str
    etag: str | None = None
    last_modified: str | None = None

    @classmethod
    def of(
        cls, data: bytes, *, etag: str | None = None, last_modified: str | None = None
    ) -> RawImage:
        """The raw image of encoded bytes."""
        return cls(data, sha256(data).hexdigest(), etag, last_modified)
