"""The largest picture of an icon file (ICO)."""

from __future__ import annotations

import io
import struct

from PIL import IcoImagePlugin, Image

from monitor.failures import Failure
from monitor.images.containers import read_bitmap
from monitor.images.header import Header
from monitor.images.png import read_header as read_png

_ENTRY_BYTES = 16


def read_header(data: bytes) -> Header | Failure:
    """The header of the largest picture of the ICO in `data`, which is a PNG or a bitmap.

    >>> print(read_header(b"\\0\\0\\1\\0\\1\\0"))
    truncated: ICO ends within its list of pictures
    """
    (n_entries,) = struct.unpack_from("<H", data, 4)
    entries = [
        data[at : at + _ENTRY_BYTES]
        for at in range(6, 6 + n_entries * _ENTRY_BYTES, _ENTRY_BYTES)
        if at + _ENTRY_BYTES <= len(data)
    ]
    if not n_entries or len(entries) < n_entries:
        return Failure("truncated", "ICO ends within its list of pictures")
    # The more pixels the better, then the more colours; a side of 256 is written as 0.
    entry = max(entries, key=lambda e: ((e[0] or 256) * (e[1] or 256), e[6] + 256 * e[7]))
    length, start = struct.unpack_from("<II", entry, 8)
    picture = data[start : start + length]
    if len(picture) < length:
        return Failure("truncated", "ICO ends before its picture does")
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return read_png(picture)
    header = read_bitmap(bytes(14) + picture)
    if isinstance(header, Failure) or header.size is None:
        return header
    # An ICO of this picture alone. Below it lies its mask, which counts as height.
    begin = b"\0\0\1\0\1\0" + entry[:8] + struct.pack("<II", length, 6 + _ENTRY_BYTES)
    size = header.size[0], header.size[1] // 2
    # The picture and its mask, as one, and in RGB.
    return Header(size, begin + picture, bytes_per_pixel=8 + 4 + 4 + 4)


def read_pixels(data: bytes) -> Image.Image:
    """The picture of an ICO that holds one bitmap."""
    return IcoImagePlugin.IcoFile(io.BytesIO(data)).frame(0)
