"""A cell's value becomes upright RGB pixels, or a `Failure` that says why not.

::

    cell ─► fetch (URL, data: URI, path, bytes, array) ─► RawImage ─► decode ─► DecodedImage
                     └──────────────── Failure(reason, detail) ────────────────┘

What may be fetched, and how much of it, is a `SourcePolicy`. What strangers wrote in a column is
fetched as if they meant harm: only named schemes, ports and public addresses, one deadline, a byte
cap and a pixel cap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.images.decoding import DecodedImage, decode
    from monitor.images.policy import SourcePolicy
    from monitor.images.raw import RawImage
    from monitor.images.reader import ImageReader, source_key

__all__ = ["DecodedImage", "ImageReader", "RawImage", "SourcePolicy", "decode", "source_key"]

_MODULES = {
    "DecodedImage": "decoding",
    "ImageReader": "reader",
    "RawImage": "raw",
    "SourcePolicy": "policy",
    "decode": "decoding",
    "source_key": "reader",
}


def __getattr__(name: str) -> object:
    # Lazy, so that a config that only names a policy loads neither requests nor Pillow.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
