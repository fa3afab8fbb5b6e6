"""Threads and processes of this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.embedding.column import EmbeddedColumn, embed_cells
from monitor.embedding.readers import N_THREADS, Readers
from monitor.errors import InvalidInputError

if TYPE_CHECKING:
    from monitor.cache import VectorCache
    from monitor.embedding.executors.executor import Cells, EmbeddingTask


@dataclass(frozen=True)
class LocalExecutor:
    """Encodes in this process; fetches and decodes in threads of it, or in processes of their own.

    Parameters
    ----------
    threads
        How many images are read at once in this process; None takes what suits the machine.
    processes
        How many other processes read: 0 for none. None takes as many as pay: one for each core with a model
        on a GPU and four cores or more, three for four cores with a small model on eight or more; for a
        column of at least 128 images for each, and an `isolation` that is not ``"none"``. This process still
        fetches then. Processes that are asked for by number also fetch, no more of them than the policy's
        `max_connections_per_host`, by what they find in their environment. Where a model's preprocessing is
        not "resize, cut out a square", threads read.

    Raises
    ------
    InvalidInputError
        If a number is out of range.
    """

    threads: int | None = None
    processes: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("threads", 1), ("processes", 0)):
            value = getattr(self, name)
            is_count = isinstance(value, int) and not isinstance(value, bool)
            if value is not None and not (is_count and value >= least):
                raise InvalidInputError(f"{name}={value!r} must be a whole number from {least}")

    def embed(
        self,
        cells: Cells,
        task: EmbeddingTask,
        *,
        cache: VectorCache | None = None,
        on_progress: Callable[[int], object] = lambda n_rows: None,
    ) -> EmbeddedColumn:
        """See `Executor.embed`."""
        from monitor.encoders import load_encoder
        from monitor.images import ImageReader

        encoder = load_encoder(task.encoder)
        with ImageReader(task.policy) as reader:
            return embed_cells(
                cells.images,
                encoder,
                reader,
                descriptions=cells.descriptions,
                cache=cache,
                on_progress=on_progress,
                readers=Readers(self.threads or N_THREADS, self.processes),
            )
