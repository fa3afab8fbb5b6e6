"""What a vector cache holds: sources, vectors and failures, and their form on disk."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FLOAT32 = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class KnownSource:
    """Which bytes a source had when it was last looked at.

    Parameters
    ----------
    sha256
        Hex digest of the bytes.
    place, etag, last_modified
        What a web server called their version; see `monitor.images.raw.Version`.
    file_state
        Of a local file: what changes with its content.
    is_fresh
        Whether the bytes count as the source's without asking; set by the cache. A local file never
        is: its state tells.
    """

    sha256: str
    place: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    file_state: str | None = None
    is_fresh: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class CachedVector:
    """An image's vector and quality numbers, bit for bit as they were stored.

    Parameters
    ----------
    vector
        (width,) float32.
    quality
        (len(QUALITY_FIELDS),) float32; may hold NaN.
    """

    vector: NDArray[np.float32]
    quality: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """Why a source has no vector."""

    reason: str
    detail: str


def to_bytes(array: NDArray[np.float32]) -> bytes:
    """The components as little-endian float32, without a header."""
    return np.ascontiguousarray(array, dtype=_FLOAT32).tobytes()


def from_bytes(data: bytes) -> NDArray[np.float32]:
    """The array that `to_bytes` wrote.

    >>> from_bytes(to_bytes(np.array([0.1, np.nan], dtype=np.float32)))
    array([0.1, nan], dtype=float32)
    """
    return np.frombuffer(data, dtype=_FLOAT32).astype(np.float32)


def checksum(maker: str, sha256: bytes, vector: bytes, quality: bytes) -> int:
    """CRC-32 over a row: SQLite itself does not notice a flipped bit."""
    return zlib.crc32(b"\0".join((maker.encode(), sha256, vector, quality)))
