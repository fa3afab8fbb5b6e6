"""Writing a report's file."""

from __future__ import annotations

from pathlib import Path

from monitor.errors import ReportError
from monitor.files import replacing


def write_text(path: str | Path, text: str) -> Path:
    """Write `text` as UTF-8 with plain line feeds; otherwise as `write_bytes`."""
    return write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | Path, content: bytes) -> Path:
    """Write `content` and return the path; a reader never sees half a file.

    Raises
    ------
    ReportError
        If the file cannot be written.
    """
    path = Path(path)
    try:
        with replacing(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise ReportError(
            f"the report cannot be written to {path} ({error.strerror or error}): "
            "give a file in a folder that you may write to"
        ) from error
    return path
