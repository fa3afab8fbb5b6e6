"""The end of all reading: cancelled once, it ends every wait under it at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Answer = TypeVar("Answer")


class Cancellation:
    """Cancelled by any thread, it wakes all that wait under it, and stays cancelled. Thread-safe.

    >>> cancellation = Cancellation()
    >>> with cancellation.wakes(lambda: print("woken")):
    ...     cancellation.cancel()
    woken
    >>> cancellation.is_cancelled
    True
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._wakers: list[Callable[[], object]] = []

    @property
    def is_cancelled(self) -> bool:
        """Whether all is over."""
        return self._event.is_set()

    def cancel(self) -> None:
        """End all waits, those of now and those to come."""
        self._event.set()
        with self._lock:
            wakers = list(self._wakers)
        for wake in wakers:
            wake()

    def wait(self, seconds: float) -> bool:
        """Pause for `seconds`, less when it is cancelled; whether it is."""
        return self._event.wait(seconds)

    @contextmanager
    def wakes(self, wake: Callable[[], object]) -> Iterator[None]:
        """Call `wake` each time `cancel` is called within the block; at once if it was before."""
        # Listed before the look: whoever cancels in between calls it, or else the look sees it.
        with self._lock:
            self._wakers.append(wake)
        try:
            if self.is_cancelled:
                wake()
            yield
        finally:
            with self._lock:
                self._wakers.remove(wake)


def ask(
    question: Callable[[], Answer], *, name: str, seconds: float, cancellation: Cancellation
) -> Answer | None:
    """The answer to `question`; None when it takes longer than `seconds` or is cancelled first.

    For what cannot be interrupted, only left behind: it runs in a thread of its own, `name`.

    >>> ask(lambda: 42, name="monitor-example", seconds=5.0, cancellation=Cancellation())
    42
    """
    answer: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
    threading.Thread(target=lambda: answer.put(question()), name=name, daemon=True).start()
    with cancellation.wakes(lambda: answer.put(None)):
        try:
            return answer.get(timeout=seconds)
        except queue.Empty:
            return None
