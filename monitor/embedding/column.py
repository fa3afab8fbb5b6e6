"""Cells ─► vectors.

Threads fetch, decode and preprocess; the calling thread encodes. A source that stands in many rows is
fetched once, and the same bytes under many sources are encoded once; what a cache knows is neither
fetched nor encoded. No more than a few batches of
images are in memory at any time, however long the column is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from monitor.embedding.descriptions import add_descriptions
from monitor.embedding.reading import CellReading, Read
from monitor.failures import Failure
from monitor.images import ImageReader, source_key
from monitor.images.quality import QUALITY_FIELDS

if TYPE_CHECKING:
    from monitor.cache import VectorCache
    from monitor.encoders import Encoder

N_THREADS = 16
"""Fetching waits more than it computes, so there are more threads than cores."""
_COMMIT_EVERY = 64
"""Sources after which the cache is written, when no batch comes between."""


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
    n_threads: int = N_THREADS,
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
    n_threads
        How many sources are read at once.
    """
    jobs = _distinct_sources(cells)
    reading = CellReading(reader, encoder, cache)
    vectors = np.zeros((len(cells), encoder.width), dtype=np.float32)
    quality = np.full((len(cells), len(QUALITY_FIELDS)), np.nan, dtype=np.float32)
    failures: list[Failure | None] = [None] * len(cells)
    first_row_of: dict[str, int] = {}
    batch: list[Read] = []
    waiting: dict[str, list[int]] = {}  # rows of each image in the batch
    n_encoded = 0

    def place(rows: list[int], read: Read, vector: NDArray[np.float32]) -> None:
        vectors[rows] = vector
        quality[rows] = read.quality
        first_row_of[read.sha256] = rows[0]
        on_progress(len(rows))

    def encode() -> None:
        nonlocal n_encoded
        tensors = [read.tensor for read in batch if read.tensor is not None]
        for read, vector in zip(batch, encoder.encode_batch(tensors), strict=True):
            place(waiting[read.sha256], read, vector)
            reading.keep(read, vector)
        n_encoded += len(batch)
        batch.clear()
        waiting.clear()

    results = _read_all(jobs, cells, reading, reader, encoder.spec.batch_size, n_threads)
    with closing(results), _committed(cache):
        for n_read, (rows, read) in enumerate(results):
            if isinstance(read, Failure):
                for row in rows:
                    failures[row] = read
                on_progress(len(rows))
            elif read.sha256 in waiting:
                waiting[read.sha256] += rows
            elif read.sha256 in first_row_of:
                first = first_row_of[read.sha256]
                vectors[rows], quality[rows] = vectors[first], quality[first]
                on_progress(len(rows))
            elif read.vector is not None:
                place(rows, read, read.vector)
            else:
                batch.append(read)
                waiting[read.sha256] = list(rows)
                if len(batch) == encoder.spec.batch_size:
                    encode()
                    n_read = 0
            if cache is not None and n_read % _COMMIT_EVERY == 0:
                cache.commit()
        if batch:
            encode()
    if descriptions is not None:
        vectors = add_descriptions(vectors, failures, descriptions, encoder)
    return EmbeddedColumn(vectors, tuple(failures), encoder.fingerprint, n_encoded, quality)


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
    jobs: Sequence[list[int]],
    cells: Sequence[Any],
    reading: CellReading,
    reader: ImageReader,
    batch_size: int,
    n_threads: int,
) -> Generator[tuple[list[int], Read | Failure], None, None]:
    """Read the sources in order, a bounded number ahead of the one that is wanted next.

    Close it, so that a reading that ends early ends at once.
    """
    ahead = 2 * batch_size + n_threads
    pending: deque[tuple[list[int], Future[Read | Failure]]] = deque()
    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="monitor-read")
    try:
        for rows in jobs:
            pending.append((rows, pool.submit(reading.read, cells[rows[0]])))
            if len(pending) >= ahead:
                first, future = pending.popleft()
                yield first, future.result()
        while pending:
            first, future = pending.popleft()
            yield first, future.result()
    except BaseException:
        # Else the threads would read on for as long as slow servers let them. Not waited for in a
        # `finally`: a second Ctrl-C may come before the reader has heard of the first.
        reader.cancel()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown(wait=True)
