"""Taking turns at a host: at most so many fetches from one at the same time."""

from __future__ import annotations

import threading
from types import TracebackType

from monitor.images.stop import Stop


class Turns:
    """Counts the fetches at each host; hosts without one take no memory."""

    def __init__(self, n_per_host: int, stop: Stop) -> None:
        self._n_per_host = n_per_host
        self._stop = stop
        self._n_at: dict[str, int] = {}
        self._changed = threading.Condition()

    def enter(self, host: str, timeout: float | None) -> bool:
        """Wait for a turn at `host`, at most `timeout` seconds; whether there was one.

        Once the stop is told there is none, for nobody.
        """
        with self._stop.wakes(self._wake), self._changed:
            self._changed.wait_for(lambda: self._stop.is_told or self._is_free(host), timeout)
            if self._stop.is_told or not self._is_free(host):
                return False
            self._n_at[host] = self._n_at.get(host, 0) + 1
            return True

    def leave(self, host: str) -> None:
        """Give the turn back."""
        with self._changed:
            self._n_at[host] -= 1
            if not self._n_at[host]:
                del self._n_at[host]
            self._changed.notify_all()

    def _is_free(self, host: str) -> bool:
        return self._n_at.get(host, 0) < self._n_per_host

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class Turn:
    """The one turn that a fetch holds, moved along as redirects lead from host to host.

    Never two at once: fetches that redirect to each other's hosts would wait for each other.
    """

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._host: str | None = None

    def move_to(self, host: str, timeout: float | None = None) -> bool:
        """Hold a turn at `host` instead; False when there was none in time or the stop is told."""
        if host == self._host:
            return True
        self.end()
        if self._turns.enter(host, timeout):
            self._host = host
            return True
        return False

    def end(self) -> None:
        """Hold no turn."""
        if self._host is not None:
            self._turns.leave(self._host)
            self._host = None

    def __enter__(self) -> Turn:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()
