"""The end of all reading: told once, it ends every wait under it at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Answer = TypeVar("Answer")


class Stop:
    """Told by any thread, it wakes all that wait under it, and stays told. Thread-safe.

    >>> stop = Stop()
    >>> with stop.wakes(lambda: print("woken")):
    ...     stop.tell()
    woken
    >>> stop.is_told
    True
    """

    def __init__(self) -> None:
        self._told = threading.Event()
        self._lock = threading.Lock()
        self._wakers: list[Callable[[], object]] = []

    @property
    def is_told(self) -> bool:
        """Whether all is over."""
        return self._told.is_set()

    def tell(self) -> None:
        """End all waits, those of now and those to come."""
        self._told.set()
        with self._lock:
            wakers = list(self._wakers)
        for wake in wakers:
            wake()

    def wait(self, seconds: float) -> bool:
        """Pause for `seconds`, less when the stop is told; whether it is."""
        return self._told.wait(seconds)

    @contextmanager
    def wakes(self, wake: Callable[[], object]) -> Iterator[None]:
        """Call `wake` each time the stop is told within the block; at once if it is told already."""
        # Listed before it looks: whoever tells in between calls it, or else it sees.
        with self._lock:
            self._wakers.append(wake)
        try:
            if self.is_told:
                wake()
            yield
        finally:
            with self._lock:
                self._wakers.remove(wake)


def ask(question: Callable[[], Answer], *, name: str, seconds: float, stop: Stop) -> Answer | None:
    """The answer to `question`; None when it takes longer than `seconds` or `stop` is told first.

    For what cannot be interrupted, only left behind: it runs in a thread of its own, `name`.

    >>> ask(lambda: 42, name="monitor-example", seconds=5.0, stop=Stop())
    42
    """
    answer: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
    threading.Thread(target=lambda: answer.put(question()), name=name, daemon=True).start()
    with stop.wakes(lambda: answer.put(None)):
        try:
            return answer.get(timeout=seconds)
        except queue.Empty:
            return None
