"""Bars on stderr for work that takes a while, and silence where nobody looks."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

_Item = TypeVar("_Item")
_SHOWN: ContextVar[bool] = ContextVar("shown", default=False)
_DELAY_SECONDS: Final = 2.0
"""What is done by then needs no bar."""


@contextmanager
def progress_shown(shown: bool | None) -> Iterator[None]:
    """Show bars within the context, or none; `None` shows them when stderr is a terminal.

    >>> with progress_shown(False):
    ...     list(steps("ab", "judging"))
    ['a', 'b']
    """
    token = _SHOWN.set(sys.stderr.isatty() if shown is None else shown)
    try:
        yield
    finally:
        _SHOWN.reset(token)


def steps(items: Sequence[_Item], label: str) -> Iterator[_Item]:
    """The items one after the other, counted by a bar where one is to be shown, and gone with the last.

    Parameters
    ----------
    items
        What is worked on.
    label
        What is done with them, such as "judging".
    """
    if not _SHOWN.get():
        yield from items
        return
    from tqdm import tqdm

    yield from tqdm(items, desc=label, leave=False, delay=_DELAY_SECONDS, file=sys.stderr)
