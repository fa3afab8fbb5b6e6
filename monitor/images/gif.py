"""A GIF reduced to its first picture, without the blocks that make no pixels."""

from __future__ import annotations

from monitor.failures import Failure
from monitor.images.header import MOST_PARTS, Header

_EXTENSION, _IMAGE, _TRAILER, _GRAPHIC_CONTROL = 0x21, 0x2C, 0x3B, 0xF9
# Some encoders write blocks of a few bytes; the largest have 255.
_MOST_BLOCKS = 4 * MOST_PARTS


class _Ends(Exception):
    """The file ends within a block."""


class _TooManyBlocks(Exception):
    """More blocks than a picture of that many bytes needs."""


def read_header(data: bytes) -> Header | Failure:
    """The header of the GIF in `data`.

    >>> print(read_header(b"GIF89a"))
    truncated: GIF ends before its pixels begin
    """
    try:
        return _header(data)
    except _TooManyBlocks:
        return Failure("corrupt", f"GIF with more than {_MOST_BLOCKS:,} blocks")
    except (_Ends, IndexError):
        return Failure("truncated", "GIF ends before its pixels begin")


def _header(data: bytes) -> Header | Failure:
    begin = 13 + _table_bytes(data[10])
    control = b""
    at = begin
    n_left = _MOST_BLOCKS
    while data[at] != _IMAGE:
        if data[at] == _EXTENSION:
            end, n_left = _end_of_blocks(data, at + 2, n_left)
            if data[at + 1] == _GRAPHIC_CONTROL:
                control = data[at:end]
            at = end
        elif data[at] == _TRAILER:
            return Failure("corrupt", "GIF without an image")
        else:
            # Pillow passes over stray bytes, as browsers do.
            at += 1
            n_left = _one_less(n_left)
    left, top, width, height = (
        int.from_bytes(data[at + i : at + i + 2], "little") for i in (1, 3, 5, 7)
    )
    screen = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    pixels = at + 10 + _table_bytes(data[at + 9]) + 1
    try:
        end, n_left = _end_of_blocks(data, pixels, n_left)
        has_more = _has_more(data, end, n_left)
    except (_Ends, IndexError):
        # Whether enough is there is for the decoder to say.
        end, has_more = len(data), False
    return Header(
        size=(max(screen[0], left + width), max(screen[1], top + height)),
        data=b"".join([data[:begin], control, data[at:end], b";" if end < len(data) else b""]),
        bytes_per_pixel=1 + 4,
        has_more_frames=has_more,
    )


def _has_more(data: bytes, at: int, n_left: int) -> bool:
    while data[at] == _EXTENSION:
        at, n_left = _end_of_blocks(data, at + 2, n_left)
    return data[at] == _IMAGE


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _end_of_blocks(data: bytes, at: int, n_left: int) -> tuple[int, int]:
    n_left = _one_less(n_left)
    while length := data[at]:
        at += 1 + length
        n_left = _one_less(n_left)
        if at >= len(data):
            raise _Ends
    return at + 1, n_left


def _one_less(n_left: int) -> int:
    if not n_left:
        raise _TooManyBlocks
    return n_left - 1
