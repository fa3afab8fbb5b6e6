"""A bounded number of slots per host: at most so many fetches from one at the same time."""

from __future__ import annotations

import threading
from types import TracebackType

from monitor.images.cancellation import Cancellation


class HostSlots:
    """Counts the fetches at each host; a host without any takes no memory."""

    def __init__(self, n_per_host: int, cancellation: Cancellation) -> None:
        self._n_per_host = n_per_host
        self._cancellation = cancellation
        self._n_at: dict[str, int] = {}
        self._changed = threading.Condition()

    def acquire(self, host: str, timeout: float | None) -> bool:
        """Wait for a slot at `host`, at most `timeout` seconds; whether there was one.

        After a cancellation there are no slots at all.
        """
        with self._cancellation.wakes(self._wake), self._changed:
            self._changed.wait_for(lambda: self._is_over or self._is_free(host), timeout)
            if self._is_over or not self._is_free(host):
                return False
            self._n_at[host] = self._n_at.get(host, 0) + 1
            return True

    def release(self, host: str) -> None:
        """Give the slot back."""
        with self._changed:
            self._n_at[host] -= 1
            if not self._n_at[host]:
                del self._n_at[host]
            self._changed.notify_all()

    @property
    def _is_over(self) -> bool:
        return self._cancellation.is_cancelled

    def _is_free(self, host: str) -> bool:
        return self._n_at.get(host, 0) < self._n_per_host

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class HostSlot:
    """The one slot that a fetch holds, moved along as redirects lead from host to host.

    Never two at once: fetches that redirect to each other's hosts would wait for each other.
    """

    def __init__(self, slots: HostSlots) -> None:
        self._slots = slots
        self.host: str | None = None

    def move_to(self, host: str, timeout: float | None = None) -> bool:
        """Hold a slot at `host` instead; False if none was free in time, or after a cancellation."""
        if host == self.host:
            return True
        self.release()
        if self._slots.acquire(host, timeout):
            self.host = host
            return True
        return False

    def release(self) -> None:
        """Hold no slot."""
        if self.host is not None:
            self._slots.release(self.host)
            self.host = None

    def __enter__(self) -> HostSlot:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
