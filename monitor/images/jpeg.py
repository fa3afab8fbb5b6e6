"""A JPEG reduced to the segments that make pixels.

Pillow reads the segments before the first scan one by one, in Python and some of them in quadratic time:
a few megabytes of tiny ones, or of padding, take it minutes. So it is given those that libjpeg needs.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

from monitor.failures import Failure
from monitor.images.header import MOST_PARTS, Header
from monitor.images.orientation import orientation_of

_PADDING = re.compile(rb"\xff*")
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
# Huffman and arithmetic tables, quantization, restart interval, number of lines.
_TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDC, 0xDD})
# What decides how colours are coded: JFIF, and Adobe's.
_COLOURS = {0xE0: b"JFIF\0", 0xEE: b"Adobe"}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
# No marker among them.
_ARBITRARY = random.Random(0).randbytes(1 << 14).replace(b"\xff", b"")  # noqa: S311  # nosec B311
_RESTART_INTERVAL = re.compile(rb"\xff\xdd\x00\x04(..)", re.DOTALL)
_RESTARTS = range(0xD0, 0xD8)
_BYTES_PER_BLOCK = 128
# A progressive JPEG decodes all its pixels once for each scan, and a scan can be a few bytes long. Real
# files have about ten; the bound is on scans times pixels, in units of the largest image allowed.
_MOST_FULL_SIZE_SCANS = 32


@dataclass(slots=True)
class _Segments:
    """What was found before the first scan."""

    kept: list[bytes] = field(default_factory=lambda: [b"\xff\xd8"])
    frame: bytes | None = None
    is_progressive: bool = False
    exif: bytes | None = None
    xmp: bytes | None = None
    colours: set[int] = field(default_factory=set)

    def add(self, marker: int, body: bytes) -> None:
        """Take the segment `marker` with its `body`, which begins after the length."""
        if marker in _FRAMES:
            self.frame = body
            self.is_progressive = marker in _PROGRESSIVE
        elif marker in _COLOURS:
            if marker in self.colours or not body.startswith(_COLOURS[marker]):
                return
            self.colours.add(marker)
        elif marker not in _TABLES:
            if marker == 0xE1 and self.exif is None and body.startswith(_EXIF):
                self.exif = body
            elif marker == 0xE1 and self.xmp is None and body.startswith(_XMP):
                self.xmp = body
            return
        self.kept.append(b"\xff%c%b%b" % (marker, (len(body) + 2).to_bytes(2, "big"), body))


def read_header(data: bytes, max_pixels: int) -> Header | Failure:
    """The header of the JPEG in `data`.

    >>> print(read_header(b"\\xff\\xd8\\xff\\xd9", 1))
    corrupt: JPEG without an image
    """
    segments = _Segments()
    at = 2
    for _ in range(MOST_PARTS):
        start = data.find(b"\xff", at)
        at = -1 if start < 0 else _end_of_padding(data, start)
        if not 0 < at < len(data):
            return Failure("truncated", "JPEG ends before its pixels begin")
        marker = data[at]
        at += 1
        if marker == _START_OF_SCAN:
            return _header(segments, data, at - 2, max_pixels)
        if marker == _END_OF_IMAGE:
            return Failure("corrupt", "JPEG without an image")
        if marker == 0 or marker in _STANDALONE:
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        if at + max(length, 2) > len(data):
            return Failure("truncated", "JPEG ends before its pixels begin")
        if length < 2:
            return Failure("corrupt", "JPEG with a segment of no length")
        segments.add(marker, data[at + 2 : at + length])
        at += length
    return Failure("corrupt", f"JPEG with more than {MOST_PARTS:,} segments")


def _begins_last_scan(data: bytes, scan: int, frame: bytes) -> bool:
    """Whether the scans that begin in `data` bring every coefficient to its last bit.

    Else whole scans are missing, and the picture that there is, is a blurred one.
    """
    wanted = {frame[6 + 3 * i]: set(range(64)) for i in range(frame[5])}
    while 0 <= scan < len(data) - 4:
        n_components = data[scan + 4]
        parameters = data[scan + 5 : scan + 5 + 2 * n_components + 3]
        if len(parameters) < 2 * n_components + 3:
            break
        first, last, precision = parameters[-3:]
        if precision & 0x0F == 0:
            for component in parameters[: 2 * n_components : 2]:
                wanted.get(component, set()).difference_update(range(first, last + 1))
        scan = data.find(b"\xff\xda", scan + 2)
    return not any(wanted.values())


def completed(data: bytes, n_pixels: int) -> tuple[bytes, bytes]:
    """`data`, which is cut off, with an end; and with some arbitrary pixels before it.

    Where the decoded pictures agree, they come from `data`; libjpeg makes up the others, and does not say
    which they are.
    """
    # The first half of a marker would swallow what follows.
    kept = data.rstrip(b"\xff")
    restarts = _RESTART_INTERVAL.findall(kept)
    interval = int.from_bytes(restarts[-1], "big") if restarts else 0
    arbitrary = _arbitrary(len(kept) // 4 + 4_096)
    if interval:
        # Each begins anew and needs some of its own: as many intervals as hold a tenth of the blocks.
        n_intervals = n_pixels // (640 * interval) + 2
        part = _arbitrary(_BYTES_PER_BLOCK * interval)
        following = 1 + max(kept.rfind(b"\xff%c" % marker) for marker in _RESTARTS)
        marker = kept[following] if following else _RESTARTS[-1]
        arbitrary = part + b"".join(
            b"\xff%c%b" % (_RESTARTS[(marker + i) % 8], part) for i in range(1, n_intervals)
        )
    return kept + b"\xff\xd9", kept + arbitrary + b"\xff\xd9"


def _arbitrary(n_bytes: int) -> bytes:
    return (_ARBITRARY * (n_bytes // len(_ARBITRARY) + 1))[:n_bytes]


def _end_of_padding(data: bytes, start: int) -> int:
    match = _PADDING.match(data, start)
    return match.end() if match else start


def _header(segments: _Segments, data: bytes, scan: int, max_pixels: int) -> Header | Failure:
    frame = segments.frame
    if frame is None or len(frame) < 6 or len(frame) < 6 + 3 * frame[5]:
        return Failure("corrupt", "JPEG without a frame header")
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    n_components = frame[5]
    in_first_scan = data[scan + 4] if len(data) > scan + 4 else n_components
    is_buffered = segments.is_progressive or in_first_scan < n_components
    # Where the first scan holds all, libjpeg reads no other.
    n_scans = data.count(b"\xff\xda", scan) if is_buffered else 1
    if n_scans * width * height > _MOST_FULL_SIZE_SCANS * max_pixels:
        return Failure("corrupt", f"JPEG with {n_scans:,} scans")
    orientation = orientation_of(segments.exif, segments.xmp)
    # Pillow's own pixels and those in RGB; the same again while they are turned.
    n_bytes = {1: 1 + 4, 3: 4}.get(n_components, 4 + 4)
    if orientation > 1:
        n_bytes += 4
    if is_buffered:
        # All coefficients are kept until the last scan.
        n_bytes += 2 * n_components
    is_cut = data.rfind(b"\xff\xd9", scan) < 0 and (
        not is_buffered or _begins_last_scan(data, scan, frame)
    )
    if is_cut:
        # It is decoded twice, and the results are compared.
        n_bytes += 4
    return Header(
        size=(width, height),
        data=b"".join([*segments.kept, data[scan:]]),
        bytes_per_pixel=n_bytes,
        # libjpeg is fast: about 100 million pixels a second in its first scan, more in those that refine.
        n_passes=0.25 + 0.1 * (n_scans - 1),
        orientation=orientation,
        is_cut=is_cut,
    )
