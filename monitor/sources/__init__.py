"""Where rows come from: files, a query, or a Python function; whole, or window by window in pieces."""

from monitor.sources.call import CallableSource
from monitor.sources.files import DataFile, DataTable, FileSource, Outline, find_files
from monitor.sources.image_files import ImageFiles, ImageTime, images_frame
from monitor.sources.ranges import WindowRange, ranges_of
from monitor.sources.reading import WindowReading
from monitor.sources.source import RowsSeen, Source, read_tables, read_window, registry, rows_seen
from monitor.sources.sql import SqlSource

__all__ = [
    "CallableSource",
    "DataFile",
    "DataTable",
    "FileSource",
    "ImageFiles",
    "ImageTime",
    "Outline",
    "RowsSeen",
    "Source",
    "SqlSource",
    "WindowRange",
    "WindowReading",
    "find_files",
    "images_frame",
    "ranges_of",
    "read_tables",
    "read_window",
    "registry",
    "rows_seen",
]
