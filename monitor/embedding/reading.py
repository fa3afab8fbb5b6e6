"""One cell, read as far as need be: to its vector if that is known, else to what the model takes."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import PIL
from numpy.typing import NDArray

from monitor.cache import CachedVector, KnownFailure, KnownSource
from monitor.embedding.cores import n_cores
from monitor.encoders.registry import traits_of
from monitor.failures import Failure, may_pass
from monitor.images.quality import QUALITY_FIELDS, measure_image
from monitor.images.raw import RawImage, Unchanged, Version

if TYPE_CHECKING:
    import torch

    from monitor.cache import VectorCache
    from monitor.encoders import Encoder
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
        What the model takes; None where the vector is known.
    vector
        (width,) float32; None where it is still to be made.
    """

    sha256: str
    quality: NDArray[np.float32]
    tensor: torch.Tensor | None = None
    vector: NDArray[np.float32] | None = None


class CellReading:
    """Reads cells through a cache, if there is one. Thread-safe."""

    def __init__(self, reader: ImageReader, encoder: Encoder, cache: VectorCache | None) -> None:
        self._reader = reader
        self._encoder = encoder
        self._least_side = traits_of(encoder).least_side
        self._cache = cache
        self._policy, self._maker = cache_names(reader.policy, encoder.fingerprint)
        # Decoding computes: beyond the cores, more at once would only take memory and turns.
        self._decoding = threading.BoundedSemaphore(n_cores())

    def read(self, cell: object) -> Read | Failure:
        """The image in `cell`, or why there is none."""
        where = None if self._cache is None else self._reader.locate(cell)
        if self._cache is None or where is None:
            raw = self._reader.fetch(cell)
            return raw if isinstance(raw, Failure) else self._decoded(raw)
        return self._read_known(self._cache, cell, where)

    def keep(self, read: Read, vector: NDArray[np.float32]) -> None:
        """Remember the vector that the model made, with the cache's next commit."""
        if self._cache is not None:
            self._cache.add_vector(self._maker, read.sha256, CachedVector(vector, read.quality))

    def _read_known(self, cache: VectorCache, cell: object, where: Located) -> Read | Failure:
        failed = cache.failure(self._policy, where.key)
        if failed is not None:
            return Failure(failed.reason, failed.detail)
        source = cache.source(self._policy, where.key)
        known = None if source is None else self._vector(source.sha256)
        raw: RawImage | Unchanged | Failure
        if source is None or known is None:
            raw = self._reader.fetch(cell)
        elif _is_same(source, where):
            return known
        else:
            raw = self._reader.fetch_changed(cell, _version(source))
            if isinstance(raw, Unchanged):
                cache.add_source(self._policy, where.key, source)
                return known
        if isinstance(raw, Failure):
            return self._failed(cache, where, raw)
        read = self._decoded(raw)
        if isinstance(read, Failure):
            return self._failed(cache, where, read)
        cache.add_source(self._policy, where.key, _source(raw, where))
        return read

    def _vector(self, sha256: str) -> Read | None:
        cached = None if self._cache is None else self._cache.vector(self._maker, sha256)
        if cached is None or cached.vector.shape != (self._encoder.width,):
            return None
        return Read(sha256, cached.quality, vector=cached.vector)

    def _decoded(self, raw: RawImage) -> Read | Failure:
        known = self._vector(raw.sha256)
        if known is not None:
            return known
        with self._decoding, self._reader.decoding(raw, self._least_side) as image:
            if isinstance(image, Failure):
                return image
            quality = measure_image(
                image.image,
                size=image.size,
                n_bytes=raw.n_bytes,
                missing_share=image.missing_share,
            )
            return Read(raw.sha256, quality, tensor=self._encoder.preprocess(image.image))

    def _failed(self, cache: VectorCache, where: Located, failure: Failure) -> Failure:
        if not may_pass(failure.reason):
            known = KnownFailure(failure.reason, failure.detail)
            cache.add_failure(self._policy, where.key, known)
        return failure


def _is_same(source: KnownSource, where: Located) -> bool:
    """Whether the bytes are those of last time, without asking a server."""
    if where.file_state is not None:
        return source.file_state == where.file_state
    return source.is_fresh


def _version(source: KnownSource) -> Version | None:
    if source.place is None:
        return None
    return Version(source.place, source.etag, source.last_modified)


def _source(raw: RawImage, where: Located) -> KnownSource:
    version = raw.version or Version("", None, None)
    return KnownSource(
        raw.sha256,
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
