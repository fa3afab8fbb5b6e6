"""One deadline for all of a fetch, which cuts its connection when it passes."""

from __future__ import annotations

import heapq
import itertools
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType

_CURRENT = threading.local()


class Clock:
    """Cuts deadlines when they pass: one thread for any number of them, until it is closed.

    A timer for each fetch would start a thread for each, which costs as much as the fetch's own work.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._order = itertools.count()
        self._pending: list[tuple[float, int, Deadline]] = []
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def add(self, deadline: Deadline, ends: float) -> None:
        """Cut `deadline` at the monotonic time `ends`."""
        with self._changed:
            if self._is_closed:
                return
            heapq.heappush(self._pending, (ends, next(self._order), deadline))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="monitor-deadline", daemon=True
                )
                self._thread.start()
            elif self._pending[0][2] is deadline:
                self._changed.notify()

    def close(self) -> None:
        """Cut nothing more, and let the thread end."""
        with self._changed:
            self._is_closed = True
            self._pending.clear()
            self._changed.notify()

    def _run(self) -> None:
        while (due := self._wait()) is not None:
            due.cut()

    def _wait(self) -> Deadline | None:
        """The next deadline that passes; None when the clock is closed."""
        with self._changed:
            while not self._is_closed:
                # Those that were met lie here until they would have passed, which is soon enough.
                seconds = self._pending[0][0] - time.monotonic() if self._pending else None
                if seconds is not None and seconds <= 0:
                    return heapq.heappop(self._pending)[2]
                self._changed.wait(None if seconds is None else min(seconds, threading.TIMEOUT_MAX))
            return None


class Deadline:
    """`seconds` from entering the context until the connection in use is shut.

    Time limits on a socket count each read alone: a server that sends one byte a second never meets
    them. So a clock shuts the connection itself, and whoever waits on it wakes.

    >>> clock = Clock()
    >>> with Deadline(60, clock) as deadline:
    ...     deadline.has_passed
    False
    >>> clock.close()
    """

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._ends = 0.0
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None

    def __enter__(self) -> Deadline:
        self._ends = time.monotonic() + self._seconds
        self._clock.add(self, self._ends)
        _CURRENT.deadline = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _CURRENT.deadline = None
        self.release()

    @property
    def remaining(self) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self._ends - time.monotonic())

    @property
    def has_passed(self) -> bool:
        """Whether the time is over."""
        return self.remaining == 0.0

    def end(self) -> None:
        """Let the time be over now."""
        self._ends = 0.0
        self.cut()

    def watch(self, connection: socket.socket) -> None:
        """Shut `connection` when the time is over, in place of the one watched before."""
        # A handle of our own: TLS takes the plain socket over, and only hands the new one out once
        # the handshake is done, which is one of the things that must end in time.
        handle = socket.fromfd(connection.fileno(), connection.family, connection.type)
        self.release()
        with self._lock:
            self._handle = handle
        if self.has_passed:
            self.cut()

    def release(self) -> None:
        """Watch no connection."""
        with self._lock:
            handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()

    def cut(self) -> None:
        """Shut the connection that is watched, if there is one."""
        with self._lock:
            if self._handle is not None:
                # It may be closed already: the other side was faster.
                with suppress(OSError):
                    self._handle.shutdown(socket.SHUT_RDWR)


def current_deadline() -> Deadline | None:
    """The deadline of the fetch that this thread is in, if it is in one."""
    deadline: Deadline | None = getattr(_CURRENT, "deadline", None)
    return deadline


def watch(connection: socket.socket) -> None:
    """Put `connection` under the deadline of the fetch that this thread is in, if it is in one."""
    deadline = current_deadline()
    if deadline is not None:
        deadline.watch(connection)
