"""Memory shared by all that decode at the same time: what is too much waits its turn."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType

from monitor.images.cancellation import Cancellation


class DecodeBudget:
    """So many bytes, handed out in the order of asking, so that a large image is not passed over for good.

    Thread-safe.

    Parameters
    ----------
    n_bytes
        What all shares take together, at most.
    cancellation
        Ends the waiting.

    Examples
    --------
    >>> budget = DecodeBudget(1_000, Cancellation())
    >>> with budget.share() as share:
    ...     share.take(600), budget.n_free
    (True, 400)
    >>> budget.n_free
    1000
    """

    def __init__(self, n_bytes: int, cancellation: Cancellation) -> None:
        self.n_free = n_bytes
        self._n_bytes = n_bytes
        self._cancellation = cancellation
        self._changed = threading.Condition()
        self._waiting: deque[Share] = deque()

    def share(self) -> Share:
        """A share without bytes yet."""
        return Share(self)

    def take(self, share: Share, n_bytes: int) -> bool:
        """Wait for `n_bytes`, at most all there are; False after a cancellation."""
        with self._cancellation.wakes(self._wake), self._changed:
            self._waiting.append(share)

            def is_next() -> bool:
                is_free = self._waiting[0] is share and self.n_free >= n_bytes
                return is_free or self._cancellation.is_cancelled

            self._changed.wait_for(is_next)
            self._waiting.remove(share)
            # The one behind it may fit in too.
            self._changed.notify_all()
            if self._cancellation.is_cancelled:
                return False
            self.n_free -= n_bytes
            return True

    def give(self, n_bytes: int) -> None:
        """Take `n_bytes` back."""
        with self._changed:
            self.n_free += n_bytes
            self._changed.notify_all()

    def most(self, n_bytes: int) -> int:
        """`n_bytes`, or all there are if that is less: nobody waits for what there will never be."""
        return min(n_bytes, self._n_bytes)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class Share:
    """The bytes that one image holds; given back when its context ends."""

    def __init__(self, budget: DecodeBudget) -> None:
        self._budget = budget
        self._n_bytes = 0

    def take(self, n_bytes: int) -> bool:
        """Hold `n_bytes`, waiting until they are free; False after a cancellation."""
        wanted = self._budget.most(n_bytes)
        if not self._budget.take(self, wanted):
            return False
        self._n_bytes += wanted
        return True

    def shrink(self, n_bytes: int) -> None:
        """Hold `n_bytes` and no more."""
        spare = self._n_bytes - n_bytes
        if spare > 0:
            self._n_bytes = n_bytes
            self._budget.give(spare)

    def __enter__(self) -> Share:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shrink(0)
