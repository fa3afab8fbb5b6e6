"""One deadline for all of a fetch, which cuts its connection when it passes."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType

_CURRENT = threading.local()


class Deadline:
    """`seconds` from entering the context until the connection in use is shut.

    Time limits on a socket count each read alone: a server that sends one byte a second never meets
    them. So a timer shuts the connection itself, and whoever waits on it wakes.

    >>> with Deadline(60) as deadline:
    ...     deadline.has_passed
    False
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends = 0.0
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.name = "monitor-deadline"
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._ends = time.monotonic() + self._seconds
        self._timer.start()
        _CURRENT.deadline = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _CURRENT.deadline = None
        self._timer.cancel()
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
        self._cut()

    def watch(self, connection: socket.socket) -> None:
        """Shut `connection` when the time is over, in place of the one watched before."""
        # A handle of our own: TLS takes the plain socket over, and only hands the new one out once
        # the handshake is done, which is one of the things that must end in time.
        handle = socket.fromfd(connection.fileno(), connection.family, connection.type)
        self.release()
        with self._lock:
            self._handle = handle
        if self.has_passed:
            self._cut()

    def release(self) -> None:
        """Watch no connection."""
        with self._lock:
            handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()

    def _cut(self) -> None:
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
