"""Images made in code: healthy ones of every kind, and broken ones."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from typing import Any

import numpy as np
from PIL import Image


def scene(width: int = 48, height: int = 32) -> Image.Image:
    """A small colour image with smooth and sharp parts, dark on the left, red at the top left."""
    y, x = np.mgrid[0:height, 0:width]
    red = np.where((x < width // 3) & (y < height // 3), 230, 40)
    pixels = np.stack([red, 255 * x // width, 255 * y // height], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8))


def encode(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of `image` in the format `kind`."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with(kind: bytes, body: bytes) -> bytes:
    """A healthy PNG with one more chunk right after its header."""
    png = encode(scene())
    return png[:33] + chunk(kind, body) + png[33:]


def png_claiming(width: int, height: int) -> bytes:
    """A tiny PNG whose header claims a size and whose checksums hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@cache
def bomb(n_bytes: int = 60_000_000) -> bytes:
    """A zlib stream of `n_bytes` zeros, a thousandth as long."""
    return zlib.compress(bytes(n_bytes), 9)


JPEG = encode(scene(), "JPEG")
PNG = encode(scene())
