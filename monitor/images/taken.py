"""When a picture was taken, as its camera wrote it into the file."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping
from typing import Any, Final

from monitor.images.quiet import quiet_pillow

HEAD_BYTES: Final = 1 << 18
"""The part of a file that is looked at: cameras write EXIF near the start, in 64 kB at most."""
_EXIF_DIRECTORY: Final = 0x8769
# Taken, digitized, last changed (EXIF 2.32, table 7), each with the tag of its offset from UTC.
_TAGS: Final = ((0x9003, 0x9011), (0x9004, 0x9012), (0x0132, 0x9010))
_FORMATS: Final = ("JPEG", "MPO", "PNG", "TIFF", "WEBP")


def taken_at(head: bytes) -> dt.datetime | None:
    """The time in the EXIF of an image, in UTC; None if there is none.

    A time without an offset is taken as UTC, since cameras seldom know their zone.

    Parameters
    ----------
    head
        The first `HEAD_BYTES` of the file.
    """
    from PIL import Image

    try:
        with quiet_pillow(), Image.open(io.BytesIO(head[:HEAD_BYTES]), formats=_FORMATS) as image:
            exif = image.getexif()
            tags = {**exif, **exif.get_ifd(_EXIF_DIRECTORY)}
    except Exception:  # a file of strangers, cut off on purpose
        return None
    times = (_instant(tags, *pair) for pair in _TAGS)
    return next((time for time in times if time is not None), None)


def _instant(tags: Mapping[int, Any], time_tag: int, offset_tag: int) -> dt.datetime | None:
    text = str(tags.get(time_tag, "")).strip("\0 ")
    offset = str(tags.get(offset_tag, "")).strip("\0 ")
    try:
        naive = dt.datetime.strptime(text[:19], "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
        zone = dt.datetime.strptime(offset, "%z").tzinfo if offset else dt.UTC
        return naive.replace(tzinfo=zone).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
