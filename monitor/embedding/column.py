"""Cells ─► vectors.

Threads fetch, decode and preprocess; the calling thread encodes. A source that stands in many rows is
fetched once, and the same bytes under many sources are encoded once. No more than a few batches of
images are in memory at any time, however long the column is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from monitor.failures import Failure
from monitor.images import ImageReader, source_key

if TYPE_CHECKING:
    import torch

    from monitor.encoders import Encoder

N_THREADS = 16
"""Fetching waits more than it computes, so there are more threads than cores."""


@dataclass(frozen=True, eq=False)
class EmbeddedColumn:
    """The vectors of a column.

    Parameters
    ----------
    vectors
        (n, width) float32, unit length; all zero where there is a failure.
    failures
        (n,) `Failure` or None.
    n_encoded
        How many distinct images the model saw.
    """

    vectors: NDArray[np.float32]
    failures: tuple[Failure | None, ...]
    n_encoded: int


@dataclass(frozen=True, eq=False)
class _Ready:
    """A distinct source, read and preprocessed."""

    rows: list[int]
    sha256: str
    tensor: torch.Tensor


def embed_cells(
    cells: Sequence[Any],
    encoder: Encoder,
    reader: ImageReader,
    *,
    descriptions: Sequence[str | None] | None = None,
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
    on_progress
        Called with a number of rows each time so many are done.
    n_threads
        How many sources are read at once.
    """
    jobs = _distinct_sources(cells)
    vectors = np.zeros((len(cells), encoder.width), dtype=np.float32)
    failures: list[Failure | None] = [None] * len(cells)
    first_row_of: dict[str, int] = {}
    batch: list[_Ready] = []
    waiting: dict[str, list[int]] = {}  # rows whose image is already in the batch
    n_encoded = 0

    def flush() -> None:
        nonlocal n_encoded
        if not batch:
            return
        n_encoded += len(batch)
        for ready, vector in zip(
            batch, encoder.encode_batch([ready.tensor for ready in batch]), strict=True
        ):
            rows = ready.rows + waiting[ready.sha256]
            vectors[rows] = vector
            first_row_of[ready.sha256] = rows[0]
            on_progress(len(rows))
        batch.clear()
        waiting.clear()

    with closing(_read_all(jobs, cells, encoder, reader, n_threads)) as results:
        for rows, result in results:
            if isinstance(result, Failure):
                for row in rows:
                    failures[row] = result
                on_progress(len(rows))
            elif result.sha256 in first_row_of:
                vectors[rows] = vectors[first_row_of[result.sha256]]
                on_progress(len(rows))
            elif result.sha256 in waiting:
                waiting[result.sha256] += rows
            else:
                batch.append(result)
                waiting[result.sha256] = []
                if len(batch) == encoder.spec.batch_size:
                    flush()
    flush()
    if descriptions is not None:
        vectors = _add_descriptions(vectors, failures, descriptions, encoder)
    return EmbeddedColumn(vectors, tuple(failures), n_encoded)


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
    encoder: Encoder,
    reader: ImageReader,
    n_threads: int,
) -> Generator[tuple[list[int], _Ready | Failure], None, None]:
    """Read the sources in order, a bounded number ahead of the one that is wanted next.

    Close it, so that a reading that ends early ends at once.
    """

    def read(rows: list[int]) -> _Ready | Failure:
        image = reader.read(cells[rows[0]])
        if isinstance(image, Failure):
            return image
        return _Ready(rows, image.sha256, encoder.preprocess(image.image))

    ahead = 2 * encoder.spec.batch_size + n_threads
    pending: deque[tuple[list[int], Future[_Ready | Failure]]] = deque()
    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="monitor-read")
    try:
        for rows in jobs:
            pending.append((rows, pool.submit(read, rows)))
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


def _add_descriptions(
    vectors: NDArray[np.float32],
    failures: Sequence[Failure | None],
    descriptions: Sequence[str | None],
    encoder: Encoder,
) -> NDArray[np.float32]:
    described = [
        row
        for row, text in enumerate(descriptions)
        if failures[row] is None and isinstance(text, str) and text.strip()
    ]
    if not described:
        return vectors
    texts = [str(descriptions[row]) for row in described]
    distinct = list(dict.fromkeys(texts))
    position = {text: i for i, text in enumerate(distinct)}
    text_vectors = encoder.encode_texts(distinct)[[position[text] for text in texts]]
    summed = vectors[described] + text_vectors
    lengths = np.linalg.norm(summed, axis=1, keepdims=True)
    result = vectors.copy()
    # An image and a text that cancel exactly leave no direction: the image alone then stands.
    result[described] = np.where(
        lengths > 1e-6, summed / np.maximum(lengths, 1e-6), vectors[described]
    )
    return result
