"""A cell's value becomes upright RGB pixels, or a `Failure` that says why not.

::

    cell ─► fetch (URL, data: URI, path, bytes, array) ─► RawImage ─► inspect ─► decode ─► DecodedImage
                     └───────────────────── Failure(reason, detail) ─────────────────────┘

What may be fetched, and how much of it, is a `SourcePolicy`. What strangers wrote in a column is
fetched as if they meant harm: only named schemes, ports and public addresses, one deadline, a byte
cap and a pixel cap. What the bytes say of themselves is inspected before a decoder sees them: its size,
the memory that it takes, and whether it is quick; what is not proved quick is decoded in a process that
a deadline ends.
"""

from lazy_loader import attach_stub

# Lazy, so that a config that only names a policy loads neither requests nor Pillow.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
