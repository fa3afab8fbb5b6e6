"""Encoded bytes, a Pillow image or an array become upright RGB pixels."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import replace
from types import FunctionType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
    features,
)

from monitor.failures import Failure
from monitor.images import ico, jpeg, pnm
from monitor.images.decoded import DecodedImage
from monitor.images.header import Header
from monitor.images.inspection import Inspected, check_size, inspect
from monitor.images.pixels import (
    array_to_image,
    differing_share,
    is_image_like,
    orientation,
    to_rgb,
    unsupported_array,
    upright,
)
from monitor.images.quality import statistics_size
from monitor.images.quiet import quiet_pillow
from monitor.images.raw import RawImage
from monitor.redaction import shorten

if TYPE_CHECKING:
    from monitor.images.policy import SourcePolicy

# The readers themselves and not `Image.open`, whose size check follows the global MAX_IMAGE_PIXELS,
# which another library may have changed. Each reads its own format only.
_READERS: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}
_OPTIONAL = {"WEBP": "webp", "AVIF": "avif"}
# A camera that ends each file 20 bytes early loses one percent; a transfer that broke off, far more.
_MOST_MISSING = 0.05


# RGB, what was converted on the way, and the share of the picture that is missing.
_Pixels = tuple[Image.Image, tuple[str, ...], float]


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
    if isinstance(raw.data, bytes):
        inspected = inspect(raw.data, policy)
        if isinstance(inspected, Failure):
            return inspected
        return decode_inspected(inspected, raw, policy)
    return _decoded(lambda: _convert(raw.data, policy), raw)


def decode_inspected(
    inspected: Inspected, raw: RawImage, policy: SourcePolicy, least_side: int | None = None
) -> DecodedImage | Failure:
    """As `decode`, of bytes that were inspected.

    With `least_side` a JPEG may come at a half, a quarter or an eighth of its size, as long as no side
    becomes shorter than that, or too short to be measured: its decoder averages blocks of pixels instead
    of making them. An image that took longer than the policy's deadline is none, as in a process of its own.
    """
    # This thread's own time: that the machine is busy is no fault of the image's.
    began = time.thread_time()
    decoded = _decoded(lambda: _decode_bytes(inspected, policy, least_side), raw)
    if time.thread_time() - began > policy.deadline_seconds:
        return not_in_time(policy.deadline_seconds)
    if isinstance(decoded, Failure) or least_side is None or inspected.header.size is None:
        return decoded
    width, height = inspected.header.size
    if (width > height) != (decoded.image.width > decoded.image.height):
        width, height = height, width
    is_smaller = decoded.image.size != (width, height)
    return replace(decoded, scaled_from=(width, height)) if is_smaller else decoded


def not_in_time(seconds: float) -> Failure:
    """The Failure of an image that took longer, whether its decoder was ended or came back late."""
    return Failure("decoder_crashed", f"not decoded after {seconds:g} s")


def memory_of_pixels(data: object) -> int:
    """Bytes of memory that it takes to convert a Pillow image or an array, at most."""
    if isinstance(data, np.ndarray):
        # Three copies in 32-bit floats, then bytes, and RGB.
        return 13 * data.size + 4 * (
            data.size // max(1, data.shape[-1]) if data.ndim == 3 else data.size
        )
    image = cast(Image.Image, data)
    return 12 * image.width * image.height


def _decoded(make: Callable[[], _Pixels | Failure], raw: RawImage) -> DecodedImage | Failure:
    with quiet_pillow():
        try:
            decoded = make()
        except Exception as error:  # Pillow's readers raise almost anything on damaged bytes
            return explain(error)
    if isinstance(decoded, Failure):
        return decoded
    image, notes, missing_share = decoded
    image.info = {}
    return DecodedImage(image, notes, raw.sha256, missing_share)


def check_array(array: np.ndarray[Any, Any], policy: SourcePolicy) -> Failure | None:
    """The Failure of an array that is no image or of the wrong size; its values are not looked at."""
    if not is_image_like(array):
        return unsupported_array(array)
    return check_size(array.shape[1], array.shape[0], policy)


def _convert(data: object, policy: SourcePolicy) -> _Pixels | Failure:
    """The pixels of what came ready-made."""
    if isinstance(data, np.ndarray):
        if fault := check_array(data, policy):
            return fault
        image = array_to_image(data)
        return image if isinstance(image, Failure) else (*to_rgb(image, policy.background), 0.0)
    image = cast(Image.Image, data)
    if fault := check_size(*image.size, policy):
        return fault
    rgb, notes = _finish(image, Header(image.size, b"", 0, orientation=None), policy)
    # The caller's own stays as it is.
    return (image.copy() if rgb is image else rgb), notes, 0.0


def _decode_bytes(
    inspected: Inspected, policy: SourcePolicy, least_side: int | None = None
) -> _Pixels | Failure:
    name, header = inspected.name, inspected.header
    missing_share = 0.0
    if name in _IN_ONE_PIECE:
        image: Image.Image | Failure = _IN_ONE_PIECE[name](header.data)
    elif header.is_cut and policy.truncated == "accept":
        image, missing_share = _read_cut(name, header, policy)
    else:
        image = _read(name, header, policy, least_side)
    if isinstance(image, Failure):
        return image
    rgb, notes = _finish(image, header, policy)
    if header.has_more_frames or bool(getattr(image, "is_animated", False)):
        notes = ("first frame", *notes)
    if header.is_cut:
        notes = (f"cut off: {missing_share:.1%} missing", *notes)
    return rgb, notes, missing_share


def _read_cut(
    name: str, header: Header, policy: SourcePolicy
) -> tuple[Image.Image | Failure, float]:
    """A JPEG whose end is missing, if most of it is there; and the share that is missing."""
    width, height = header.size or (0, 0)
    image, other = (
        _read(name, replace(header, data=data), policy, least_side=None)
        for data in jpeg.completed(header.data, width * height)
    )
    if isinstance(image, Failure) or isinstance(other, Failure):
        return Failure("truncated", f"{name} ends before its pixels do"), 1.0
    missing_share = differing_share(image, other)
    if missing_share > _MOST_MISSING:
        return (
            Failure(
                "truncated",
                f"{name} ends early: {missing_share:.0%} of its pixels are missing, "
                f"at most {_MOST_MISSING:.0%} may be",
            ),
            missing_share,
        )
    return image, missing_share


def _read(
    name: str, header: Header, policy: SourcePolicy, least_side: int | None
) -> Image.Image | Failure:
    """The image with its pixels, as they are stored."""
    source = _Source(header.data)
    image = _open(name, source)
    if isinstance(image, Failure):
        return image
    if fault := _other_size(name, image, header, policy):
        return fault
    if header.orientation is not None:
        # Pillow turns a TIFF itself, as its tag says; what XMP says is in the header.
        image.info.pop("xmp", None)
    if least_side is not None and name == "JPEG":
        width, height = statistics_size(image.size)
        image.draft(None, (max(least_side, width), max(least_side, height)))
    is_short = source.ran_out
    source.is_strict = True
    try:
        _load(image)
    except Exception as error:
        fault = explain(error)
        return Failure("truncated" if is_short else fault.reason, f"{name}: {fault.detail}")
    source.is_strict = False
    return image


def _other_size(
    name: str, image: ImageFile.ImageFile, header: Header, policy: SourcePolicy
) -> Failure | None:
    """The Failure of an image that is larger than the header that its memory was told by."""
    if fault := check_size(*image.size, policy):
        return fault
    if header.size is not None and image.width * image.height > header.size[0] * header.size[1]:
        return Failure("corrupt", f"{name} that names two sizes")
    return None


# Formats that are decoded without Pillow's lazy readers.
_IN_ONE_PIECE: dict[str, Callable[[bytes], Image.Image | Failure]] = {
    "PNM": pnm.read_pixels,
    "ICO": ico.read_pixels,
}


def _open(name: str, source: _Source) -> ImageFile.ImageFile | Failure:
    """The image with its header read and its pixels not."""
    if name in _OPTIONAL and not features.check(_OPTIONAL[name]):
        return Failure("not_an_image", f"{name}, which this build of Pillow cannot read")
    try:
        return _open_heic(source) if name == "HEIC" else _READERS[name](source)
    except Image.DecompressionBombError:
        raise
    except Exception as error:
        fault = explain(error)
        if source.ran_out:
            return Failure("truncated", f"{name} ends within its header")
        return Failure(fault.reason, f"{name}: {fault.detail}")


def _open_heic(source: io.BytesIO) -> ImageFile.ImageFile:
    from pillow_heif import HeifImageFile

    return cast(ImageFile.ImageFile, HeifImageFile(source))


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


def _finish(
    image: Image.Image, header: Header, policy: SourcePolicy
) -> tuple[Image.Image, tuple[str, ...]]:
    how = orientation(image) if header.orientation is None else header.orientation
    turned, how_turned = upright(image, how)
    rgb, how_converted = to_rgb(turned, policy.background, white=header.white)
    return rgb, (*how_turned, *how_converted)


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
