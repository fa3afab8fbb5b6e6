"""A brake for hosts that do not answer: after some failures in a row they are left alone for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from monitor.failures import Failure

_HOST_FAULTS: Final = frozenset({"dns", "network", "tls", "deadline"})
"""What tells that a host is down; an answer of any status, and proper HTTP or not, tells that it is up."""
_MOST_HOSTS: Final = 10_000


@dataclass(slots=True)
class _Trouble:
    """A host that failed the last time."""

    n_failures: int = 0
    reason: str = ""
    asked_again_at: float = 0.0


class HostBreaker:
    """Counts each host's failures in a row (Nygard, *Release It!*, 2007: "circuit breaker"). Thread-safe.

    Parameters
    ----------
    n_failures
        So many in a row, and the host is left alone; 0 never leaves it alone.
    pause_seconds
        After so long one fetch asks again; if it fails too, the pause begins anew.
    clock
        Seconds that only go forward.

    Examples
    --------
    >>> breaker = HostBreaker(2, 30.0)
    >>> for _ in range(2):
    ...     breaker.record("example.com", Failure("network"))
    >>> print(breaker.check("example.com"))
    host_down: example.com failed 2 times in a row, last with network; it is asked again after 30 s
    """

    def __init__(
        self, n_failures: int, pause_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._n_failures = n_failures
        self._pause_seconds = pause_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._troubles: dict[str, _Trouble] = {}

    def check(self, host: str) -> Failure | None:
        """Why `host` is not asked now; None where it is, and its outcome is to be recorded."""
        with self._lock:
            trouble = self._troubles.get(host)
            if trouble is None or not self._is_open(trouble):
                return None
            now = self._clock()
            if now >= trouble.asked_again_at:
                # This one asks. The next may if nothing came of it.
                trouble.asked_again_at = now + self._pause_seconds
                return None
            return Failure(
                "host_down",
                f"{host} failed {trouble.n_failures} times in a row, last with {trouble.reason}; it is "
                f"asked again after {self._pause_seconds:g} s",
            )

    def record(self, host: str, outcome: object) -> None:
        """Take account of what came of asking `host`."""
        with self._lock:
            if not isinstance(outcome, Failure) or outcome.reason not in _HOST_FAULTS:
                self._troubles.pop(host, None)
                return
            trouble = self._troubles.setdefault(host, _Trouble())
            trouble.n_failures += 1
            trouble.reason = outcome.reason
            if self._is_open(trouble):
                trouble.asked_again_at = self._clock() + self._pause_seconds
            if len(self._troubles) > _MOST_HOSTS:
                del self._troubles[next(iter(self._troubles))]

    def _is_open(self, trouble: _Trouble) -> bool:
        return 0 < self._n_failures <= trouble.n_failures
