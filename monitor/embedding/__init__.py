"""Column ─► column: fetch, decode and encode side by side, in bounded memory."""

from monitor.embedding.column import EmbeddedColumn, embed_cells
from monitor.embedding.progress import progress_bar

__all__ = ["EmbeddedColumn", "embed_cells", "progress_bar"]
