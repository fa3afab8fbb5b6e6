"""How a picture is turned: its EXIF, else its XMP, read the same way whatever the format."""

from __future__ import annotations

import re
import struct

_EXIF_MARK = b"Exif\0\0"
_TAG, _BYTE, _SHORT, _LONG = 0x0112, 1, 3, 4
_FORMATS = {_BYTE: "B", _SHORT: "H", _LONG: "I"}
_MOST_ENTRIES = 1_000
_XMP = re.compile(rb"""tiff:Orientation\s*(?:=\s*["']|>)\s*([1-8])\s*["'<]""")
# Orientation stands near the start; an XMP packet can hold megabytes of history.
_LONGEST_XMP = 1 << 18


def orientation_of(exif: bytes | None, xmp: bytes | None) -> int:
    """The orientation, 1 to 8 (EXIF 2.32, tag 0x0112); 1, which is upright, if nothing tells.

    What EXIF says comes first, as in browsers; what is damaged says nothing.

    >>> directory = bytes.fromhex("4d4d002a 00000008 0001 0112 0003 00000001 0006 0000")
    >>> orientation_of(directory, b'<rdf:Description tiff:Orientation="3"/>')
    6
    >>> orientation_of(None, b'<rdf:Description tiff:Orientation="8"/>')
    8
    """
    return _from_exif(exif or b"") or _from_xmp(xmp or b"") or 1


def _from_exif(exif: bytes) -> int | None:
    tiff = exif.removeprefix(_EXIF_MARK)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (n_entries,) = struct.unpack_from(f"{order}H", tiff, start)
        for i in range(min(n_entries, _MOST_ENTRIES)):
            at = start + 2 + 12 * i
            tag, kind, count = struct.unpack_from(f"{order}HHI", tiff, at)
            if tag == _TAG and kind in _FORMATS and count == 1:
                (value,) = struct.unpack_from(order + _FORMATS[kind], tiff, at + 8)
                return value if 1 <= value <= 8 else None
    except struct.error:
        return None
    return None


def _from_xmp(xmp: bytes) -> int | None:
    match = _XMP.search(xmp[:_LONGEST_XMP])
    return int(match[1]) if match else None
