"""`${NAME}` in a text ─► the environment variable of that name, so that secrets stay out of files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

from monitor.errors import ConfigError

_NAME: Final = re.compile(r"\$\{([^}]*)\}")


def filled_in(text: str, place: str, environment: Mapping[str, str] | None = None) -> str:
    """`text` with each `${NAME}` replaced, once: a value is taken as it is.

    Parameters
    ----------
    text
        Such as `"postgresql+psycopg://${DB_USER}@db/monitor"`.
    place
        Where it stands, for messages; `text` itself may be a secret and is not shown.
    environment
        Values by name; by default those of this process.

    Raises
    ------
    ConfigError
        If there is no such variable, or it is empty.

    Examples
    --------
    >>> filled_in("sqlite:///${HOME}/a.db", "store.url", {"HOME": "/home/me"})
    'sqlite:////home/me/a.db'
    """
    values = os.environ if environment is None else environment
    missing = [name for name in _NAME.findall(text) if not values.get(name, "").strip()]
    if missing:
        raise ConfigError(
            f"{place} needs the environment variable {missing[0]}, which is not set or empty: set it where "
            "monitor runs"
        )
    # A variable read from a file often ends in a line end.
    return _NAME.sub(lambda name: values[name[1]].strip(), text)
