"""Threads of this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.embedding.column import N_THREADS, EmbeddedColumn, embed_cells
from monitor.errors import InvalidInputError

if TYPE_CHECKING:
    from monitor.cache import VectorCache
    from monitor.embedding.executors.executor import Cells, EmbeddingTask


@dataclass(frozen=True)
class LocalExecutor:
    """Fetches, decodes and encodes in threads of this process.

    Parameters
    ----------
    threads
        How many images are read at once; None takes what suits the machine.

    Raises
    ------
    InvalidInputError
        If it is less than 1.
    """

    threads: int | None = None

    def __post_init__(self) -> None:
        is_count = isinstance(self.threads, int) and not isinstance(self.threads, bool)
        if self.threads is not None and not (is_count and self.threads >= 1):
            raise InvalidInputError(f"threads={self.threads!r} must be a whole number from 1")

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
                n_threads=self.threads or N_THREADS,
            )
