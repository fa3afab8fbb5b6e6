"""One cell, read as far as need be: to its vector if that is known, else to what the model takes."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import PIL
from numpy.typing import NDArray

from monitor.cache import CachedVector, KnownFailure, KnownSource
from monitor.embedding.cores import n_cores
from monitor.encoders.traits import traits_of
from monitor.failures import Failure, may_pass
from monitor.images.quality import QUALITY_FIELDS, measure_image
from monitor.images.raw import RawImage, Unchanged, Version

if TYPE_CHECKING:
    import torch
    from PIL import Image

    from monitor.cache import VectorCache
    from monitor.images import ImageReader, SourcePolicy
    from monitor.images.reader import Located

_DECIDE_PIXELS: Final = (
    "background",
    "max_pixels",
    "max_decode_bytes",
    "min_side",
    "max_aspect_ratio",
    "truncated",
)
# How long and how often a source is tried, which does not change what it gives.
_DECIDE_NOTHING: Final = {
    "deadline_seconds",
    "connect_timeout_seconds",
    "retries",
    "backoff_seconds",
    "max_retry_after_seconds",
    "max_connections_per_host",
    "max_host_failures",
    "host_pause_seconds",
    "secret_parameters",
    "user_agent",
    "isolation",
}


@dataclass(frozen=True, eq=False)
class Read:
    """An image that was read.

    Parameters
    ----------
    sha256
        Of its bytes or pixels.
    quality
        (len(QUALITY_FIELDS),) float32.
    tensor
        What the model takes: a tensor, or the pixels of `Geometry.pixels`. None where the vector is known.
    vector
        (width,) float32; None where it is still to be made.
    """

    sha256: str
    quality: NDArray[np.float32]
    tensor: torch.Tensor | NDArray[np.uint8] | None = None
    vector: NDArray[np.float32] | None = None


class Preparing(Protocol):
    """What reading needs of an encoder."""

    @property
    def width(self) -> int: ...

    @property
    def fingerprint(self) -> str: ...

    def preprocess(self, image: Image.Image) -> Any: ...


class CellReading:
    """Reads cells through a cache, if there is one. Thread-safe.

    Parameters
    ----------
    reader
        Fetches and decodes.
    encoder
        Says what its model takes.
    cache
        Vectors of earlier images.
    decoding
        How many images are decoded at once; None for one on each core.
    """

    def __init__(
        self,
        reader: ImageReader,
        encoder: Preparing,
        cache: VectorCache | None,
        *,
        decoding: int | None = None,
    ) -> None:
        self.reader = reader
        self._encoder = encoder
        traits = traits_of(encoder)
        self._least_side = traits.least_side
        # Pixels of plain arrays where they are the same: each operation of torch's gives Python's lock away.
        geometry = traits.geometry
        self._prepare = encoder.preprocess if geometry is None else geometry.pixels
        self._cache = cache
        self._policy, self._maker = (
            ("", "") if cache is None else cache_names(reader.policy, encoder.fingerprint)
        )
        # Decoding computes: beyond the cores, more at once would only take memory and turns.
        self._decoding = threading.BoundedSemaphore(decoding or n_cores())

    def cancel(self) -> None:
        """End all that is under way at once."""
        self.reader.cancel()

    def read_all(self, cells: Sequence[object]) -> list[Read | Failure]:
        """The images in `cells`, one after the other."""
        return [self.read(cell) for cell in cells]

    def read(self, cell: object) -> Read | Failure:
        """The image in `cell`, or why there is none."""
        where = None if self._cache is None else self.reader.locate(cell)
        if self._cache is None or where is None:
            raw = self.reader.fetch(cell)
            return raw if isinstance(raw, Failure) else self.decoded(raw)
        failed = self._cache.failure(self._policy, where.key)
        if failed is not None:
            return Failure(failed.reason, failed.detail)
        source = self._cache.source(self._policy, where.key)
        known = None if source is None else self.known(source.sha256)
        fetched: RawImage | Unchanged | Failure
        if source is None or known is None:
            fetched = self.reader.fetch(cell)
        elif _is_same(source, where):
            return known
        else:
            fetched = self.reader.fetch_changed(cell, _version(source))
            if isinstance(fetched, Unchanged):
                self._cache.add_source(self._policy, where.key, source)
                return known
        if isinstance(fetched, Failure):
            return self.keep_source(where, fetched, None)
        return self.keep_source(where, self.decoded(fetched), fetched.version)

    def keep(self, read: Read, vector: NDArray[np.float32]) -> None:
        """Remember the vector that the model made, with the cache's next commit."""
        if self._cache is not None:
            self._cache.add_vector(self._maker, read.sha256, CachedVector(vector, read.quality))

    def is_new(self, where: Located) -> bool:
        """Whether the cache knows nothing of a source, or not the vector of what it gave."""
        assert self._cache is not None
        if self._cache.failure(self._policy, where.key) is not None:
            return False
        source = self._cache.source(self._policy, where.key)
        return source is None or self.known(source.sha256) is None

    def keep_source(
        self, where: Located, read: Read | Failure, version: Version | None
    ) -> Read | Failure:
        """Remember what the source gave; `read`, with its vector if that is known."""
        assert self._cache is not None
        if isinstance(read, Failure):
            if not may_pass(read.reason):
                known = KnownFailure(read.reason, read.detail)
                self._cache.add_failure(self._policy, where.key, known)
            return read
        self._cache.add_source(self._policy, where.key, _source(read.sha256, version, where))
        return read

    def known(self, sha256: str) -> Read | None:
        """What the cache knows of the bytes `sha256`; None where it has no vector of them."""
        cached = None if self._cache is None else self._cache.vector(self._maker, sha256)
        if cached is None or cached.vector.shape != (self._encoder.width,):
            return None
        return Read(sha256, cached.quality, vector=cached.vector)

    def decoded(self, raw: RawImage) -> Read | Failure:
        """The picture in `raw`, its statistics, and what the model takes; or its vector, if that is known."""
        known = self.known(raw.sha256)
        if known is not None:
            return known
        with self._decoding, self.reader.decoding(raw, self._least_side) as image:
            if isinstance(image, Failure):
                return image
            quality = measure_image(
                image.image,
                size=image.size,
                n_bytes=raw.n_bytes,
                missing_share=image.missing_share,
            )
            return Read(raw.sha256, quality, tensor=self._prepare(image.image))


