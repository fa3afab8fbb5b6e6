"""Any cell of an image column becomes pixels, or a Failure that says why not."""

from __future__ import annotations

import logging
import os
import string
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePath
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from PIL import Image

from monitor.empty_cells import is_missing
from monitor.failures import Failure
from monitor.images.breaker import HostBreaker
from monitor.images.budget import DecodeBudget, Share
from monitor.images.cancellation import Cancellation
from monitor.images.checked_policy import OBJECT_STORES
from monitor.images.data_uri import read_base64, read_data_uri
from monitor.images.decoded import DecodedImage
from monitor.images.decoding import (
    check_array,
    decode,
    decode_inspected,
    explain,
    memory_of_pixels,
)
from monitor.images.files import file_state, read_file
from monitor.images.inspection import check_size, inspect
from monitor.images.isolation import DecoderPool
from monitor.images.objects import read_object
from monitor.images.pixels import ACCEPTED_ARRAYS, channels_last, orientation
from monitor.images.quiet import quiet_pillow
from monitor.images.raw import RawImage, Unchanged, Version
from monitor.images.urls import file_path, scheme_of
from monitor.images.web import Web
from monitor.redaction import redact_url, shorten
from monitor.tensors import is_tensor, tensor_array

if TYPE_CHECKING:
    from monitor.images.policy import SourcePolicy

logger = logging.getLogger(__name__)

_ACCEPTED = f"URLs, data: URIs, paths, base64, bytes, Pillow images, tensors and {ACCEPTED_ARRAYS}"
# Pillow's own four, and the three of an array that is made of them.
_HELD_BYTES_PER_PIXEL = 7
# What an empty cell becomes on its way through text, as the names of Python, SQL, Arrow and JavaScript.
_NOTHING = frozenset({"", "nan", "none", "null", "<na>", "nat", "undefined"})
# Byte order mark, zero-width space and word joiner.
_INVISIBLE = "\ufeff\u200b\u2060"
_CANCELLED = Failure("deadline", "the reader was cancelled")


def source_key(cell: object) -> str | None:
    """A key that cells share when they name the same source, so that it is fetched once; else None.

    >>> source_key(" https://example.com/a.jpg#top "), source_key(b"abc")
    ('https://example.com/a.jpg', None)
    """
    if isinstance(cell, PurePath):
        return str(cell)
    text = _text(cell) if isinstance(cell, str) else ""
    if not text:
        return None
    return text.partition("#")[0] if scheme_of(text) in ("http", "https") else text


@dataclass(frozen=True, slots=True)
class Located:
    """Where bytes lie.

    Parameters
    ----------
    key
        The same for cells that name the same source.
    file_state
        Of a local file: what changes with its content. None for what lies elsewhere.
    """

    key: str
    file_state: str | None = None


