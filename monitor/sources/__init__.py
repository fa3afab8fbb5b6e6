"""Where the rows of a window come from: files, a query, or a Python function; read in pieces."""

from monitor.sources.call import CallableSource
from monitor.sources.files import FileSource
from monitor.sources.source import RowsSeen, Source, read_window, registry, rows_seen
from monitor.sources.sql import SqlSource

__all__ = [
    "CallableSource",
    "FileSource",
    "RowsSeen",
    "Source",
    "SqlSource",
    "read_window",
    "registry",
    "rows_seen",
]
