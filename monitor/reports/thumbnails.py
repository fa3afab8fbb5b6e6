"""Example rows ─► small pictures that stand in the page itself, or why there is none."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Container, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from PIL import Image, ImageOps

from monitor.failures import Failure
from monitor.images import DecodedImage, ImageReader, SourcePolicy
from monitor.redaction import full_url

MAX_THUMBNAILS: Final = 200
SIDE: Final = 112
LARGE_SIDE: Final = 288
MAX_BYTES: Final = 900_000
"""Of all pictures of a page, as text; a page with its maps and tables stays below 1.5 MB."""
_QUALITY: Final = 70
_N_THREADS: Final = 8
# A fetch may wait for its turn at a busy host and then run: both together keep the whole under half a minute.
_START_WITHIN_SECONDS: Final = 14.0
_DEADLINE_SECONDS: Final = 8.0


@dataclass(frozen=True)
class Thumbnail:
    """A picture in the page.

    Parameters
    ----------
    data
        A `data:` URI of a WebP image, or None.
    failure
        Why there is none.
    """

    data: str | None = None
    failure: Failure | None = None


def collect_thumbnails(
    sources: Iterable[str], policy: SourcePolicy | None = None, *, large: Container[str] = ()
) -> dict[str, Thumbnail]:
    """Fetch and shrink images, at most `MAX_THUMBNAILS` and for at most about half a minute.

    Parameters
    ----------
    sources
        Source cells, the ones that matter most first; each is fetched once.
    policy
        From where images may be fetched; public http(s) addresses by default.
    large
        Those of the sources that are shown large.

    Returns
    -------
    A thumbnail for each of the first `MAX_THUMBNAILS` distinct sources, as far as `MAX_BYTES` go.
    """
    wanted = list(dict.fromkeys(sources))[:MAX_THUMBNAILS]
    if not wanted:
        return {}
    policy = policy or SourcePolicy()
    deadline = min(policy.deadline_seconds, _DEADLINE_SECONDS)
    connect = min(policy.connect_timeout_seconds, deadline)
    policy = policy.model_copy(
        update={"deadline_seconds": deadline, "connect_timeout_seconds": connect}
    )
    last_start = time.monotonic() + _START_WITHIN_SECONDS

    with ImageReader(policy) as reader, ThreadPoolExecutor(_N_THREADS, "thumbnails") as pool:

        def make(source: str) -> Thumbnail:
            if time.monotonic() > last_start:
                return Thumbnail(failure=Failure("deadline", "the report had no more time for it"))
            image = reader.read(full_url(source))
            if isinstance(image, DecodedImage):
                return Thumbnail(_shrink(image.image, LARGE_SIDE if source in large else SIDE))
            return Thumbnail(failure=image)

        try:
            return _within_budget(dict(zip(wanted, pool.map(make, wanted), strict=True)))
        except BaseException:
            # Ctrl-C: the pool waits for its threads, and they for servers.
            reader.cancel()
            raise


def _within_budget(thumbnails: dict[str, Thumbnail]) -> dict[str, Thumbnail]:
    """Those that fit into a page; the others are named only."""
    left, kept = MAX_BYTES, {}
    for source, thumbnail in thumbnails.items():
        left -= len(thumbnail.data or "")
        if left >= 0:
            kept[source] = thumbnail
    return kept


def link_of(source: str) -> str | None:
    """The address that a reader may be led to: an http(s) URL without credentials, else None.

    >>> link_of("https://example.com/a.jpg?w=300")
    'https://example.com/a.jpg?w=300'
    >>> link_of("javascript:alert(1)"), link_of("https://me:secret@example.com/a.jpg")
    (None, None)
    """
    url = source.strip()
    # Browsers drop tabs and line ends inside an address, so they would read another one than we do.
    if not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    return url if is_web and parts.username is None and parts.password is None else None


def _shrink(image: Image.Image, side: int) -> str:
    """The middle square of `image`, as encoders see it, no larger than it is, as a `data:` URI.

    Pixels are encoded anew, so that nothing else that a stranger's file holds gets into the page.
    """
    side = max(1, min(side, *image.size))
    small = ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=_QUALITY)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