class ImageReader:
    """Reads image cells as a policy allows. Thread-safe; a context manager, or `close` it.

    Parameters
    ----------
    policy
        What may be fetched and decoded; by default, images from public web hosts and `data:` URIs.

    Raises
    ------
    PolicyError
        If the policy names certificate authorities that are not there.

    Examples
    --------
    >>> from monitor.images import ImageReader
    >>> with ImageReader() as reader:
    ...     print(reader.read("http://127.0.0.1/a.jpg"))
    ...     print(reader.read(np.zeros((4, 6), dtype=np.uint8)).image.size)
    blocked_address: 127.0.0.1 is no public address
    (6, 4)
    """

    def __init__(self, policy: SourcePolicy | None = None) -> None:
        if policy is None:
            from monitor.images.policy import SourcePolicy

            policy = SourcePolicy()
        self.policy = policy
        self._cancellation = Cancellation()
        self._web = Web(self.policy, self._cancellation)
        self._stores = HostBreaker(self.policy.max_host_failures, self.policy.host_pause_seconds)
        self._decoders = DecoderPool(self.policy, self._cancellation)
        self._budget = DecodeBudget(self.policy.max_decode_bytes, self._cancellation)
        # Pillow reads lazily, and the same image may stand in many rows.
        self._loading = threading.Lock()

    source_key = staticmethod(source_key)

    def read(self, cell: object) -> DecodedImage | Failure:
        """Fetch and decode `cell`; bad data raises nothing."""
        raw = self.fetch(cell)
        return raw if isinstance(raw, Failure) else self.decode(raw)

    def decode(self, raw: RawImage) -> DecodedImage | Failure:
        """Upright RGB pixels of `raw`, or why there are none; isolated if the policy says so."""
        with self.decoding(raw) as decoded:
            return decoded

    @contextmanager
    def decoding(
        self, raw: RawImage, least_side: int | None = None
    ) -> Iterator[DecodedImage | Failure]:
        """As `decode`; while the context lasts, its pixels count towards the policy's memory.

        With `least_side` a picture may come smaller, as long as no side becomes shorter than that; see
        `DecodedImage.size`.

        Examples
        --------
        >>> raw = RawImage(np.zeros((4, 6), dtype=np.uint8), sha256="")
        >>> with ImageReader() as reader, reader.decoding(raw) as decoded:
        ...     decoded.image.size
        (6, 4)
        """
        with self._budget.share() as share:
            decoded = self._decode(raw, share, least_side)
            if isinstance(decoded, DecodedImage):
                share.shrink(_HELD_BYTES_PER_PIXEL * decoded.image.width * decoded.image.height)
            yield decoded

    def fetch(self, cell: object) -> RawImage | Failure:
        """The bytes (or ready-made pixels) that `cell` holds or names.

        Parameters
        ----------
        cell
            None, NaN, blank text and words such as `null` are `missing`. Text is an http(s) URL, a `data:`
            or `file:` URI, an object's address, base64 of an image, or a path. Also `pathlib.Path`, bytes,
            a Pillow image, or an array of shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4). A tensor of torch
            may also have its channels first, as torchvision has them.
        """
        return cast(RawImage | Failure, self.fetch_changed(cell, None))

    def fetch_changed(self, cell: object, known: Version | None) -> RawImage | Unchanged | Failure:
        """As `fetch`, but `UNCHANGED` where a web server says that `known` is still its version."""
        outcome = _CANCELLED if self._cancellation.is_cancelled else self._fetch(cell, known)
        # How a fetch fails that was cut says nothing about its source.
        was_cut = isinstance(outcome, Failure) and self._cancellation.is_cancelled
        if isinstance(outcome, Failure):
            shown = redact_url(cell) if isinstance(cell, str) else type(cell).__name__
            logger.debug("no image from %s: %s", shown, outcome)
        return _CANCELLED if was_cut else outcome

    def locate(self, cell: object) -> Located | None:
        """Where the bytes lie that `cell` names, without fetching them; None if it holds them itself."""
        key = source_key(cell)
        scheme = None if key is None or isinstance(cell, PurePath) else scheme_of(key)
        if key is None or scheme in ("http", "https", *OBJECT_STORES):
            return None if key is None else Located(key)
        if scheme is not None and scheme != "file":
            return None
        if isinstance(cell, str) and read_base64(key, self.policy) is not None:
            return None
        path = key if scheme is None else file_path(key)
        state = None if isinstance(path, Failure) else file_state(path, self.policy)
        return None if state is None else Located(*state)

    def cancel(self) -> None:
        """End all that is under way at once, and read nothing more.

        For a caller that gives up while other threads read, on Ctrl-C say. Connections are shut; the
        waits for a slot at a host, for a look-up, for an object and before a retry end. What was
        cut so, and each read from now on, is a Failure with the reason `deadline`.

        Examples
        --------
        >>> with ImageReader() as reader:
        ...     reader.cancel()
        ...     print(reader.read("https://example.com/a.jpg"))
        deadline: the reader was cancelled
        """
        self._cancellation.cancel()

    def close(self) -> None:
        """Cancel what is under way, and close the connections that are kept alive."""
        self.cancel()
        self._web.close()
        self._decoders.close()

    def __enter__(self) -> ImageReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _decode(
        self, raw: RawImage, share: Share, least_side: int | None
    ) -> DecodedImage | Failure:
        if not isinstance(raw.data, bytes):
            if not share.take(memory_of_pixels(raw.data)):
                return _CANCELLED
            return decode(raw, self.policy)
        inspected = inspect(raw.data, self.policy)
        if isinstance(inspected, Failure):
            return inspected
        n_bytes = inspected.n_bytes
        isolation = self.policy.isolation
        if isolation == "process" or (isolation == "auto" and not inspected.header.is_quick):
            return self._decoders.decode(raw, lambda: share.take(n_bytes))
        if not share.take(n_bytes):
            return _CANCELLED
        return decode_inspected(inspected, raw, self.policy, least_side)

    def _fetch(self, cell: object, known: Version | None) -> RawImage | Unchanged | Failure:
        if is_missing(cell):
            return Failure("missing")
        if isinstance(cell, str):
            text = _text(cell)
            if text.lower() in _NOTHING:
                return Failure("missing", repr(text) if text else "")
            return self._fetch_text(text, known)
        if isinstance(cell, PurePath):
            return _raw(read_file(os.fspath(cell), self.policy))
        if isinstance(cell, bytes | bytearray | memoryview):
            return self._fetch_bytes(cell)
        if isinstance(cell, Image.Image):
            return self._fetch_image(cell)
        if is_tensor(cell):
            try:
                cell = channels_last(tensor_array(cell))
            except Exception as error:  # what torch raises of a tensor without values
                return Failure("unsupported_type", f"a tensor: {shorten(str(error), 100)}")
        if isinstance(cell, np.ndarray):
            return check_array(cell, self.policy) or RawImage(cell, _array_digest(cell))
        kind = type(cell).__name__
        return Failure("unsupported_type", f"{kind}; accepted: {_ACCEPTED}")

    def _fetch_text(self, text: str, known: Version | None) -> RawImage | Unchanged | Failure:
        scheme = scheme_of(text)
        if scheme is None:
            data = read_base64(text, self.policy) if self.policy.allows("data") else None
            return _raw(read_file(text, self.policy) if data is None else data)
        if not self.policy.allows(scheme):
            allowed = ", ".join(self.policy.allowed_schemes)
            return Failure("scheme", f"{redact_url(scheme)}; allowed: {allowed}")
        if scheme in ("http", "https"):
            return self._web.fetch(text, known)
        if scheme == "data":
            return _raw(read_data_uri(text, self.policy))
        if scheme in OBJECT_STORES:
            return _raw(self._read_object(text, scheme))
        path = file_path(text)
        return path if isinstance(path, Failure) else _raw(read_file(path, self.policy))

    def _read_object(self, url: str, scheme: str) -> bytes | Failure:
        bucket = url.partition("://")[2].partition("/")[0]
        store = f"{scheme} bucket {bucket[:80]!r}"
        if fault := self._stores.check(store):
            return fault
        data = read_object(url, scheme, self.policy, self._cancellation)
        if not self._cancellation.is_cancelled:
            self._stores.record(store, data)
        return data

    def _fetch_bytes(self, cell: bytes | bytearray | memoryview) -> RawImage | Failure:
        try:
            n_bytes = cell.nbytes if isinstance(cell, memoryview) else len(cell)
        except ValueError:
            return Failure("unsupported_type", "a memoryview that has been released")
        if n_bytes > self.policy.max_bytes:
            most = f"at most {self.policy.max_bytes:,}"
            return Failure("too_large", f"{n_bytes:,} bytes, {most}")
        return _raw(bytes(cell))

    def _fetch_image(self, image: Image.Image) -> RawImage | Failure:
        if fault := check_size(*image.size, self.policy):
            return fault
        try:
            with self._loading, quiet_pillow():
                # What decides how the pixels look, beside the pixels.
                pixels = image.tobytes()
                looks = (
                    image.mode,
                    image.size,
                    image.getpalette(),
                    image.info.get("transparency"),
                    orientation(image),
                )
        except Exception as error:  # lazily read from a file that may be damaged
            return explain(error)
        return RawImage(image, sha256(repr(looks).encode() + pixels).hexdigest())


def _text(cell: str) -> str:
    """`cell` without space around it, and without the marks that no reader sees and tables carry along."""
    return cell.strip(string.whitespace + _INVISIBLE).strip()


def _raw(data: bytes | Failure) -> RawImage | Failure:
    if isinstance(data, Failure):
        return data
    return RawImage.of(data) if data else Failure("empty_body", "no bytes")


def _array_digest(array: np.ndarray[Any, Any]) -> str:
    shape = f"{array.dtype.str}{array.shape}".encode()
    return sha256(shape + array.tobytes()).hexdigest()
