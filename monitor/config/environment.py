"""`${NAME}` in a text ─► the environment variable of that name, so that secrets stay out of files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from monitor.errors import ConfigError

_NAME = re.compile(r"\$\{([^}]*)\}")


def filled_in(text: str, place: str, environment: Mapping[str, str] | None = None) -> str:
    """`text` with each `${NAME}` replaced.

    Parameters
    ----------
    text
        Such as `"postgresql+psycopg://${DB_USER}@db/monitor"`.
    place
        Where it stands in the config, for messages.
    environment
        Values by name; by default those of this process.

    Raises
    ------
    ConfigError
        If there is no such variable.

    Examples
    --------
    >>> filled_in("sqlite:///${HOME}/a.db", "store.url", {"HOME": "/home/me"})
    'sqlite:////home/me/a.db'
    """
    given = os.environ if environment is None else environment
    missing = [name for name in _NAME.findall(text) if name not in given]
    if missing:
        raise ConfigError(
            f"{place} needs the environment variable {missing[0]}, which is not set: set it, or write "
            "the value itself"
        )
    return _NAME.sub(lambda found: given[found[1]], text)
