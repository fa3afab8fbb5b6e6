# The public names, written once: type checkers read them here, and lazy_loader attaches them.
from .column import EmbeddedColumn as EmbeddedColumn
from .column import embed_cells as embed_cells
from .executors import Cells as Cells
from .executors import EmbeddingTask as EmbeddingTask
from .executors import Executor as Executor
from .executors import LocalExecutor as LocalExecutor
from .executors import SpreadingExecutor as SpreadingExecutor
from .executors import spreading as spreading
from .progress import progress_bar as progress_bar
