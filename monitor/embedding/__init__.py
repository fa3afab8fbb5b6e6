"""Column ─► column: fetch, decode and encode side by side, in bounded memory."""

from monitor.embedding.column import EmbeddedColumn, embed_cells
from monitor.embedding.executors import (
    Cells,
    EmbeddingTask,
    Executor,
    LocalExecutor,
    SpreadingExecutor,
    spreading,
)
from monitor.embedding.progress import progress_bar

__all__ = [
    "Cells",
    "EmbeddedColumn",
    "EmbeddingTask",
    "Executor",
    "LocalExecutor",
    "SpreadingExecutor",
    "embed_cells",
    "progress_bar",
    "spreading",
]
