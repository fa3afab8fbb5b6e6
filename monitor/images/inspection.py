"""Which encoded images may be decoded, told by their headers alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from monitor.errors import MissingExtraError
from monitor.failures import Failure
from monitor.images import containers, gif, ico, jpeg, png, pnm, tiff
from monitor.images.formats import describe_other, image_format
from monitor.images.header import Header

if TYPE_CHECKING:
    from monitor.images.policy import SourcePolicy

_HEADERS: Final[dict[str, Callable[[bytes], Header | Failure]]] = {
    "PNG": png.read_header,
    "WEBP": containers.read_webp,
    "GIF": gif.read_header,
    "BMP": containers.read_bitmap,
    "ICO": ico.read_header,
    "PNM": pnm.read_header,
    "AVIF": containers.read_isobmff,
    "HEIC": containers.read_isobmff,
}
# Those whose work can be out of proportion to their pixels.
_BOUNDED_HEADERS: Final[dict[str, Callable[[bytes, int], Header | Failure]]] = {
    "JPEG": jpeg.read_header,
    "TIFF": tiff.read_header,
}


@dataclass(frozen=True, slots=True)
class Inspected:
    """An encoded image that may be decoded.

    Parameters
    ----------
    name
        Its format.
    header
        Its size, and what decoding it takes.
    n_bytes
        Memory that decoding it takes, at most.
    """

    name: str
    header: Header
    n_bytes: int


def inspect(data: bytes, policy: SourcePolicy) -> Inspected | Failure:
    """What the header of `data` says, or why it may not be decoded: no image, too large, damaged.

    >>> from monitor.images import SourcePolicy
    >>> inspect(b"GIF89a", SourcePolicy()).reason
    'truncated'
    """
    if not data:
        return Failure("empty_body", "no bytes")
    name = image_format(data[:32])
    if name is None:
        return Failure("not_an_image", describe_other(data[:256]))
    if name == "HEIC" and not _reads_heic():
        extra = MissingExtraError.of("pillow-heif", "heic")
        return Failure("not_an_image", f"HEIC; {extra}")
    if name in _BOUNDED_HEADERS:
        header = _BOUNDED_HEADERS[name](data, policy.max_pixels)
    else:
        header = _HEADERS[name](data)
    if isinstance(header, Failure):
        return header
    if name == "ICO" and header.data.startswith(b"\x89PNG"):
        name = "PNG"
    if header.size is not None and (fault := check_size(*header.size, policy)):
        return fault
    n_bytes = header.memory(policy.max_pixels)
    if header.size is None:
        # The decoder will tell, and check it.
        n_bytes = min(n_bytes, policy.max_decode_bytes)
    if n_bytes > policy.max_decode_bytes:
        return Failure(
            "too_many_pixels",
            f"{name}: decoding takes {n_bytes:,} bytes of memory, at most {policy.max_decode_bytes:,}: "
            "see max_decode_bytes",
        )
    return Inspected(name, header, n_bytes)


def _reads_heic() -> bool:
    try:
        import pillow_heif  # noqa: F401
    except ImportError:
        return False
    return True


def check_size(width: int, height: int, policy: SourcePolicy) -> Failure | None:
    """The Failure of an image of `width` times `height` pixels that is too large or too small."""
    size = f"{width:,} x {height:,} pixels"
    if width * height > policy.max_pixels:
        return Failure("too_many_pixels", f"{size}, at most {policy.max_pixels:,} in all")
    shorter, longer = sorted((width, height))
    if shorter < policy.min_side:
        return Failure("too_small", f"{size}, at least {policy.min_side} on each side")
    if longer > shorter * policy.max_aspect_ratio:
        return Failure("too_small", f"{size}, a strip")
    return None