def _is_same(source: KnownSource, where: Located) -> bool:
    """Whether the bytes are those of last time, without asking a server."""
    if where.file_state is not None:
        return source.file_state == where.file_state
    return source.is_fresh


def _version(source: KnownSource) -> Version | None:
    if source.place is None:
        return None
    return Version(source.place, source.etag, source.last_modified)


def _source(sha256: str, version: Version | None, where: Located) -> KnownSource:
    version = version or Version("", None, None)
    return KnownSource(
        sha256,
        place=version.url_sha256 or None,
        etag=version.etag,
        last_modified=version.last_modified,
        file_state=where.file_state,
    )


def cache_names(policy: SourcePolicy, fingerprint: str) -> tuple[str, str]:
    """By what a cache finds sources and vectors: the policy's part, and the maker of the vectors.

    Examples
    --------
    >>> from monitor.images import SourcePolicy
    >>> cache_names(SourcePolicy(), "RN50:00ff")[1][:24]
    'RN50:00ff {"background":'
    """
    maker = f"{fingerprint} {_decides_pixels(policy)}"
    return policy.model_dump_json(exclude=_DECIDE_NOTHING), maker


def _decides_pixels(policy: SourcePolicy) -> str:
    """What decides, beside its bytes and the encoder, which vector and numbers an image gets."""
    settings: dict[str, Any] = policy.model_dump(mode="json", include=set(_DECIDE_PIXELS))
    decoder = {"pillow": PIL.__version__, "quality": QUALITY_FIELDS}
    return json.dumps(settings | decoder, sort_keys=True, separators=(",", ":"))
