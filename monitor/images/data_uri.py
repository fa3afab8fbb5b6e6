"""`data:` URIs (RFC 2397) and bare base64 become bytes."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from monitor.failures import Failure
from monitor.images.formats import image_format

if TYPE_CHECKING:
    from monitor.images.policy import SourcePolicy

_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# 48 characters of base64 are 36 bytes: enough for every signature that we know.
_HEAD = 48


def read_data_uri(uri: str, policy: SourcePolicy) -> bytes | Failure:
    """The bytes of a `data:` URI, percent-encoded or base64; or a Failure.

    >>> from monitor.images import SourcePolicy
    >>> read_data_uri("data:image/png;base64,iVBORw==", SourcePolicy())
    b'\\x89PNG'
    >>> print(read_data_uri("data:image/png;base64", SourcePolicy()))
    bad_data_uri: no comma between the media type and the data
    """
    head, comma, payload = uri[len("data:") :].partition(",")
    if not comma:
        return Failure("bad_data_uri", "no comma between the media type and the data")
    is_base64 = head.rstrip().lower().endswith(";base64")
    # Each byte takes at most three characters ("%41"), in base64 "%2B" for one of four; refuse
    # before copying.
    if len(payload) > policy.max_bytes * (4 if is_base64 else 3) + 1_000:
        return _too_large(policy)
    if _BAD_ESCAPE.search(payload):
        return Failure("bad_data_uri", "a percent sign without two hex digits")
    try:
        plain = unquote_to_bytes(payload)
        data = _decode(plain.decode("ascii")) if is_base64 else plain
    except (binascii.Error, UnicodeError) as error:
        return Failure("bad_data_uri", f"the base64 cannot be decoded: {error}"[:120])
    if len(data) > policy.max_bytes:
        return _too_large(policy)
    return data


def read_base64(text: str, policy: SourcePolicy) -> bytes | Failure | None:
    """The bytes of bare base64; None when `text` does not begin like an image, so may be a path."""
    head = "".join(text[: 2 * _HEAD].split())[:_HEAD]
    if len(head) < 16 or not _BASE64.fullmatch(head[: len(head) // 4 * 4]):
        return None
    if image_format(base64.b64decode(head[: len(head) // 4 * 4])) is None:
        return None
    if len(text) > policy.max_bytes * 2:
        return _too_large(policy)
    try:
        data = _decode(text)
    except (binascii.Error, UnicodeError):
        return None
    return data if len(data) <= policy.max_bytes else _too_large(policy)


def _decode(text: str) -> bytes:
    """Base64 as browsers take it: with line breaks and without padding too."""
    compact = "".join(text.split())
    return base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)


def _too_large(policy: SourcePolicy) -> Failure:
    return Failure("too_large", f"more than {policy.max_bytes:,} bytes")
