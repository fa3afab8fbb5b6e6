"""Work that the contract of executors spreads: by itself, so that workers load nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitor.embedding import Cells, EmbeddingTask, Executor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from monitor.cache import VectorCache


def vectors_of(
    piece: tuple[EmbeddingTask, list[Any]], executor: Executor, cache: VectorCache | None
) -> NDArray[np.float32]:
    """The vectors of images that are embedded where it is called."""
    task, images = piece
    return executor.embed(Cells(images), task, cache=cache).vectors
