"""Taking turns at a host: at most so many fetches from one at the same time."""

from __future__ import annotations

import threading
from types import TracebackType


class Turns:
    """Counts the fetches at each host; hosts without one take no memory."""

    def __init__(self, n_per_host: int) -> None:
        self._n_per_host = n_per_host
        self._n_at: dict[str, int] = {}
        self._changed = threading.Condition()

    def enter(self, host: str, timeout: float | None) -> bool:
        """Wait for a turn at `host`, at most `timeout` seconds; whether there was one."""
        with self._changed:
            free = self._changed.wait_for(
                lambda: self._n_at.get(host, 0) < self._n_per_host, timeout
            )
            if free:
                self._n_at[host] = self._n_at.get(host, 0) + 1
            return free

    def leave(self, host: str) -> None:
        """Give the turn back."""
        with self._changed:
            self._n_at[host] -= 1
            if not self._n_at[host]:
                del self._n_at[host]
            self._changed.notify_all()


class Turn:
    """The one turn that a fetch holds, moved along as redirects lead from host to host.

    Never two at once: fetches that redirect to each other's hosts would wait for each other.
    """

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._host: str | None = None

    def move_to(self, host: str, timeout: float | None = None) -> bool:
        """Hold a turn at `host` instead; False when there was none in time."""
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
