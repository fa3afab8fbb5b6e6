"""How many threads and processes read a column."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from monitor.embedding.cores import n_cores
from monitor.embedding.reader_processes import PieceReading, ReaderProcesses
from monitor.embedding.reading import CellReading, Read
from monitor.embedding.travelling import is_remote
from monitor.encoders.traits import traits_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from monitor.cache import VectorCache
    from monitor.encoders import Encoder
    from monitor.failures import Failure
    from monitor.images import ImageReader

N_THREADS: Final = 16
"""Fetching waits more than it computes, so there are more threads than cores."""
_LEAST_CORES: Final = 4
"""On an Intel Xeon, threads of one process read 300 to 500 JPEGs of 640 × 480 a second, however many cores
they have from four on; 16 processes 1,400 to 3,100."""
_LEAST_CORES_BESIDE_A_MODEL: Final = 8
_SHARE_BESIDE_A_MODEL: Final = 3 / 4
"""Of the cores, where a small model runs on them too: on 16 cores the compact one embeds 450 images a second
with threads alone, 610 with 8 processes, 760 with 12 and 730 with 16."""
_MOST: Final = 32
"""Each takes 70 MB; more than 20 were never measured."""
_LEAST_SOURCES: Final = 128
"""For each process: 16 of them took 1.8 s to start on 16 cores, in which threads read 50 for each."""
_LARGEST_PIECE: Final = 16
_PIECES_EACH: Final = 8


class Reading(Protocol):
    """What reads the cells of a column."""

    def read_all(self, cells: Sequence[object]) -> list[Read | Failure]: ...

    def keep(self, read: Read, vector: NDArray[np.float32]) -> None: ...

    def cancel(self) -> None: ...


@dataclass(frozen=True)
class Plan:
    """Who reads a column, and in what pieces.

    Parameters
    ----------
    reading
        Reads a piece, in the calling thread.
    n_threads
        How many pieces are read at once.
    piece
        Sources in each.
    """

    reading: Reading
    n_threads: int
    piece: int = 1


@dataclass(frozen=True)
class Readers:
    """How many threads and processes read a column.

    Parameters
    ----------
    threads
        How many images are read at once where this process reads them.
    processes
        How many other processes read; 0 for none, None for as many as pay, which do not fetch. There are none
        where the encoder does not say what its preprocessing does.
    """

    threads: int = N_THREADS
    processes: int | None = 0

    @contextmanager
    def plan(
        self,
        sources: Sequence[Any],
        encoder: Encoder,
        reader: ImageReader,
        cache: VectorCache | None,
    ) -> Iterator[Plan]:
        """Who reads the cells `sources`; the processes end with the block."""
        here = CellReading(reader, encoder, cache)
        n = self._n_processes(sources, encoder, reader)
        geometry = traits_of(encoder).geometry
        if n == 0 or geometry is None:
            yield Plan(here, self.threads)
            return
        processes = ReaderProcesses(reader.policy, geometry, n)
        piece = max(1, min(_LARGEST_PIECE, len(sources) // (_PIECES_EACH * n)))
        try:
            # More pieces than processes, so that none waits while one is packed or taken apart.
            by_themselves = self.processes is None
            reading = PieceReading(here, processes, cache, by_themselves=by_themselves)
            yield Plan(reading, n + 1 + n // 4, piece)
        finally:
            processes.close()

    def _n_processes(self, sources: Sequence[Any], encoder: Encoder, reader: ImageReader) -> int:
        n = self.processes
        if n is None:
            return _that_pay(len(sources), encoder, reader)
        if n > 0 and any(map(is_remote, sources)):
            # Each fetches and has one connection at least, and together they keep to the policy.
            n = min(n, reader.policy.max_connections_per_host)
        return n


def _that_pay(n_sources: int, encoder: Encoder, reader: ImageReader) -> int:
    """How many processes read faster than threads would; 0 for none."""
    n, least = n_cores(), _LEAST_CORES
    traits = traits_of(encoder)
    if traits.geometry is None or reader.policy.isolation == "none" or not _can_start():
        return 0
    if traits.is_parallel:
        if traits.enough is not None:
            # A large model that runs on these cores: it is the model that they are short for.
            return 0
        n, least = int(n * _SHARE_BESIDE_A_MODEL), _LEAST_CORES_BESIDE_A_MODEL
    n = min(n, _MOST)
    return n if n_cores() >= least and n_sources >= _LEAST_SOURCES * n else 0


def _can_start() -> bool:
    """Whether there is an interpreter to start; a frozen program would start itself."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)
