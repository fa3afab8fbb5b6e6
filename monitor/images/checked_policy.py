"""A policy as a process of ours has it that was started to read: its words, without what checks them.

What checks them is pydantic, which takes half of the time in which such a process starts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from monitor.redaction import also_secret

if TYPE_CHECKING:
    from monitor.images.policy import SourcePolicy

SCHEMES: Final = ("http", "https", "data", "file", "s3", "gs", "az")
OBJECT_STORES: Final = ("s3", "gs", "az")


def is_allowed(scheme: str, schemes: Collection[str], roots: Collection[str]) -> bool:
    """Whether cells with `scheme` may be read; roots imply 'file'.

    >>> is_allowed("file", ("https",), ("photos",)), is_allowed("s3", ("https",), ())
    (True, False)
    """
    return scheme in schemes or (scheme == "file" and bool(roots))


class _CheckedPolicy:
    """Has every field of `SourcePolicy`."""

    schemes: tuple[str, ...]
    roots: tuple[str, ...]

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.__dict__.update(fields)

    def allows(self, scheme: str) -> bool:
        return is_allowed(scheme, self.schemes, self.roots)

    @property
    def allowed_schemes(self) -> tuple[str, ...]:
        return tuple(scheme for scheme in SCHEMES if self.allows(scheme))


def checked_policy(fields: Mapping[str, Any]) -> SourcePolicy:
    """The policy whose `fields`, all of them, were read from JSON that `SourcePolicy` has written.

    Examples
    --------
    >>> from monitor.images import SourcePolicy
    >>> policy = checked_policy(SourcePolicy(schemes=["file"], roots=["photos"]).model_dump(mode="json"))
    >>> policy.background, policy.allowed_schemes
    ((255, 255, 255), ('file',))
    """
    as_tuples = {
        name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
    }
    also_secret(as_tuples["secret_parameters"])
    return cast("SourcePolicy", _CheckedPolicy(as_tuples))


def split_host(entry: str) -> tuple[str, int | None]:
    """Host in lower case without brackets, and port, of ``host``, ``host:port`` or ``[v6]:port``.

    >>> split_host("Example.com:8080"), split_host("[::1]"), split_host("::1")
    (('example.com', 8080), ('::1', None), ('::1', None))
    """
    host, port = entry.lower().strip(), ""
    if host.startswith("["):
        host, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":")
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    if port and not (port.isascii() and port.isdigit()):
        return "", None
    return host.rstrip("."), int(port) if port else None
