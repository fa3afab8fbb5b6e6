"""Cells read by several processes: threads of one stand in each other's way from about four cores on.

Decoding in C runs beside other threads, but all that goes on in Python around it does not (the GIL).
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Final, cast

from monitor.embedding.reading import CellReading, Read
from monitor.embedding.travelling import Outcome, read_outcomes, travels, write_cells
from monitor.errors import MonitorError
from monitor.failures import Failure
from monitor.images.cancellation import Cancellation
from monitor.images.worker import read_block, write_block

if TYPE_CHECKING:
    from monitor.cache import VectorCache
    from monitor.geometry import Geometry
    from monitor.images import SourcePolicy
    from monitor.images.reader import Located

_END_SECONDS: Final = 2.0
_PIPE_BYTES: Final = 1 << 20
"""A picture that the model sees takes 150 kB, and pipes hold 64 kB by themselves."""
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# The parent's search path, so that it runs the same code; not its main module.
_CODE: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from monitor.embedding.reader_process import main; main()"
)
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
    """

    def __init__(
        self, here: CellReading, processes: ReaderProcesses, cache: VectorCache | None
    ) -> None:
        self._here = here
        self._processes = processes
        self._cache = cache

    def cancel(self) -> None:
        """End all that is under way at once."""
        self._processes.cancel()
        self._here.cancel()

    def keep(self, read: Read, vector: object) -> None:
        """See `CellReading.keep`."""
        self._here.keep(read, vector)  # type: ignore[arg-type]

    def read_all(self, cells: Sequence[object]) -> list[Read | Failure]:
        """The images in `cells`, or why there are none."""
        places = [self._place(cell) for cell in cells]
        away = [i for i, place in enumerate(places) if place is not None]
        outcomes = dict(zip(away, self._processes.read([cells[i] for i in away]), strict=True))
        return [
            self._taken(cell, places[i], outcomes[i]) if i in outcomes else self._here.read(cell)
            for i, cell in enumerate(cells)
        ]

    def _place(self, cell: object) -> tuple[Located | None] | None:
        """Where the bytes of a cell lie that is read elsewhere; None for one that is read here."""
        if not travels(cell, self._here.reader.policy.max_bytes):
            return None
        if self._cache is None:
            return (None,)
        where = self._here.reader.locate(cell)
        if where is None:
            # It holds its bytes: their digest is made at once, their picture is not.
            raw = self._here.reader.fetch(cell)
            is_new = not isinstance(raw, Failure) and self._here.known(raw.sha256) is None
        else:
            is_new = self._here.is_new(where)
        return (where,) if is_new else None

    def _taken(
        self, cell: object, place: tuple[Located | None] | None, outcome: Outcome
    ) -> Read | Failure:
        read = outcome.read
        if read is None:
            return self._here.read(cell)
        if isinstance(read, Read):
            read = self._here.known(read.sha256) or read
        where = place and place[0]
        return self._here.keep_source(where, read, outcome.version) if where else read


class _Process:
    """One process."""

    def __init__(self, settings: str) -> None:
        # Our own interpreter and code.
        self._process = subprocess.Popen(  # noqa: S603  # nosec B603
            [sys.executable, "-c", _CODE, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | _ONE_THREAD,
        )
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
            raise MonitorError(
                f"no reading process can be started ({self._how_it_ended()}); see that {sys.executable} "
                "runs, or give the executor local processes=0"
            )

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
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._stdin, self._stdout):
            with suppress(OSError):
                stream.close()

    def _how_it_ended(self) -> str:
        code = self._process.returncode
        return f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _widen(*streams: IO[bytes]) -> None:
    """Let pipes hold more, where the system can."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        for stream in streams:
            fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
