"""Batches are encoded beside the threads that read, and beside each other where the encoder can."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from monitor.encoders.traits import traits_of

if TYPE_CHECKING:
    from monitor.embedding.reading import Read
    from monitor.encoders import Encoder


class BatchEncoder:
    """Encodes batches in the order in which they come, a bounded number at a time.

    Parameters
    ----------
    encoder
        Makes the vectors.
    pool
        Runs the batches.
    side_by_side
        How many run at once; as many again wait, so that none of the threads does.
    """

    def __init__(self, encoder: Encoder, pool: ThreadPoolExecutor, side_by_side: int) -> None:
        self._encoder = encoder
        self._pool = pool
        self._most = 2 * side_by_side
        self._side_by_side = side_by_side
        self._pending: deque[tuple[list[Read], Future[NDArray[np.float32]]]] = deque()

    @classmethod
    @contextmanager
    def open(cls, encoder: Encoder) -> Iterator[BatchEncoder]:
        """For a with-block, after which no batch is under way any more."""
        traits = traits_of(encoder)
        if not traits.is_parallel:
            n = traits.at_once
            with _pool(ThreadPoolExecutor(n, thread_name_prefix="monitor-encode")) as pool:
                yield cls(encoder, pool, n)
            return
        from monitor.encoders.threads import shared_threads, use_threads

        with shared_threads() as (side_by_side, threads_each):
            start = partial(use_threads, threads_each)
            threads = ThreadPoolExecutor(side_by_side, "monitor-encode", initializer=start)
            with _pool(threads) as pool:
                yield cls(encoder, pool, side_by_side)

    def submit(self, batch: Sequence[Read]) -> None:
        """Encode the images of `batch`, one batch, as soon as a thread is free."""
        tensors: Any = [read.tensor for read in batch if read.tensor is not None]
        self._pending.append((list(batch), self._pool.submit(self._encoder.encode_batch, tensors)))

    def submit_last(self, batch: Sequence[Read]) -> None:
        """As `submit`, shared out among threads that would have nothing else to do."""
        size = -(-len(batch) // self._side_by_side)
        for first in range(0, len(batch), max(size, 1)):
            self.submit(batch[first : first + size])

    def finished(self, *, wait: bool) -> Iterator[tuple[list[Read], NDArray[np.float32]]]:
        """Batches with their vectors, in order: those that are done, and more while too many are under way.

        Parameters
        ----------
        wait
            Wait for all.

        Raises
        ------
        EncoderError
            If the encoder fails.
        """
        while self._pending and (
            wait or len(self._pending) >= self._most or self._pending[0][1].done()
        ):
            batch, vectors = self._pending.popleft()
            yield batch, vectors.result()


@contextmanager
def _pool(pool: ThreadPoolExecutor) -> Iterator[ThreadPoolExecutor]:
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
