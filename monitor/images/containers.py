"""Headers of the formats whose parts need no walk of ours: WEBP, AVIF and HEIC, BMP."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.failures import Failure
from monitor.images.header import Header
from monitor.images.orientation import orientation_of

_SPATIAL_EXTENT = re.compile(rb"\0\0\0\x14ispe\0\0\0\0(....)(....)", re.DOTALL)
# Uncompressed, and with bit masks. The others are run lengths, which Pillow decodes in Python.
_PLAIN_BITMAPS = (0, 3)
_MOST_RUN_LENGTH_BYTES = 1 << 18
_MOST_CHUNKS = 1_000


def read_webp(data: bytes) -> Header | Failure:
    """The header of the WEBP in `data`: of the canvas, where it has several frames."""
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        return Failure("truncated", "WEBP is shorter than its header says")
    size: tuple[int, int] | None = None
    exif = xmp = None
    n_frames, is_lossless, has_alpha = 0, False, False
    for name, start, end in _chunks(data):
        if name == b"VP8X" and size is None and end - start >= 10:
            size = (1 + _little(data, start + 4, 3), 1 + _little(data, start + 7, 3))
        elif name == b"VP8 " and size is None and end - start >= 10:
            size = (_little(data, start + 6, 2) & 0x3FFF, _little(data, start + 8, 2) & 0x3FFF)
        elif name == b"VP8L" and size is None and end - start >= 5:
            bits = _little(data, start + 1, 4)
            size = (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
        elif name == b"EXIF":
            exif = exif or data[start:end]
        elif name == b"XMP ":
            xmp = xmp or data[start:end]
        n_frames += name == b"ANMF"
        is_lossless |= name in (b"VP8L", b"ANMF")
        has_alpha |= name == b"ALPH"
    orientation = orientation_of(exif, xmp)
    # libwebp's canvas and the one before, its own planes, Pillow's copy of the canvas, and RGB. Measured.
    n_bytes = 21 if is_lossless or has_alpha else 17
    return Header(
        size=size,
        data=data,
        bytes_per_pixel=n_bytes + (4 if orientation > 1 else 0),
        orientation=orientation,
        has_more_frames=n_frames > 1,
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each chunk of a RIFF file."""
    at = 12
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(data):
            return
        end = at + 8 + _little(data, at + 4, 4)
        yield data[at : at + 4], at + 8, min(end, len(data))
        at = end + end % 2


def read_isobmff(data: bytes) -> Header | Failure:
    """The header of the AVIF or HEIC in `data`: the largest extent that any of its parts has."""
    # Its boxes nest, and which part is the picture takes a whole parser: Pillow's own checks the size.
    extents = [
        (int.from_bytes(width, "big"), int.from_bytes(height, "big"))
        for width, height in _SPATIAL_EXTENT.findall(data)
    ]
    size = max(extents, key=lambda extent: extent[0] * extent[1], default=None)
    return Header(
        size=size,
        data=data,
        bytes_per_pixel=20,
        # Some coding tools are ten times as slow as others.
        n_passes=8,
        orientation=None,
    )


def read_bitmap(data: bytes) -> Header | Failure:
    """The header of the BMP in `data`."""
    if len(data) < 26:
        return Failure("truncated", "BMP ends within its header")
    if _little(data, 14, 4) == 12:
        return Header((_little(data, 18, 2), _little(data, 20, 2)), data, bytes_per_pixel=4 + 4)
    width, height = (
        abs(int.from_bytes(data[at : at + 4], "little", signed=True)) for at in (18, 22)
    )
    is_plain = _little(data, 30, 4) in _PLAIN_BITMAPS
    return Header(
        size=(width, height),
        data=data,
        bytes_per_pixel=4 + 4 if is_plain else 4 + 4 + 2,
        is_bounded=is_plain or len(data) <= _MOST_RUN_LENGTH_BYTES,
    )


def _little(data: bytes, at: int, n_bytes: int) -> int:
    return int.from_bytes(data[at : at + n_bytes], "little")
