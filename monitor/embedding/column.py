"""Cells ─► vectors.

Threads or processes fetch, decode and preprocess, other threads encode; the calling thread puts the column
together. A source that stands in many rows is fetched once, and the same bytes under many sources are encoded
once; what a cache knows is neither fetched nor encoded. No more than a few batches of images are in memory at
any time, however long the column is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from monitor.embedding.descriptions import add_descriptions
from monitor.embedding.encoding import BatchEncoder
from monitor.embedding.readers import Plan, Readers
from monitor.embedding.reading import Read
from monitor.encoders.traits import traits_of
from monitor.failures import Failure
from monitor.images import ImageReader, source_key
from monitor.images.quality import QUALITY_FIELDS

if TYPE_CHECKING:
    from monitor.cache import VectorCache
    from monitor.encoders import Encoder

_COMMIT_EVERY = 64
"""Sources after which the cache is written, when no batch comes between."""
_SMALLEST_BATCH: Final = 4
_PARTS: Final = 128
"""Into so many batches at least a column is cut whose vectors are kept. About seven of them, and one image
for each thread that reads, are under way on two cores: what a kill costs stays below a tenth."""


@dataclass(frozen=True, eq=False)
class EmbeddedColumn:
    """The vectors of a column.

    Parameters
    ----------
    vectors
        (n, width) float32, unit length; all zero where there is a failure.
    failures
        (n,) `Failure` or None.
    fingerprint
        Of the encoder that made them.
    n_encoded
        How many distinct images the model saw.
    quality
        (n, len(QUALITY_FIELDS)) float32, what `monitor.images.quality.measure` says of each image; NaN
        where there is a failure.
    """

    vectors: NDArray[np.float32]
    failures: tuple[Failure | None, ...]
    fingerprint: str
    n_encoded: int
    quality: NDArray[np.float32]


def embed_cells(
    cells: Sequence[Any],
    encoder: Encoder,
    reader: ImageReader,
    *,
    descriptions: Sequence[str | None] | None = None,
    cache: VectorCache | None = None,
    on_progress: Callable[[int], object] = lambda n_rows: None,
    readers: Readers = Readers(),  # noqa: B008 - frozen
) -> EmbeddedColumn:
    """Embed the images that `cells` hold or point to.

    Parameters
    ----------
    cells
        (n,) URLs, paths, `data:` URIs, bytes, images or arrays.
    encoder
        Makes the vectors.
    reader
        Fetches and decodes. An error or Ctrl-C on the way cancels it.
    descriptions
        (n,) texts whose unit vectors are added to the images' before the sum is scaled to length 1;
        an empty one leaves the image's vector alone.
    cache
        Vectors of earlier images, without their descriptions. New ones are written to it batch by batch,
        so that work that is cut off goes on from its last batch.
    on_progress
        Called with a number of rows each time so many are done.
    readers
        How many threads and processes read.
    """
    jobs = _distinct_sources(cells)
    column = _Column.empty(len(cells), encoder, on_progress)
    batch: list[Read] = []
    batch_size = encoder.spec.batch_size
    if cache is not None:
        batch_size = min(batch_size, max(len(jobs) // _PARTS, _SMALLEST_BATCH))
    ahead = 2 * batch_size
    batch_size = min(batch_size, traits_of(encoder).enough or batch_size)

    def take(wait: bool = False) -> None:
        for reads, vectors in encoding.finished(wait=wait):
            for read, vector in zip(reads, vectors, strict=True):
                column.put_encoded(read, vector)
                plan.reading.keep(read, vector)
            if cache is not None:
                cache.commit()

    sources = [cells[rows[0]] for rows in jobs]
    with (
        readers.plan(sources, encoder, reader, cache) as plan,
        _committed(cache),
        BatchEncoder.open(encoder) as encoding,
        closing(_read_all(sources, plan, ahead)) as results,
    ):
        for n_read, (rows, read) in enumerate(zip(jobs, results, strict=True)):
            if column.put(rows, read):
                batch.append(cast(Read, read))
            if len(batch) == batch_size:
                encoding.submit(batch)
                batch = []
            take()
            if cache is not None and n_read % min(batch_size, _COMMIT_EVERY) == 0:
                cache.commit()
        encoding.submit_last(batch)
        take(wait=True)
    vectors = column.vectors
    if descriptions is not None:
        vectors = add_descriptions(vectors, column.failures, descriptions, encoder)
    return EmbeddedColumn(
        vectors, tuple(column.failures), encoder.fingerprint, column.n_encoded, column.quality
    )


@dataclass(eq=False)
class _Column:
    """The column as far as it is made."""

    vectors: NDArray[np.float32]
    quality: NDArray[np.float32]
    failures: list[Failure | None]
    on_progress: Callable[[int], object]
    n_encoded: int = 0
    first_row_of: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, list[int]] = field(default_factory=dict)
    """The rows of each image whose vector is being made."""

    @classmethod
    def empty(cls, n: int, encoder: Encoder, on_progress: Callable[[int], object]) -> _Column:
        vectors = np.zeros((n, encoder.width), dtype=np.float32)
        quality = np.full((n, len(QUALITY_FIELDS)), np.nan, dtype=np.float32)
        return cls(vectors, quality, [None] * n, on_progress)

    def put(self, rows: list[int], read: Read | Failure) -> bool:
        """Take what was read for `rows`; whether its vector is still to be made."""
        if isinstance(read, Failure):
            for row in rows:
                self.failures[row] = read
        elif read.sha256 in self.waiting:
            self.waiting[read.sha256] += rows
            return False
        elif read.sha256 in self.first_row_of:
            first = self.first_row_of[read.sha256]
            self.vectors[rows], self.quality[rows] = self.vectors[first], self.quality[first]
        elif read.vector is None:
            self.waiting[read.sha256] = list(rows)
            return True
        else:
            self._place(rows, read, read.vector)
            return False
        self.on_progress(len(rows))
        return False

    def put_encoded(self, read: Read, vector: NDArray[np.float32]) -> None:
        """Take the vector that the model made."""
        self._place(self.waiting.pop(read.sha256), read, vector)
        self.n_encoded += 1

    def _place(self, rows: list[int], read: Read, vector: NDArray[np.float32]) -> None:
        self.vectors[rows] = vector
        self.quality[rows] = read.quality
        self.first_row_of[read.sha256] = rows[0]
        self.on_progress(len(rows))


@contextmanager
def _committed(cache: VectorCache | None) -> Iterator[None]:
    """What is added to `cache` within the block is in it afterwards, however the block ends."""
    try:
        yield
    finally:
        if cache is not None:
            cache.commit()


def _distinct_sources(cells: Sequence[Any]) -> list[list[int]]:
    """Rows that share a source, in the order of their first row."""
    jobs: list[list[int]] = []
    by_key: dict[str, list[int]] = {}
    for row, cell in enumerate(cells):
        key = source_key(cell)
        if key is not None and key in by_key:
            by_key[key].append(row)
            continue
        jobs.append([row])
        if key is not None:
            by_key[key] = jobs[-1]
    return jobs


def _read_all(
    sources: Sequence[Any], plan: Plan, ahead: int
) -> Generator[Read | Failure, None, None]:
    """Read the sources in order, `ahead` of the one that is wanted next at most, beside those under way.

    Close it, so that a reading that ends early ends at once.
    """
    pending: deque[Future[list[Read | Failure]]] = deque()
    most = plan.n_threads + -(-ahead // plan.piece)
    pool = ThreadPoolExecutor(plan.n_threads, thread_name_prefix="monitor-read")
    try:
        for first in range(0, len(sources), plan.piece):
            piece = sources[first : first + plan.piece]
            pending.append(pool.submit(plan.reading.read_all, piece))
            if len(pending) >= most:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()
    except BaseException:
        # Else the threads would read on for as long as slow servers let them. Not waited for in a
        # `finally`: a second Ctrl-C may come before the reader has heard of the first.
        plan.reading.cancel()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown(wait=True)
