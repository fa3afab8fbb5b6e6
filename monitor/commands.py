"""Command lines of `monitor` that find the config of those who read them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from shlex import join

_CONFIG: ContextVar[str] = ContextVar("config of commands", default="")


@contextmanager
def config_named(path: str) -> Iterator[None]:
    """Within, commands name this config: one in another place than where commands look by themselves.

    Examples
    --------
    >>> with config_named("shop/photos.yaml"):
    ...     command_line("baseline", "fit", "--force")
    'monitor baseline fit --force --config shop/photos.yaml'
    """
    token = _CONFIG.set(path)
    try:
        yield
    finally:
        _CONFIG.reset(token)


def command_line(*words: str) -> str:
    """These words as a command line, quoted for a shell."""
    config = _CONFIG.get()
    return join(["monitor", *words, *(["--config", config] if config else [])])
