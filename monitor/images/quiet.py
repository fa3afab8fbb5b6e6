"""Pillow's warnings kept from the caller while we decode, in any number of threads."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

_LOCK = threading.Lock()
_IGNORE_PILLOW = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
_n_inside = 0


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Ignore warnings raised in Pillow's modules until the last of the threads inside has left.

    Not `warnings.catch_warnings`: that swaps the process's whole filter list, and two threads that
    overlap in it can leave each other's filters behind for good. Nor `warnings.filterwarnings`: each
    call makes Python forget which warnings it has shown once already. One entry is put into the list
    and taken out again; at worst that one stays.

    >>> with quiet_pillow():
    ...     warnings.filters[0][0]
    'ignore'
    """
    global _n_inside
    with _LOCK:
        _n_inside += 1
        if _IGNORE_PILLOW not in warnings.filters:
            _filters().insert(0, _IGNORE_PILLOW)
    try:
        yield
    finally:
        with _LOCK:
            _n_inside -= 1
            if _n_inside == 0 and _IGNORE_PILLOW in warnings.filters:
                _filters().remove(_IGNORE_PILLOW)


def _filters() -> list[Any]:
    # The list of this moment: `catch_warnings` puts another in its place.
    return cast(list[Any], warnings.filters)
