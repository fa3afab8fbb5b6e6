"""What Pillow warns of and libtiff prints, kept from the caller while we decode, in any number of threads."""

from __future__ import annotations

import ctypes
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, cast

from PIL import _imaging

_LOCK: Final = threading.Lock()
_IGNORE_PILLOW: Final = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
_TIFF_SETTERS: Final = ("TIFFSetErrorHandler", "TIFFSetWarningHandler")
_n_inside = 0
_tiff_handlers: list[int | None] = []
"""What libtiff told its errors and warnings to before we came."""


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Ignore what Pillow's modules and libtiff warn of until the last of the threads inside has left.

    libtiff prints to the process's stderr, whatever Pillow makes of the error.

    Not `warnings.catch_warnings`: that swaps the process's whole filter list, and two threads that
    overlap in it can leave each other's filters behind for good. Nor `warnings.filterwarnings`: each
    call makes Python forget which warnings it has shown once already. One entry is put into the list
    and taken out again; at worst that one stays.

    >>> with quiet_pillow():
    ...     warnings.filters[0][0]
    'ignore'
    """
    global _n_inside, _tiff_handlers
    with _LOCK:
        _n_inside += 1
        if _n_inside == 1:
            _tiff_handlers = [setter(None) for setter in _tiff_setters()]
        if _IGNORE_PILLOW not in warnings.filters:
            _filters().insert(0, _IGNORE_PILLOW)
    try:
        yield
    finally:
        with _LOCK:
            _n_inside -= 1
            if _n_inside == 0:
                for setter, handler in zip(_tiff_setters(), _tiff_handlers, strict=True):
                    setter(handler)
                if _IGNORE_PILLOW in warnings.filters:
                    _filters().remove(_IGNORE_PILLOW)


@cache
def _tiff_setters() -> tuple[Any, ...]:
    """libtiff's functions that set who is told, each giving the one before; none where Pillow hides them."""
    library = ctypes.CDLL(_imaging.__file__)
    setters = tuple(getattr(library, name, None) for name in _TIFF_SETTERS)
    if None in setters:
        return ()
    for setter in setters:
        cast(Any, setter).restype = ctypes.c_void_p
        cast(Any, setter).argtypes = [ctypes.c_void_p]
    return setters


def _filters() -> list[Any]:
    # The list of this moment: `catch_warnings` puts another in its place.
    return cast(list[Any], warnings.filters)
