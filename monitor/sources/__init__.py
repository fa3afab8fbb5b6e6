"""Where rows come from: files, a query, or a Python function; whole, or window by window in pieces."""

from monitor.sources.call import CallableSource
from monitor.sources.files import DataFile, FileSource, Outline, find_files
from monitor.sources.source import RowsSeen, Source, read_tables, read_window, registry, rows_seen
from monitor.sources.sql import SqlSource

__all__ = [
    "CallableSource",
    "DataFile",
    "FileSource",
    "Outline",
    "RowsSeen",
    "Source",
    "SqlSource",
    "find_files",
    "read_tables",
    "read_window",
    "registry",
    "rows_seen",
]
