"""Which addresses may be dialled, and the one look-up of a host's name."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from dataclasses import dataclass

from monitor.failures import Failure
from monitor.images.cancellation import Cancellation, ask

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NOT_PUBLIC = tuple(
    ipaddress.ip_network(block)
    for block in (
        # Not every Python knows that these are not global; see the IANA special-purpose registries.
        "0.0.0.0/8",  # this network
        "100.64.0.0/10",  # carrier-grade NAT; 100.100.100.200 is a cloud's metadata service
        "168.63.129.16/32",  # a cloud's host agent, in the middle of public space
        "192.0.0.0/24",  # IETF protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # Teredo, ORCHID, benchmarking
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: any IPv4 address in disguise
        "3fff::/20",  # documentation
    )
)
# All unicast IPv6 that has been assigned. What lies outside needs no list of its own: ::/96 and
# ::ffff:0:0/96 (IPv4 in disguise), 64:ff9b::/96 (NAT64), fc00::/7, fe80::/10, fec0::/10, ff00::/8.
_GLOBAL_UNICAST_6 = ipaddress.ip_network("2000::/3")

_PRIVATE = tuple(
    ipaddress.ip_network(block)
    for block in (
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
    )
)
_METADATA = ipaddress.ip_address("fd00:ec2::254")  # a cloud's metadata service in private space


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that was checked and may be dialled."""

    address: str
    is_private: bool


def is_public(address: Address) -> bool:
    """Whether `address` is one of the public internet's, unicast and not IPv4 in disguise.

    >>> [is_public(ipaddress.ip_address(a)) for a in ("1.1.1.1", "169.254.169.254", "::127.0.0.1")]
    [True, False, False]
    """
    if address.version == 6 and address not in _GLOBAL_UNICAST_6:
        return False
    if not address.is_global:
        return False
    return not any(address.version == block.version and address in block for block in _NOT_PUBLIC)


def is_private(address: Address) -> bool:
    """Whether `address` is loopback or of a private network, which a policy can allow.

    Link-local and metadata addresses are neither public nor private here: nothing allows them.

    >>> [is_private(ipaddress.ip_address(a)) for a in ("10.0.0.1", "::1", "169.254.169.254")]
    [True, True, False]
    """
    if address == _METADATA:
        return False
    return any(address.version == block.version and address in block for block in _PRIVATE)


def resolve(
    host: str, port: int, *, allow_private: bool, timeout: float, cancellation: Cancellation
) -> tuple[Endpoint, ...] | Failure:
    """The addresses of `host`, looked up once, in the order the system prefers them.

    If one of them may not be dialled, none is: a name with a public and a private address is how
    rebinding begins, and which of them would be dialled should not hang on the order of an answer.
    """
    addresses = _look_up(host, port, timeout, cancellation)
    if isinstance(addresses, Failure):
        return addresses
    endpoints = []
    for text in dict.fromkeys(addresses):
        address = ipaddress.ip_address(text)
        if is_public(address):
            endpoints.append(Endpoint(str(address), is_private=False))
        elif allow_private and is_private(address):
            endpoints.append(Endpoint(str(address), is_private=True))
        else:
            shown = host if host == text else f"{host} ({address})"
            return Failure("blocked_address", f"{shown} is no public address")
    return tuple(endpoints)


def _look_up(
    host: str, port: int, timeout: float, cancellation: Cancellation
) -> list[str] | Failure:
    def question() -> list[str] | Failure:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            families = (socket.AF_INET, socket.AF_INET6)
            texts = [str(address[0]) for family, *_, address in answers if family in families]
            return texts or Failure("dns", f"{host} has no address")
        except (OSError, UnicodeError):
            return Failure("dns", f"{host} cannot be resolved")

    with suppress(ValueError):
        # A number is its own answer; one with a zone, or in an older spelling, is the resolver's.
        return [str(ipaddress.ip_address("" if "%" in host else host))]
    # The system's resolver cannot be interrupted.
    addresses = ask(question, name="monitor-resolve", seconds=timeout, cancellation=cancellation)
    return addresses or Failure("deadline", f"{host} could not be resolved in time")
