"""Netpbm pictures (PBM, PGM, PPM), plain and raw, decoded here.

Pillow decodes an odd maximum, and all plain ones, pixel by pixel in Python: 20 MB take it a quarter of a
minute.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from PIL import Image

from monitor.failures import Failure
from monitor.images.header import Header

# White space and comments between the numbers; one white space ends the last.
_SPACE = rb"(?:\s|#[^\r\n]*[\r\n])+"
_HEADER = {
    is_bitmap: re.compile(rb"P[1-6]" + (_SPACE + rb"(\d{1,10})") * (2 if is_bitmap else 3) + rb"\s")
    for is_bitmap in (True, False)
}
_COMMENT = re.compile(rb"#[^\r\n]*")
# A header is short, whatever its comments say.
_LONGEST_HEADER = 1 << 16
_LONGEST_NUMBER = 8
_MOST_QUICK_TEXT = 1 << 20


def read_header(data: bytes) -> Header | Failure:
    """The header of the Netpbm picture in `data`.

    >>> read_header(b"P3 # by hand\\n2 1 255\\n255 0 0 0 0 255 ").size
    (2, 1)
    """
    header = _fields(data)
    if isinstance(header, Failure):
        return header
    (width, height, most), _ = header
    if not 0 < most <= 65_535:
        return Failure("corrupt", f"PNM with a maximum of {most:,}; it is from 1 to 65,535")
    kind = data[1:2]
    n_samples = 3 if kind in b"36" else 1
    # As the file has them (a number is a word, if plain), as 32-bit numbers, as bytes, and in RGB.
    n_bytes = n_samples * ((60 if kind in b"23" else 2) + 9) + 4
    return Header(
        size=(width, height),
        data=data,
        bytes_per_pixel=n_bytes,
        # Words are found one by one.
        is_bounded=kind not in b"123" or len(data) <= _MOST_QUICK_TEXT,
    )


def read_pixels(data: bytes) -> Image.Image | Failure:
    """The picture in `data`, in mode L or RGB, from black to the maximum that it names."""
    header = _fields(data)
    if isinstance(header, Failure):
        return header
    (width, height, most), start = header
    kind = data[1:2]
    shape = (height, width, 3) if kind in b"36" else (height, width)
    n_samples = int(np.prod(shape))
    try:
        samples = _samples(data, start, shape, most)
    except ValueError:
        return Failure("corrupt", "PNM with something else than numbers among its pixels")
    if samples.size < n_samples:
        return Failure("truncated", "PNM ends before its pixels do")
    samples = samples[:n_samples].reshape(shape)
    if kind in b"14":
        return Image.fromarray((1 - samples.astype(np.uint8)) * np.uint8(255))
    if most != 255:
        samples = (samples.astype(np.uint32) * 255 + most // 2) // most
    return Image.fromarray(samples.clip(max=255).astype(np.uint8))


def _fields(data: bytes) -> tuple[tuple[int, int, int], int] | Failure:
    """Width, height and maximum, and where the pixels begin."""
    is_bitmap = data[1:2] in b"14"
    head = data[:_LONGEST_HEADER]
    match = _HEADER[is_bitmap].match(head)
    if match is None:
        if len(data) <= 32:
            return Failure("truncated", "PNM ends within its header")
        return Failure("corrupt", "PNM without a proper header")
    width, height, *most = map(int, match.groups())
    return (width, height, most[0] if most else 1), match.end()


def _samples(
    data: bytes, start: int, shape: tuple[int, ...], most: int
) -> np.ndarray[Any, np.dtype[Any]]:
    """The samples, one after the other; fewer than there should be where the file ends early."""
    kind, n_samples = data[1:2], int(np.prod(shape))
    if kind == b"4":
        # Each row begins with a byte of its own.
        row_bytes = -(-shape[1] // 8)
        rows = np.frombuffer(data, np.uint8, -1, start)[: row_bytes * shape[0]]
        if rows.size < row_bytes * shape[0]:
            return rows[:0]
        return np.unpackbits(rows.reshape(shape[0], -1), axis=1)[:, : shape[1]].reshape(-1)
    if kind in b"56":
        kind_of_sample = np.dtype(np.uint8 if most < 256 else ">u2")
        n_whole = min(n_samples, (len(data) - start) // kind_of_sample.itemsize)
        return np.frombuffer(data, kind_of_sample, n_whole, start)
    text = _COMMENT.sub(b"", data[start:])
    if kind == b"1":
        # Digits may stand without space between them.
        digits = np.frombuffer(b"".join(text.split()), np.uint8)[:n_samples]
        if not np.isin(digits, [48, 49]).all():
            raise ValueError("no bits")
        return digits - np.uint8(48)
    # One word too many, so that a tail that is no number does not matter.
    words = text.split(maxsplit=n_samples)[:n_samples]
    if any(len(word) > _LONGEST_NUMBER for word in words):
        raise ValueError("no number of a sample")
    return np.array(words, dtype=f"S{_LONGEST_NUMBER}").astype(np.uint32)
