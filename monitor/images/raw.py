"""What a fetch brings: bytes (or pixels that a cell held ready-made), and which version they are."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

_LONGEST_HEADER: Final = 200


class Unchanged:
    """What a fetch brings when the server says that its bytes are those of a version we know."""


UNCHANGED: Final = Unchanged()


@dataclass(frozen=True, slots=True)
class Version:
    """A server's words for the version of the bytes that it sent (RFC 9110, section 8.8).

    Parameters
    ----------
    url_sha256
        A digest of the URL that the bytes came from, after redirects: what one URL calls its version
        says nothing about another's. A digest, since URLs carry secrets and this is stored.
    etag, last_modified
        The headers, where they can be told apart from others and sent back.

    Examples
    --------
    >>> version = Version.of("https://example.com/a.jpg", etag='"v1"', last_modified=None)
    >>> version.conditions("https://example.com/a.jpg"), version.conditions("https://other.org/a.jpg")
    ({'If-None-Match': '"v1"'}, {})
    """

    url_sha256: str
    etag: str | None
    last_modified: str | None

    @classmethod
    def of(cls, url: str, *, etag: str | None, last_modified: str | None) -> Version:
        """The version that an answer from `url` with these headers has."""
        return cls(_digest(url), _strong(etag), _sendable(last_modified))

    def conditions(self, url: str) -> dict[str, str]:
        """The headers that ask `url` for its bytes only if they are of another version."""
        if self.url_sha256 != _digest(url):
            return {}
        if self.etag is not None:
            return {"If-None-Match": self.etag}
        return {} if self.last_modified is None else {"If-Modified-Since": self.last_modified}


def _digest(url: str) -> str:
    return sha256(url.encode("utf-8", "surrogatepass")).hexdigest()


def _strong(etag: str | None) -> str | None:
    # A weak one (W/"...") says that two bodies mean the same, not that their bytes are the same.
    return None if etag is not None and etag.startswith("W/") else _sendable(etag)


def _sendable(header: str | None) -> str | None:
    if header is None or len(header) > _LONGEST_HEADER or not header.isascii():
        return None
    return header if header.isprintable() and header.strip() else None


@dataclass(frozen=True, slots=True)
class RawImage:
    """An image before it is decoded.

    Parameters
    ----------
    data
        Encoded bytes; or a Pillow image or array that the cell held.
    sha256
        Hex digest of the bytes, or of the mode, shape and pixels of an image or array: equal
        digests, equal pixels.
    version
        What the server said about the version of its bytes, if anything.

    Examples
    --------
    >>> RawImage.of(b"abc").sha256[:8]
    'ba7816bf'
    """

    data: bytes | Image.Image | np.ndarray[Any, Any]
    sha256: str
    version: Version | None = None

    @classmethod
    def of(cls, data: bytes, version: Version | None = None) -> RawImage:
        """The raw image of encoded bytes."""
        return cls(data, sha256(data).hexdigest(), version)

    @property
    def n_bytes(self) -> int | None:
        """The length of the encoded bytes; None for pixels that came ready-made."""
        return len(self.data) if isinstance(self.data, bytes) else None
