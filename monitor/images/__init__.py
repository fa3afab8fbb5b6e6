"""A cell's value becomes upright RGB pixels, or a `Failure` that says why not.

::

    cell ─► fetch (URL, data: URI, path, bytes, array) ─► RawImage ─► decode ─► DecodedImage
                     └──────────────── Failure(reason, detail) ────────────────┘

What may be fetched, and how much of it, is a `SourcePolicy`. What strangers wrote in a column is
fetched as if they meant harm: only named schemes, ports and public addresses, one deadline, a byte
cap and a pixel cap.
"""

from lazy_loader import attach_stub

# Lazy, so that a config that only names a policy loads neither requests nor Pillow.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
