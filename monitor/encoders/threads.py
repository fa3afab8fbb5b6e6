"""How many of torch's threads work on one batch, when several batches are encoded side by side."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch

MOST_SIDE_BY_SIDE: Final = 4
"""More batches at once would hold more of them in memory for nothing: each may have several threads."""

_lock = threading.Lock()
_n_sharing = 0
_n_threads = 0


@contextmanager
def shared_threads() -> Iterator[tuple[int, int]]:
    """How many batches to encode side by side on the CPU, and how many of torch's threads for each.

    One thread per batch as long as there are few cores: threads that share a batch wait for each other
    after each layer, for long when another thread of ours has their core. What the caller has set
    (`torch.set_num_threads`, OMP_NUM_THREADS) is shared out, and holds again afterwards.

    Examples
    --------
    >>> with shared_threads() as (side_by_side, threads_each):
    ...     1 <= side_by_side <= MOST_SIDE_BY_SIDE, threads_each >= 1
    (True, True)
    """
    global _n_sharing, _n_threads
    with _lock:
        if _n_sharing == 0:
            _n_threads = torch.get_num_threads()
        _n_sharing += 1
        side_by_side = min(_n_threads, MOST_SIDE_BY_SIDE)
        threads_each = _n_threads // side_by_side
    try:
        yield side_by_side, threads_each
    finally:
        with _lock:
            _n_sharing -= 1
            if _n_sharing == 0:
                # What the workers have set holds for threads that torch has not met yet, too.
                torch.set_num_threads(_n_threads)


def use_threads(n_threads: int) -> None:
    """Have torch use so many threads in the calling thread."""
    torch.set_num_threads(n_threads)


def _in_forked_child() -> None:
    # OpenMP's threads do not live on in a forked process: the first layer would wait for them for ever.
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_forked_child)
