"""How many cores there are for the work."""

from __future__ import annotations

import os


def n_cores() -> int:
    """How many cores this process may use.

    Examples
    --------
    >>> n_cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
