"""A PNG reduced to the chunks that make pixels, with its checksums checked.

Pillow reads compressed text and colour profiles (where bombs hide), does not check the checksums of
pixel data, walks through chunks one by one, and forgives damage when another library has set
`LOAD_TRUNCATED_IMAGES`. So it is given only the chunks that matter, those only if they are whole, and the
pixels' in one piece.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

from monitor.failures import Failure
from monitor.images.header import MOST_PARTS, Header
from monitor.images.orientation import orientation_of

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_XMP_KEYWORD = b"XML:com.adobe.xmp"
_PALETTE = 3
# Pillow's own limit for text is 1 MiB; the colour profiles of printers reach about 3 MB.
_LONGEST_TEXT = 1 << 20
_LONGEST_PROFILE = 4 << 20
_LONGEST_IN_ALL = 16 << 20
# Bytes that Pillow takes for a pixel, by colour type: grey, colour, palette, grey and alpha, all four.
_PIXEL_BYTES = {0: 1, 2: 4, 3: 1, 4: 4, 6: 4}


@dataclass(slots=True)
class _Chunks:
    """What was found so far."""

    head: list[bytes] = field(default_factory=lambda: [_SIGNATURE])
    pixels: list[memoryview] = field(default_factory=list)
    is_animated: bool = False
    has_palette: bool = False
    exif: bytes | None = None
    xmp: bytes | None = None
    n_unpacked: int = 0

    def add(self, kind: bytes, body: memoryview) -> Failure | None:
        """Take a whole chunk; the Failure of one that is a bomb."""
        if kind == b"IDAT":
            self.pixels.append(body)
        elif kind in (b"IHDR", b"PLTE", b"tRNS"):
            self.head.append(_chunk(kind, body))
            self.has_palette |= kind == b"PLTE"
        elif kind == b"acTL":
            self.is_animated = True
        elif kind == b"eXIf":
            self.exif = bytes(body)
        elif kind in (b"zTXt", b"iTXt", b"iCCP"):
            return self._unpack(kind, bytes(body))
        return None

    def _unpack(self, kind: bytes, body: bytes) -> Failure | None:
        """Look into compressed text or a profile; the Failure of what unfolds beyond its limit."""
        keyword, zero, rest = body.partition(b"\0")
        packed: bytes | None = rest[1:]
        if kind == b"iTXt":
            # keyword, 0, compression flag, method, language, 0, translated keyword, 0, text
            text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
            if keyword == _XMP_KEYWORD and rest[:1] == b"\0":
                self.xmp = text
            packed = text if rest[:1] == b"\1" else None
        if not zero or packed is None:
            return None
        longest = _LONGEST_PROFILE if kind == b"iCCP" else _LONGEST_TEXT
        try:
            unpacked = zlib.decompressobj().decompress(packed, longest + 1)
        except zlib.error:
            return None
        self.n_unpacked += len(unpacked)
        if len(unpacked) > longest or self.n_unpacked > _LONGEST_IN_ALL:
            return Failure("corrupt", f"PNG whose {kind.decode('ascii')} chunk is a bomb")
        if kind == b"iTXt" and keyword == _XMP_KEYWORD:
            self.xmp = unpacked
        return None


def read_header(data: bytes) -> Header | Failure:
    """The header of the PNG in `data`; a Failure when it is truncated, damaged or a bomb.

    >>> print(read_header(_SIGNATURE + b"\\0"))
    truncated: PNG ends before its IEND chunk
    """
    chunks = _Chunks()
    view = memoryview(data)
    at = len(_SIGNATURE)
    for _ in range(MOST_PARTS):
        if at + 12 > len(data):
            return Failure("truncated", "PNG ends before its IEND chunk")
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        end = at + 12 + length
        if not kind.isalpha():
            return Failure("corrupt", "PNG with a chunk that has no valid name")
        if end > len(data):
            return Failure("truncated", f"PNG ends within its {kind.decode('ascii')} chunk")
        body = view[at + 8 : end - 4]
        (declared,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(body, zlib.crc32(kind)) == declared:
            if fault := chunks.add(kind, body):
                return fault
        elif kind in _CRITICAL:
            return Failure("corrupt", f"PNG with a wrong checksum in {kind.decode('ascii')}")
        at = end
        if kind == b"IEND":
            return _header(chunks)
    return Failure("corrupt", f"PNG with more than {MOST_PARTS:,} chunks")


def _header(chunks: _Chunks) -> Header | Failure:
    if len(chunks.head) < 2 or chunks.head[1][4:8] != b"IHDR" or len(chunks.head[1]) != 25:
        return Failure("corrupt", "PNG that does not begin with a header")
    width, height, depth, colour = struct.unpack_from(">IIBB", chunks.head[1], 8)
    if colour == _PALETTE and not chunks.has_palette:
        return Failure(
            "corrupt", "PNG with colours of a palette, and no PLTE chunk that says which"
        )
    orientation = orientation_of(chunks.exif, chunks.xmp)
    n_bytes = _PIXEL_BYTES.get(colour, 4) * (2 if depth == 16 and colour == 0 else 1)
    pixels = chunks.pixels[0] if len(chunks.pixels) == 1 else b"".join(chunks.pixels)
    return Header(
        size=(width, height),
        data=b"".join([*chunks.head, _chunk(b"IDAT", pixels), _chunk(b"IEND", b"")]),
        # Turned, and in RGB.
        bytes_per_pixel=n_bytes + (n_bytes if orientation > 1 else 0) + 4,
        orientation=orientation,
        has_more_frames=chunks.is_animated,
    )


def _chunk(kind: bytes, body: memoryview | bytes) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return b"".join([struct.pack(">I", len(body)), kind, body, struct.pack(">I", checksum)])
