"""Who asks, and whether they may: hosts, tokens, sessions, and marks against forged requests.

Nothing of it knows the web framework.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

_SESSION_SECONDS: Final = 7 * 86_400
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::(\d{1,5}))?")
_LONGEST_USER: Final = 100


@dataclass(frozen=True)
class Visitor:
    """Who asks.

    Parameters
    ----------
    name
        What acts are signed with.
    may_act
        Whether they may do more than read.
    session
        A random text that is the same as long as the browser keeps its cookie; "" for a program.
    """

    name: str
    may_act: bool
    session: str = ""


@dataclass(frozen=True)
class Access:
    """Who may look.

    Parameters
    ----------
    local_user
        Who everybody is where nobody needs to say so: on this machine. None where a token is needed.
    hosts
        Names that the page is reached by, beside localhost and plain addresses.
    user_header, proxies
        The header in which a proxy says who asks, and the addresses that it is believed from.
    """

    local_user: str | None
    hosts: Collection[str] = ()
    user_header: str | None = None
    proxies: Collection[str] = ()

    def knows_host(self, header: str) -> bool:
        """Whether a `Host` header names this page.

        A plain address is always fine: an attack that points a name of its own at this machine cannot
        send one.

        Examples
        --------
        >>> access = Access("ann", hosts=["monitor.example.com"])
        >>> access.knows_host("localhost:8470"), access.knows_host("127.0.0.1")
        (True, True)
        >>> access.knows_host("evil.example"), access.knows_host("localhost@evil.example")
        (False, False)
        """
        match = _HOST.fullmatch(header)
        if match is None:
            return False
        name = match[1].lower().rstrip(".")
        return name == "localhost" or name in self.hosts or is_address(name)

    def proxied_user(self, client: str, header: str | None) -> str | None:
        """Whom a proxy names, if it is one that is believed."""
        if self.user_header is None or header is None or client not in self.proxies:
            return None
        is_name = header.strip() and header.isprintable() and len(header) <= _LONGEST_USER
        return header.strip() if is_name else None


def is_address(name: str) -> bool:
    """Whether a host is a plain IP address, and not a name that somebody may point anywhere."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach `host`.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Sessions:
    """Signed cookies; the key lives as long as the process, so that a restart ends all of them."""

    clock: Callable[[], float] = time.time
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def begin(self, user: str = "") -> str:
        """A cookie's value for `user`; "" for who needs no token."""
        until = int(self.clock()) + _SESSION_SECONDS
        text = f"{secrets.token_hex(16)}.{until}.{user.encode().hex()}"
        return f"{text}.{self._sign('session', text)}"

    def read(self, cookie: str) -> tuple[str, str] | None:
        """The session and the user of a cookie that `begin` made and that still holds, else None."""
        text, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign("session", text).encode()):
            return None
        session, until, user = text.split(".")
        if int(until) < self.clock():
            return None
        return session, bytes.fromhex(user).decode()

    def csrf(self, session: str) -> str:
        """What a page of this session must send with each act."""
        return self._sign("csrf", session)

    def is_csrf(self, session: str, sent: str) -> bool:
        """Whether `sent` is that."""
        return hmac.compare_digest(sent.encode(), self.csrf(session).encode())

    def _sign(self, purpose: str, text: str) -> str:
        message = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self.key, message, hashlib.sha256).hexdigest()


class RateLimit:
    """So many requests a minute for each visitor, with as many at once.

    Parameters
    ----------
    per_minute
        1 or more.
    clock
        Seconds that only grow.

    Examples
    --------
    >>> limit = RateLimit(2, clock=lambda: 0.0)
    >>> [limit.allows("ann"), limit.allows("ann"), limit.allows("ann"), limit.allows("bob")]
    [True, True, False, True]
    """

    _MOST_VISITORS: Final = 10_000

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def allows(self, who: str) -> bool:
        """Whether one more request of `who` is fine; counts it if so."""
        now = self._clock()
        with self._lock:
            left, at = self._left.pop(who, (float(self._per_minute), now))
            left = min(self._per_minute, left + (now - at) * self._per_minute / 60)
            # The oldest goes first: dictionaries keep their order, and who asks moves to the end.
            while len(self._left) >= self._MOST_VISITORS:
                del self._left[next(iter(self._left))]
            self._left[who] = (left - 1 if left >= 1 else left, now)
        return left >= 1
