"""The first directory of a TIFF, read before Pillow unpacks it.

Pillow turns each tag's values into Python objects and each strip or tile into another: a megabyte of tiles
of one pixel takes it six seconds, 18 MB take three gigabytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace

from monitor.failures import Failure
from monitor.images.header import MOST_PARTS, Header
from monitor.images.orientation import orientation_of

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIP_OFFSETS, _ORIENTATION, _SAMPLES, _ROWS_PER_STRIP, _STRIP_BYTES = 273, 274, 277, 278, 279
_MOST_VALUE, _PLANAR, _TILE_WIDTH, _TILE_HEIGHT = 281, 284, 322, 323
_TILE_OFFSETS, _TILE_BYTES, _SAMPLE_FORMAT, _XMP = 324, 325, 339, 700
_ORDERS = {b"II": "<", b"MM": ">"}
# Struct letters by type: bytes, numbers of 2, 4 and 8 bytes. Text and fractions are not needed.
_LETTERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
# A colour profile, a thumbnail or a maker's notes are bytes, which cost nothing to unpack.
_OPAQUE = (1, 2, 6, 7)
_UNCOMPRESSED = 1


@dataclass(frozen=True, slots=True)
class _Tag:
    """The values of one tag, as they stand in the file."""

    kind: int
    count: int
    at: int


def read_header(data: bytes, max_pixels: int) -> Header | Failure:
    """The header of the TIFF in `data`.

    >>> print(read_header(b"II*\\0", 1))
    truncated: TIFF ends within its directory
    """
    try:
        tags, has_more = _directory(data)
        if sum(tag.count for tag in tags.values() if tag.kind not in _OPAQUE) > 4 * MOST_PARTS:
            return Failure("corrupt", f"TIFF with more than {4 * MOST_PARTS:,} values in its tags")
        numbers = {name: _numbers(data, tag) for name, tag in tags.items() if name in _NEEDED}
    except (struct.error, KeyError):
        return Failure("truncated", "TIFF ends within its directory")
    header = _header(data, numbers, has_more, max_pixels)
    if isinstance(header, Header) and _ORIENTATION not in tags and _XMP in tags:
        xmp = data[tags[_XMP].at : tags[_XMP].at + tags[_XMP].count]
        return replace(header, orientation=orientation_of(None, xmp))
    return header


_NEEDED = frozenset(
    {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _STRIP_OFFSETS, _SAMPLES, _ROWS_PER_STRIP}
    | {_STRIP_BYTES, _MOST_VALUE, _PLANAR, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES}
    | {_ORIENTATION, _SAMPLE_FORMAT}
)


def _directory(data: bytes) -> tuple[dict[int, _Tag], bool]:
    """The tags of the first page, and whether there is another."""
    order = _ORDERS[data[:2]]
    is_big = data[2:4] in (b"+\0", b"\0+")
    layout, offset, entry = ("Q", "Q", 20) if is_big else ("H", "I", 12)
    (start,) = struct.unpack_from(order + offset, data, 8 if is_big else 4)
    (n_tags,) = struct.unpack_from(order + layout, data, start)
    first = start + struct.calcsize(order + layout)
    tags = {}
    for i in range(min(n_tags, MOST_PARTS)):
        at = first + entry * i
        name, kind, count = struct.unpack_from(f"{order}HH{offset}", data, at)
        value = at + 4 + struct.calcsize(order + offset)
        if _SIZES.get(kind, 1) * count > struct.calcsize(order + offset):
            (value,) = struct.unpack_from(order + offset, data, value)
        tags[name] = _Tag(kind, count, value)
    end = first + entry * n_tags
    following = data[end : end + struct.calcsize(order + offset)]
    return tags, any(following)


def _numbers(data: bytes, tag: _Tag) -> tuple[int, ...]:
    letter = _LETTERS.get(tag.kind)
    if letter is None:
        return ()
    return struct.unpack_from(f"{_ORDERS[data[:2]]}{tag.count}{letter}", data, tag.at)


def _header(
    data: bytes, numbers: Mapping[int, tuple[int, ...]], has_more: bool, max_pixels: int
) -> Header | Failure:
    def number(tag: int, default: int) -> int:
        return next(iter(numbers.get(tag, ())), default)

    width, height = number(_WIDTH, 0), number(_HEIGHT, 0)
    n_samples, bits = number(_SAMPLES, 1), max(numbers.get(_BITS) or (1,))
    is_raw = number(_COMPRESSION, _UNCOMPRESSED) == _UNCOMPRESSED
    if fault := _unreadable(data, numbers, max_pixels, width=width, height=height):
        return fault
    if number(_PLANAR, 1) == 2 and n_samples > 1 and bits > 8 and is_raw:
        # Pillow takes the planes for 8 bits and makes noise of them.
        return Failure("corrupt", f"TIFF with planes of {bits} bits, which cannot be read")
    white = None
    if n_samples == 1 and number(_SAMPLE_FORMAT, 1) == 1 and 8 < bits <= 16:
        white = min((1 << bits) - 1, number(_MOST_VALUE, 65_535))
    stored = n_samples * bits / 8
    pixel = 4.0 if n_samples > 1 else max(1.0, stored)
    # Turned by Pillow as its tag says, or by us.
    pixel *= 2
    # Pillow's pixels, and those in RGB; of what is compressed, libtiff's strip or tile.
    rows = min(height, number(_ROWS_PER_STRIP, height))
    part = max(number(_TILE_WIDTH, 0) * number(_TILE_HEIGHT, 0), width * rows)
    raster = 0.0 if is_raw else max(4.0, stored) * min(16.0, part / max(1, width * height))
    return Header(
        size=(width, height),
        data=data,
        bytes_per_pixel=pixel + 4 + raster,
        # libtiff says what it thinks of a file on the process's own stderr.
        is_bounded=is_raw,
        has_more_frames=has_more,
        white=white,
    )


def _unreadable(
    data: bytes, numbers: Mapping[int, tuple[int, ...]], max_pixels: int, *, width: int, height: int
) -> Failure | None:
    """Why the strips or tiles cannot be read: too many, too large, or not there."""
    tile = [next(iter(numbers.get(tag, ())), 0) for tag in (_TILE_WIDTH, _TILE_HEIGHT)]
    # A tile is decoded whole, however little of it the image shows.
    if tile[0] * tile[1] > max_pixels:
        return Failure("too_many_pixels", "TIFF whose tiles are larger than an image may be")
    if all(tile):
        n_parts = -(-width // tile[0]) * -(-height // tile[1])
    else:
        n_parts = -(
            -height // max(1, next(iter(numbers.get(_ROWS_PER_STRIP, ())), height) or height)
        )
    if n_parts > MOST_PARTS:
        return Failure("corrupt", f"TIFF in {n_parts:,} strips or tiles, at most {MOST_PARTS:,}")
    for starts, lengths in ((_STRIP_OFFSETS, _STRIP_BYTES), (_TILE_OFFSETS, _TILE_BYTES)):
        ends = zip(numbers.get(starts, ()), numbers.get(lengths, ()), strict=False)
        if any(start + length > len(data) for start, length in ends):
            return Failure("truncated", "TIFF ends before its pixels do")
    return None
