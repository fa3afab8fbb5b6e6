"""A connection to the first of a host's addresses that answers (RFC 8305, "happy eyeballs")."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import cast

_ATTEMPT_DELAY_SECONDS = 0.25  # RFC 8305, section 5
# How long a cancellation may go unnoticed.
_TICK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Dialled:
    """A connected socket, and the address that it is connected to."""

    address: str
    connection: socket.socket


def interleaved(addresses: Sequence[str]) -> list[str]:
    """`addresses` with the families in turn, since it is mostly a whole family that is dead.

    >>> interleaved(["2606:4700::1", "2606:4700::2", "1.1.1.1"])
    ['2606:4700::1', '1.1.1.1', '2606:4700::2']
    """
    first = [address for address in addresses if (":" in address) == (":" in addresses[0])]
    second = [address for address in addresses if address not in first]
    pairs = chain.from_iterable(zip_longest(first, second))
    return [address for address in pairs if address is not None]


def dial(
    addresses: Sequence[str], port: int, *, timeout: float, is_over: Callable[[], bool]
) -> Dialled:
    """Connect to the first address that answers, in blocking mode; the other attempts are dropped.

    Each address gets a head start of 250 ms on the next one, less if it refuses, and `timeout` seconds.

    Parameters
    ----------
    addresses
        Numeric, checked, in the order of preference.
    port
        The port at each of them.
    timeout
        Seconds for each attempt.
    is_over
        Whether to give up; asked every 50 ms.

    Raises
    ------
    OSError
        What the last attempt met, if none succeeds; TimeoutError if time ran out.
    """
    with selectors.DefaultSelector() as selector:
        race = _Race(selector, port, timeout)
        try:
            for address in addresses:
                race.start(address)
                head_start = time.monotonic() + _ATTEMPT_DELAY_SECONDS
                while race.has_runners and time.monotonic() < head_start and not is_over():
                    if winner := race.wait(head_start):
                        return winner
            while race.has_runners and not is_over():
                if winner := race.wait(time.monotonic() + _TICK_SECONDS):
                    return winner
            raise TimeoutError("given up") if is_over() else race.fault
        finally:
            race.drop()


@dataclass(slots=True)
class _Race:
    """The attempts under way."""

    selector: selectors.BaseSelector
    port: int
    timeout: float
    fault: OSError = field(default_factory=TimeoutError)
    _ends: dict[socket.socket, float] = field(default_factory=dict)

    @property
    def has_runners(self) -> bool:
        """Whether any attempt is under way."""
        return bool(self.selector.get_map())

    def start(self, address: str) -> None:
        """Begin to connect to `address`."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            connection = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # a machine without IPv6
            self.fault = error
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        self._ends[connection] = time.monotonic() + self.timeout
        self.selector.register(connection, selectors.EVENT_WRITE, address)
        try:
            connection.connect((address, self.port))
        except BlockingIOError:
            pass
        except OSError as error:
            self._give_up(connection, error)

    def wait(self, until: float) -> Dialled | None:
        """The first that is connected; None if there is none by `until`, or within 50 ms."""
        now = time.monotonic()
        for connection, ends in list(self._ends.items()):
            if now >= ends:
                self._give_up(connection, TimeoutError("the connection took too long"))
        for key, _ in self.selector.select(max(0.0, min(until - now, _TICK_SECONDS))):
            connection, address = cast(socket.socket, key.fileobj), key.data
            if code := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._give_up(connection, OSError(code, os.strerror(code)))
                continue
            del self._ends[connection]
            self.selector.unregister(connection)
            connection.setblocking(True)
            return Dialled(address, connection)
        return None

    def drop(self) -> None:
        """Close the attempts that are under way still."""
        for connection in list(self._ends):
            self._give_up(connection, OSError(errno.ECANCELED, "another was faster"))

    def _give_up(self, connection: socket.socket, fault: OSError) -> None:
        del self._ends[connection]
        self.selector.unregister(connection)
        connection.close()
        self.fault = fault
