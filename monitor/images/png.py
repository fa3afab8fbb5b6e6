"""A PNG reduced to the chunks that make pixels, with its checksums checked.

Pillow reads compressed text and colour profiles (where bombs hide), does not check the checksums of
pixel data, and forgives damage when another library has set `LOAD_TRUNCATED_IMAGES`. So it is given
only the chunks that matter, and those only if they are whole.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from monitor.failures import Failure

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
# Transparency and the camera's orientation change what is seen; the other chunks do not.
_KEPT = (*_CRITICAL, b"tRNS", b"eXIf")
# Pillow's own limit for text is 1 MiB; the colour profiles of printers reach about 3 MB.
_LONGEST_TEXT = 1 << 20
_LONGEST_PROFILE = 4 << 20


@dataclass(frozen=True, slots=True)
class PixelChunks:
    """A PNG of the chunks that make pixels, and whether the original was animated."""

    data: bytes
    is_animated: bool


def pixel_chunks(data: bytes) -> PixelChunks | Failure:
    """`data` without what does not make pixels; a Failure when it is truncated, damaged or a bomb.

    >>> print(pixel_chunks(_SIGNATURE + b"\\0"))
    truncated: PNG ends before its IEND chunk
    """
    kept = [_SIGNATURE]
    is_animated = False
    view = memoryview(data)
    at = len(_SIGNATURE)
    while True:
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
        is_whole = zlib.crc32(body, zlib.crc32(kind)) == declared
        if kind in _CRITICAL and not is_whole:
            return Failure("corrupt", f"PNG with a wrong checksum in {kind.decode('ascii')}")
        if _is_bomb(kind, body):
            return Failure("corrupt", f"PNG whose {kind.decode('ascii')} chunk is a bomb")
        is_animated |= kind == b"acTL"
        if kind in _KEPT and is_whole:
            kept.append(view[at:end])  # type: ignore[arg-type]
        at = end
        if kind == b"IEND":
            return PixelChunks(b"".join(kept), is_animated)


def _is_bomb(kind: bytes, body: memoryview) -> bool:
    """Whether the compressed text or profile in `body` unfolds beyond its limit."""
    if kind not in (b"zTXt", b"iTXt", b"iCCP"):
        return False
    longest = _LONGEST_PROFILE if kind == b"iCCP" else _LONGEST_TEXT
    packed = bytes(body)
    keyword_end = packed.find(b"\0")
    if keyword_end < 0:
        return False
    start = keyword_end + 2
    if kind == b"iTXt":
        # keyword, 0, compression flag, method, language, 0, translated keyword, 0, text
        if packed[keyword_end + 1 : keyword_end + 2] != b"\1":
            return False
        start = packed.find(b"\0", packed.find(b"\0", keyword_end + 3) + 1) + 1
    try:
        return len(zlib.decompressobj().decompress(packed[start:], longest + 1)) > longest
    except zlib.error:
        return False
