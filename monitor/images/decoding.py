"""Encoded bytes, a Pillow image or an array become upright RGB pixels."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any, cast

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
    features,
)

from monitor.errors import MissingExtraError
from monitor.failures import Failure
from monitor.images.formats import declared_size, describe_other, image_format
from monitor.images.pixels import (
    array_to_image,
    is_image_like,
    to_rgb,
    unsupported_array,
    upright,
)
from monitor.images.png import PixelChunks, pixel_chunks
from monitor.images.policy import SourcePolicy
from monitor.images.quiet import quiet_pillow
from monitor.images.raw import RawImage
from monitor.images.redact import shorten

# The readers themselves and not `Image.open`, whose size check follows the global MAX_IMAGE_PIXELS,
# which another library may have changed. Each reads its own format only.
_READERS: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "PPM": PpmImagePlugin.PpmImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}
_OPTIONAL = {"WEBP": "webp", "AVIF": "avif"}
# A progressive JPEG decodes all its pixels once for each scan, and a scan can be a few bytes long.
# Real ones have about ten; the bound is on scans times pixels, in units of the largest image
# allowed.
_MOST_FULL_SIZE_SCANS = 32


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """Pixels as an encoder wants them.

    Parameters
    ----------
    image
        Mode RGB, 8 bits, upright, no transparency, no metadata.
    notes
        What was converted on the way, each in a few words.
    sha256
        The digest of the `RawImage` that it came from.

    Examples
    --------
    >>> DecodedImage(Image.new("RGB", (6, 4)), notes=("turned upright",), sha256="").image.size
    (6, 4)
    """

    image: Image.Image
    notes: tuple[str, ...]
    sha256: str


class _EndOfImage(Exception):
    """A decoder asked for more bytes than the image has."""


class _Source(io.BytesIO):
    """An image's bytes, which notice when a reader asks for more than there are.

    Pillow's own error for that can be switched off for the whole process (LOAD_TRUNCATED_IMAGES).
    """

    is_strict = False
    ran_out = False

    def read(self, size: int | None = -1, /) -> bytes:
        part = super().read(size)
        if size is not None and size > 0 and len(part) < size:
            self.ran_out = True
            if self.is_strict and not part:
                raise _EndOfImage
        return part


def decode(raw: RawImage, policy: SourcePolicy) -> DecodedImage | Failure:
    """Upright RGB pixels of `raw`, or the reason why there are none; raises nothing for bad data.

    The size is checked before the pixels are decoded. Of an animation or several pages the first is
    taken. Pillow's globals are neither changed nor relied on.

    Examples
    --------
    >>> from monitor.images import RawImage, SourcePolicy, decode
    >>> pixels = np.zeros((4, 6), dtype=np.uint8)
    >>> decode(RawImage(pixels, sha256=""), SourcePolicy()).image.size
    (6, 4)
    >>> print(decode(RawImage.of(b"<html>"), SourcePolicy()))
    not_an_image: HTML
    """
    with quiet_pillow():
        try:
            decoded = _decode(raw.data, policy)
        except Exception as error:  # Pillow's readers raise almost anything on damaged bytes
            return explain(error)
    if isinstance(decoded, Failure):
        return decoded
    image, notes = decoded
    image.info = {}
    return DecodedImage(image, notes, raw.sha256)


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


def check_array(array: np.ndarray[Any, Any], policy: SourcePolicy) -> Failure | None:
    """The Failure of an array that is no image or of the wrong size; its values are not looked at."""
    if not is_image_like(array):
        return unsupported_array(array)
    return check_size(array.shape[1], array.shape[0], policy)


_Pixels = tuple[Image.Image, tuple[str, ...]]


def _decode(data: object, policy: SourcePolicy) -> _Pixels | Failure:
    if isinstance(data, np.ndarray):
        if fault := check_array(data, policy):
            return fault
        image = array_to_image(data)
        return image if isinstance(image, Failure) else to_rgb(image, policy.background)
    if isinstance(data, Image.Image):
        return check_size(*data.size, policy) or _finish(data, policy, ())
    return _decode_bytes(cast(bytes, data), policy)


def _decode_bytes(data: bytes, policy: SourcePolicy) -> _Pixels | Failure:
    if not data:
        return Failure("empty_body", "no bytes")
    name = image_format(data[:32])
    if name is None:
        return Failure("not_an_image", describe_other(data[:256]))
    notes: tuple[str, ...] = ()
    if (size := declared_size(name, data)) and (fault := check_size(*size, policy)):
        return fault
    if name == "PNG":
        chunks = pixel_chunks(data)
        if not isinstance(chunks, PixelChunks):
            return chunks
        data, notes = chunks.data, (("first frame",) if chunks.is_animated else ())
    source = _Source(data)
    image = _open(name, source)
    if isinstance(image, Failure):
        return image
    fault = check_size(*image.size, policy) or _incomplete(name, image, data, policy)
    if fault:
        return fault
    is_short = source.ran_out
    source.is_strict = True
    try:
        _load(image)
    except Exception as error:
        fault = explain(error)
        return Failure("truncated" if is_short else fault.reason, f"{name}: {fault.detail}")
    source.is_strict = False
    rgb, notes = _finish(image, policy, notes)
    # Last, since finding out moves a GIF to its second frame.
    return rgb, (("first frame", *notes) if _has_more_frames(image) else notes)


def _open(name: str, source: _Source) -> ImageFile.ImageFile | Failure:
    """The image with its header read and its pixels not."""
    if name in _OPTIONAL and not features.check(_OPTIONAL[name]):
        return Failure("not_an_image", f"{name}, which this build of Pillow cannot read")
    try:
        return _open_heic(source) if name == "HEIC" else _READERS[name](source)
    except MissingExtraError as error:
        return Failure("not_an_image", f"HEIC; {error}")
    except Image.DecompressionBombError:
        raise
    except Exception as error:
        fault = explain(error)
        if source.ran_out or _is_short_riff(name, source.getvalue()):
            return Failure("truncated", f"{name} ends within its header")
        return Failure(fault.reason, f"{name}: {fault.detail}")


def _open_heic(source: io.BytesIO) -> ImageFile.ImageFile:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise MissingExtraError.of("pillow-heif", "heic") from None
    return cast(ImageFile.ImageFile, HeifImageFile(source))


def _incomplete(
    name: str, image: ImageFile.ImageFile, data: bytes, policy: SourcePolicy
) -> Failure | None:
    """What the header gives away: missing bytes, or more work than the pixels are worth."""
    if _is_short_riff(name, data):
        return Failure("truncated", "WEBP is shorter than its header says")
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags = image.tag_v2
        # A tile (tags 322, 323) is decoded whole, however little of it the image shows.
        if tags.get(322, 0) * tags.get(323, 0) > policy.max_pixels:
            return Failure("too_many_pixels", "TIFF whose tiles are larger than an image may be")
        # Strips (273, 279) or tiles (324, 325): where each begins and how long it is.
        for starts, lengths in ((273, 279), (324, 325)):
            ends = zip(tags.get(starts, ()), tags.get(lengths, ()), strict=False)
            if any(start + length > len(data) for start, length in ends):
                return Failure("truncated", "TIFF ends before its pixels do")
    if name == "JPEG":
        n_scans = data.count(b"\xff\xda")
        if n_scans * image.width * image.height > _MOST_FULL_SIZE_SCANS * policy.max_pixels:
            return Failure("corrupt", f"JPEG with {n_scans:,} scans")
    return None


def _is_short_riff(name: str, data: bytes) -> bool:
    return name == "WEBP" and int.from_bytes(data[4:8], "little") + 8 > len(data)


def _strict_load() -> Callable[[ImageFile.ImageFile], object]:
    """Pillow's `ImageFile.load` with LOAD_TRUNCATED_IMAGES off, whatever the process has set.

    The function looks the flag up in its module; this one looks it up in a copy of that module's
    names.
    """
    load = cast(FunctionType, ImageFile.ImageFile.load)
    names = {**vars(ImageFile), "LOAD_TRUNCATED_IMAGES": False}
    return FunctionType(load.__code__, names, load.__name__, load.__defaults__, load.__closure__)


_STRICT_LOAD = _strict_load()


def _load(image: ImageFile.ImageFile) -> None:
    """Decode the pixels. Formats with a load of their own hand all bytes to a library at once."""
    if type(image).load is ImageFile.ImageFile.load:
        _STRICT_LOAD(image)
    else:
        image.load()


def _finish(image: Image.Image, policy: SourcePolicy, notes: tuple[str, ...]) -> _Pixels:
    turned, how_turned = upright(image)
    rgb, how_converted = to_rgb(turned, policy.background)
    return rgb, (*notes, *how_turned, *how_converted)


def _has_more_frames(image: ImageFile.ImageFile) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # a damaged second frame
        return True


def explain(error: Exception) -> Failure:
    """The reason behind an exception of Pillow's."""
    if isinstance(error, _EndOfImage):
        return Failure("truncated", "the image ends before its pixels do")
    message = shorten(str(error), 100) or type(error).__name__
    if isinstance(error, Image.DecompressionBombError | MemoryError):
        return Failure("too_many_pixels", "more memory than the image may take")
    if "truncated" in message.lower():
        return Failure("truncated", message)
    return Failure("corrupt", message)
