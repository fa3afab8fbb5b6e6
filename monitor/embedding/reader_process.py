"""A process that does nothing but read: cells in on stdin, pictures and their statistics out on stdout.

::

    parent ─► {"policy": …, "geometry": …, "decode_bytes": …}  one block of JSON, once
    parent ◄─ "ready"
    parent ─► cells, parent ◄─ outcomes                        see `monitor.embedding.travelling`

It knows neither the model nor the cache, and needs no torch.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PIL import Image

from monitor.embedding.reading import CellReading
from monitor.embedding.travelling import Outcome, is_remote, read_cells, write_outcomes
from monitor.encoders.traits import EncoderTraits
from monitor.failures import Failure
from monitor.geometry import Geometry
from monitor.images.blocks import write_block
from monitor.images.checked_policy import checked_policy
from monitor.images.child import begin
from monitor.images.decoding import memory_of_pixels
from monitor.images.inspection import inspect
from monitor.images.raw import RawImage
from monitor.images.reader import ImageReader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_N_THREADS: Final = 4
"""For cells that have to be waited for. Others are read one after the other: threads of one process that
compute get into each other's way."""


@dataclass(frozen=True)
class _Stencil:
    """Stands for the encoder, of which reading needs no more."""

    geometry: Geometry
    width: int = 0
    fingerprint: str = ""

    @property
    def traits(self) -> EncoderTraits:
        return EncoderTraits(least_side=self.geometry.least_side)

    def preprocess(self, image: Image.Image) -> NDArray[np.uint8]:
        return self.geometry.pixels(image)


class PieceReader:
    """Reads cells, those that have to be waited for side by side.

    Parameters
    ----------
    reader
        Fetches and decodes.
    geometry
        What is done to each picture.
    decode_bytes
        Images that take more memory than that are left to the parent.
    """

    def __init__(self, reader: ImageReader, geometry: Geometry, decode_bytes: int) -> None:
        self._reader = reader
        self._reading = CellReading(reader, _Stencil(geometry), None, decoding=1)
        self._decode_bytes = decode_bytes

    def read(self, cell: object) -> Outcome:
        """What becomes of one cell."""
        raw = self._reader.fetch(cell)
        if isinstance(raw, Failure):
            return Outcome(raw)
        if self._takes(raw) > self._decode_bytes:
            return Outcome(None)
        return Outcome(self._reading.decoded(raw), raw.version)

    def _takes(self, raw: RawImage) -> int:
        """Bytes of memory that decoding takes."""
        if not isinstance(raw.data, bytes):
            return memory_of_pixels(raw.data)
        inspected = inspect(raw.data, self._reader.policy)
        return 0 if isinstance(inspected, Failure) else inspected.n_bytes


def main() -> None:
    """Read until the parent closes its end."""
    begun = begin()
    if begun is None:
        return
    answers, settings = begun
    geometry = Geometry(**settings["geometry"])
    Image.preinit()
    with (
        ImageReader(checked_policy(settings["policy"])) as reader,
        ThreadPoolExecutor(_N_THREADS, "monitor-read") as threads,
    ):
        piece = PieceReader(reader, geometry, settings["decode_bytes"])
        write_block(answers, b"ready")
        answers.flush()
        while (cells := read_cells(sys.stdin.buffer)) is not None:
            each = threads.map if any(map(is_remote, cells)) else map
            write_outcomes(answers, list(each(piece.read, cells)))
            del cells
