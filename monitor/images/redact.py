"""Text that is safe to store and show: short, without credentials, queries and control codes."""

from __future__ import annotations

import re

LONGEST = 200
_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:)?([/\\]*)([^/\\?#]*)([^?#]*)(.*)", re.DOTALL)
_HOST = re.compile(r"(\[[^\]]*\]?|[^:]*)(:\d*)?")


def redact_url(url: str) -> str:
    """`url` without user name, password, query and fragment, cut to 200 characters.

    >>> redact_url("https://me:secret@example.com/a.jpg?token=abc#x")
    'https://example.com/a.jpg?…'
    """
    # Cut first: what follows is linear, but a cell can hold megabytes.
    url = url.strip()[: 10 * LONGEST]
    match = _PARTS.match(url)
    groups = match.groups("") if match else ("",) * 5
    scheme, slashes, authority, path, rest = groups
    if scheme.lower() == "data:":
        return "data:…"
    host = authority.rpartition("@")[2]
    if not _HOST.fullmatch(host):
        # What stands for a port is none: it may be a password, with a slash or without its "@".
        return f"{scheme}{slashes}…"
    return shorten(f"{scheme}{slashes}{host}{path}{'?…' if rest else ''}")


def shorten(text: str, longest: int = LONGEST) -> str:
    """`text` on one line with printable characters only, at most `longest` of them.

    >>> shorten("a\\nb" + "c" * 300, 10)
    'a bcccccc…'
    """
    line = "".join(c if c.isprintable() else " " for c in text[: 2 * longest])
    return line if len(line) <= longest else line[: longest - 1] + "…"
