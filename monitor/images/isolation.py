"""Decoding in processes of its own, so that a decoder's crash costs one image and not the run."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, cast

from PIL import Image

from monitor.errors import MonitorError
from monitor.failures import Failure
from monitor.images.blocks import read_block, write_block
from monitor.images.cancellation import Cancellation
from monitor.images.child import code_of, end
from monitor.images.decoded import DecodedImage
from monitor.images.decoding import not_in_time
from monitor.images.raw import RawImage

if TYPE_CHECKING:
    from monitor.images.policy import SourcePolicy

_START_SECONDS = 60.0
_OVERHEAD_BYTES = 50_000_000
# Some libraries start a thread for each core, which reserves its stack.
_THREAD_BYTES = 10_000_000
_LAST_WORDS_SECONDS = 1.0


class _WorkerDied(Exception):
    """The worker ended before it answered, by itself or since it was late."""

    def __init__(self, failure: Failure, *, was_late: bool) -> None:
        super().__init__(failure.detail)
        self.failure = failure
        self.was_late = was_late


class DecoderPool:
    """Decodes encoded bytes in worker processes; thread-safe; `close` it.

    A worker that crashes, takes more memory than the policy allows, or does not answer within its deadline
    is replaced, and its image is a Failure `decoder_crashed`. One that crashed is tried once more in a
    fresh worker, since the old one may have been killed for another reason; one that we ended is not.

    Parameters
    ----------
    policy
        What may be decoded.
    cancellation
        When it comes, workers are killed.
    n_workers
        How many decode at once; by default one for each core. They start when they are needed.
    memory_bytes
        What a worker may take beyond its start. By default the policy's `max_decode_bytes`, the largest
        encoded image twice, and some more for threads. Enforced on Linux.
    """

    def __init__(
        self,
        policy: SourcePolicy,
        cancellation: Cancellation,
        *,
        n_workers: int | None = None,
        memory_bytes: int | None = None,
    ) -> None:
        self._policy = policy
        self._cancellation = cancellation
        self._memory_bytes = memory_bytes or (
            policy.max_decode_bytes
            + 2 * policy.max_bytes
            + _OVERHEAD_BYTES
            + _THREAD_BYTES * (os.cpu_count() or 1)
        )
        # A slot for each worker: the idle one, or None where none was started.
        self._slots: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(n_workers or os.cpu_count() or 1):
            self._slots.put(None)

    def decode(
        self, raw: RawImage, begin: Callable[[], bool] = lambda: True
    ) -> DecodedImage | Failure:
        """As `monitor.images.decode`, of bytes.

        Parameters
        ----------
        raw
            Encoded bytes.
        begin
            Called once there is a worker; False gives up.

        Raises
        ------
        MonitorError
            If no worker can be started.
        """
        cancelled = Failure("deadline", "the reader was cancelled")
        worker = self._slots.get()
        try:
            if not begin():
                return cancelled
            for _ in range(2):
                if worker is None:
                    worker = _Worker(self._policy, self._memory_bytes)
                try:
                    with self._cancellation.wakes(worker.kill):
                        return worker.decode(raw)
                except _WorkerDied as error:
                    failure = error.failure
                    is_final = error.was_late
                    worker = None
                if self._cancellation.is_cancelled:
                    return cancelled
                if is_final:
                    break
            return failure
        finally:
            self._slots.put(worker)

    def close(self) -> None:
        """End the idle workers; cancel first, so that the busy ones end too."""
        slots = [self._slots.get() for _ in range(self._slots.qsize())]
        for worker in slots:
            if worker is not None:
                worker.kill()
                worker.end()
            self._slots.put(None)


class _Worker:
    """One process."""

    def __init__(self, policy: SourcePolicy, memory_bytes: int) -> None:
        self._seconds = policy.deadline_seconds
        # Our own interpreter and code.
        self._process = subprocess.Popen(  # noqa: S603  # nosec B603
            code_of("monitor.images.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        settings = {
            "policy": policy.model_dump(mode="json"),
            "memory_bytes": memory_bytes,
        }
        try:
            (ready,) = self._ask(json.dumps(settings).encode(), 1, _START_SECONDS)
        except _WorkerDied as error:
            raise MonitorError(
                f"no decoding process can be started: {error}; see that {sys.executable} runs, or set "
                "isolation to 'none'"
            ) from error
        if ready != b"ready":
            raise MonitorError(f"the decoding process said {ready[:80]!r} where 'ready' should be")

    def decode(self, raw: RawImage) -> DecodedImage | Failure:
        words, pixels = self._ask(cast(bytes, raw.data), 2, self._seconds)
        answer: dict[str, Any] = json.loads(words)
        if "reason" in answer:
            return Failure(answer["reason"], answer["detail"])
        image = Image.frombytes("RGB", tuple(answer["size"]), pixels)
        return DecodedImage(image, tuple(answer["notes"]), raw.sha256, answer["missing_share"])

    def kill(self) -> None:
        """End it, whatever it does; from any thread."""
        self._process.kill()

    def end(self) -> None:
        """End it and give back what it held."""
        # It may be on its way out, and how it ends is worth knowing.
        end(self._process, _LAST_WORDS_SECONDS)

    def _ask(self, block: bytes, n_answers: int, seconds: float) -> list[bytes]:
        stdin, stdout = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            write_block(stdin, block)
            stdin.flush()
            answers = [read_block(stdout) for _ in range(n_answers)]
        except OSError:  # a pipe that nobody reads any more
            answers = [None]
        finally:
            timer.cancel()
        complete = [answer for answer in answers if answer is not None]
        if len(complete) == n_answers:
            return complete
        self.end()
        if late.is_set():
            raise _WorkerDied(not_in_time(seconds), was_late=True)
        raise _WorkerDied(Failure("decoder_crashed", _how_it_ended(self._process)), was_late=False)


def _how_it_ended(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    if code >= 0:
        return f"the decoding process ended with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
    return f"the decoding process ended by signal {name}"
