"""Cells read by several processes: threads of one stand in each other's way from about four cores on.

Decoding in C runs beside other threads, but all that goes on in Python around it does not (the GIL).
"""

from __future__ import annotations

import json
import logging
import os
import queue
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Final, cast

from monitor.embedding.reading import CellReading, Read
from monitor.embedding.travelling import (
    Outcome,
    is_remote,
    read_outcomes,
    travels,
    write_cells,
)
from monitor.errors import MonitorError
from monitor.failures import Failure
from monitor.images.blocks import read_block, write_block
from monitor.images.cancellation import Cancellation
from monitor.images.child import code_of, end

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from monitor.cache import VectorCache
    from monitor.geometry import Geometry
    from monitor.images import RawImage, SourcePolicy
    from monitor.images.reader import Located

logger = logging.getLogger(__name__)

_END_SECONDS: Final = 2.0
_PIPE_BYTES: Final = 1 << 20
"""A picture that the model sees takes 150 kB, and pipes hold 64 kB by themselves."""
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_CANCELLED: Final = Failure("deadline", "the reader was cancelled")


class _ProcessDied(Exception):
    """A process ended before it answered."""


class ReaderProcesses:
    """Reads cells in processes of its own, which start when they are needed. Thread-safe; `close` it.

    A process that dies is replaced; the cells it had are read again one by one, and the one that ends a
    process twice is a Failure `decoder_crashed`.

    Parameters
    ----------
    policy
        Of reading. Its bounds on memory and on connections to a host hold for all processes together.
    geometry
        What is done to each picture.
    n
        How many processes.
    """

    def __init__(self, policy: SourcePolicy, geometry: Geometry, n: int) -> None:
        connections = max(1, policy.max_connections_per_host // n)
        shared = policy.model_copy(update={"max_connections_per_host": connections})
        self._geometry = geometry
        self._settings = json.dumps(
            {
                "policy": shared.model_dump(mode="json"),
                "geometry": asdict(geometry),
                "decode_bytes": policy.max_decode_bytes // n,
            }
        )
        self._cancellation = Cancellation()
        # A slot for each process: the idle one, or None where none was started.
        self._slots: queue.LifoQueue[_Process | None] = queue.LifoQueue()
        self.n = n
        for _ in range(n):
            self._slots.put(None)

    def read(self, cells: Sequence[object]) -> list[Outcome]:
        """What becomes of each of `cells`, which must travel.

        Raises
        ------
        MonitorError
            If no process can be started.
        """
        if not cells:
            return []
        try:
            return self._ask(cells)
        except _ProcessDied:
            return [self._read_alone(cell) for cell in cells]

    def _read_alone(self, cell: object) -> Outcome:
        try:
            return self._ask([cell])[0]
        except _ProcessDied as error:
            return Outcome(Failure("decoder_crashed", str(error)))

    def _ask(self, cells: Sequence[object]) -> list[Outcome]:
        process = self._slots.get()
        try:
            if self._cancellation.is_cancelled:
                return [Outcome(_CANCELLED)] * len(cells)
            if process is None:
                process = _Process(self._settings)
            try:
                with self._cancellation.wakes(process.kill):
                    return process.read(cells, self._geometry.side)
            except _ProcessDied:
                process = None
                if self._cancellation.is_cancelled:
                    return [Outcome(_CANCELLED)] * len(cells)
                raise
        finally:
            self._slots.put(process)

    def cancel(self) -> None:
        """End all that is under way at once, and read nothing more."""
        self._cancellation.cancel()

    def close(self) -> None:
        """End the processes that are idle; cancel first, so that the busy ones end too."""
        processes = [self._slots.get() for _ in range(self._slots.qsize())]
        for process in processes:
            self._slots.put(None)
            if process is not None:
                process.leave()
        for process in processes:
            if process is not None:
                process.end()


@dataclass(frozen=True, eq=False)
class _Away:
    """A cell that is read elsewhere, `raw` if it was fetched here, and where its bytes lie."""

    cell: object
    where: Located | None
    raw: RawImage | None = None

    @property
    def sent(self) -> object:
        return self.cell if self.raw is None else self.raw.data


class PieceReading:
    """Reads cells as `CellReading` does, in other processes where that is possible. Thread-safe.

    Parameters
    ----------
    here
        Reads what cannot travel, and what the cache knows already.
    processes
        Read the rest.
    cache
        The one of `here`.
    by_themselves
        Whether nobody asked for processes. Then what comes over a network is fetched in this one, as this
        program has set it up (certificates, credentials), and only its bytes travel; and where no process
        can be started, all is read here.
    """

    def __init__(
        self,
        here: CellReading,
        processes: ReaderProcesses,
        cache: VectorCache | None,
        *,
        by_themselves: bool,
    ) -> None:
        self._here = here
        self._processes = processes
        self._cache = cache
        self._by_themselves = by_themselves
        self._are_there = True

    def cancel(self) -> None:
        """End all that is under way at once."""
        self._processes.cancel()
        self._here.cancel()

    def keep(self, read: Read, vector: NDArray[np.float32]) -> None:
        """See `CellReading.keep`."""
        self._here.keep(read, vector)

    def read_all(self, cells: Sequence[object]) -> list[Read | Failure]:
        """The images in `cells`, or why there are none."""
        begun = [self._begin(cell) for cell in cells]
        sent = [cell.sent for cell in begun if isinstance(cell, _Away)]
        outcomes = iter(self._outcomes(sent))
        return [
            self._end(cell, next(outcomes)) if isinstance(cell, _Away) else cell for cell in begun
        ]

    def _outcomes(self, sent: Sequence[object]) -> list[Outcome]:
        try:
            return self._processes.read(sent)
        except MonitorError as error:
            if not self._by_themselves:
                raise
            if self._are_there:
                logger.warning("images are read by threads alone: %s", error)
            self._are_there = False
            return [Outcome(None)] * len(sent)

    def _begin(self, cell: object) -> Read | Failure | _Away:
        reader = self._here.reader
        if not (self._are_there and travels(cell, reader.policy.max_bytes)):
            return self._here.read(cell)
        where = None if self._cache is None else reader.locate(cell)
        if where is not None and not self._here.is_new(where):
            return self._here.read(cell)
        is_fetched = self._by_themselves and is_remote(cell)
        holds_bytes = self._cache is not None and where is None
        if not (is_fetched or holds_bytes):
            return _Away(cell, where)
        # Of a cell that holds its bytes this makes no more than their digest.
        raw = reader.fetch(cell)
        read = raw if isinstance(raw, Failure) else self._here.known(raw.sha256)
        if read is None:
            return _Away(cell, where, cast("RawImage", raw) if is_fetched else None)
        version = None if isinstance(raw, Failure) else raw.version
        return read if where is None else self._here.keep_source(where, read, version)

    def _end(self, away: _Away, outcome: Outcome) -> Read | Failure:
        read, version = outcome.read, outcome.version
        if away.raw is not None:
            version = away.raw.version
            read = self._here.decoded(away.raw) if read is None else read
        elif read is None:
            return self._here.read(away.cell)
        if isinstance(read, Read):
            read = self._here.known(read.sha256) or read
        return read if away.where is None else self._here.keep_source(away.where, read, version)


class _Process:
    """One process."""

    def __init__(self, settings: str) -> None:
        try:
            # Our own interpreter and code.
            self._process = subprocess.Popen(  # noqa: S603  # nosec B603
                code_of("monitor.embedding.reader_process"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | _ONE_THREAD,
            )
        except OSError as error:
            raise _not_started(str(error)) from error
        self._stdin = cast(IO[bytes], self._process.stdin)
        self._stdout = cast(IO[bytes], self._process.stdout)
        _widen(self._stdin, self._stdout)
        ready = None
        with suppress(OSError):
            write_block(self._stdin, settings.encode())
            self._stdin.flush()
            ready = read_block(self._stdout)
        if ready != b"ready":
            self.kill()
            self.end()
            raise _not_started(f"it {self._how_it_ended()}")

    def read(self, cells: Sequence[object], side: int) -> list[Outcome]:
        outcomes = None
        with suppress(OSError):  # a pipe that nobody reads any more
            write_cells(self._stdin, cells)
            outcomes = read_outcomes(self._stdout, side)
        if outcomes is None:
            self.end()
            raise _ProcessDied(f"the reading process {self._how_it_ended()}")
        return outcomes

    def kill(self) -> None:
        """End it, whatever it does; from any thread."""
        self._process.kill()

    def leave(self) -> None:
        """Let it end by itself."""
        with suppress(OSError):
            self._stdin.close()

    def end(self) -> None:
        """Wait for its end, and give back what it held."""
        end(self._process, _END_SECONDS)

    def _how_it_ended(self) -> str:
        code = self._process.returncode
        return f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _not_started(why: str) -> MonitorError:
    return MonitorError(
        f"no reading process can be started ({why}); see that {sys.executable} runs, or give the executor "
        "local processes=0"
    )


def _widen(*streams: IO[bytes]) -> None:
    """Let pipes hold more, where the system can."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        for stream in streams:
            fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
