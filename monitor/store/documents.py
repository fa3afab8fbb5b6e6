"""What the store keeps as one piece: a window's sketch, as safetensors."""

from __future__ import annotations

from typing import Final

from monitor.clusters import WindowSketch
from monitor.codec import Mismatch, from_safetensors, to_safetensors
from monitor.errors import StoreError

FORMAT: Final = "monitor.sketch/2"


def sketch_to_bytes(sketch: WindowSketch) -> bytes:
    """A sketch as safetensors."""
    return to_safetensors(sketch, {"format": FORMAT})


def sketch_from_bytes(file: bytes) -> WindowSketch:
    """The sketch that `sketch_to_bytes` wrote.

    Raises
    ------
    StoreError
        If it is none.
    """
    try:
        return from_safetensors(file, WindowSketch, FORMAT)[0]
    except Mismatch as error:
        raise StoreError(
            f"a stored sketch cannot be read ({error}): restore the store from a copy, or judge its "
            "window again"
        ) from error
