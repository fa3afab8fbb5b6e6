"""Where embedding runs: threads of this process, or an engine that a plug-in brings."""

from monitor.embedding.executors.executor import (
    Cells,
    EmbeddingTask,
    Executor,
    SpreadingExecutor,
    registry,
    spreading,
)
from monitor.embedding.executors.local import LocalExecutor

__all__ = [
    "Cells",
    "EmbeddingTask",
    "Executor",
    "LocalExecutor",
    "SpreadingExecutor",
    "registry",
    "spreading",
]
