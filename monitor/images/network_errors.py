"""The reason behind an exception of requests, urllib3, http.client, ssl or socket."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.client import HTTPException, IncompleteRead, RemoteDisconnected

import requests
import urllib3.exceptions
from requests_hardened.ip_filter import InvalidIPAddress

from monitor.failures import Failure

CAUGHT = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    HTTPException,
    OSError,
    ValueError,
)
"""What a request that goes wrong can raise; `explain` tells all of it apart."""

# The first that fits decides, so the narrow ones come first: RemoteDisconnected is an OSError and
# an HTTPException at once, a time-out during TLS is an OSError.
_KINDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str, str], ...] = (
    (InvalidIPAddress, "blocked_address", "the host's address is not public"),
    (
        (IncompleteRead, urllib3.exceptions.IncompleteRead),
        "short_body",
        "the connection ended within the body",
    ),
    (
        (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError, RemoteDisconnected),
        "network",
        "the connection was refused or broke off",
    ),
    (TimeoutError, "network", "the connection took too long"),
    (ssl.SSLCertVerificationError, "tls", "the certificate does not hold for this host"),
    (
        (ssl.SSLError, urllib3.exceptions.SSLError),
        "tls",
        "the secure connection could not be made",
    ),
    (
        (HTTPException, urllib3.exceptions.InvalidHeader),
        "protocol",
        "the answer is not proper HTTP",
    ),
    (
        (urllib3.exceptions.LocationParseError, requests.exceptions.InvalidURL),
        "invalid_url",
        "the URL cannot be sent",
    ),
    (urllib3.exceptions.ConnectTimeoutError, "network", "the connection took too long"),
    (OSError, "network", "the connection failed"),
)


def explain(error: BaseException) -> Failure:
    """The Failure of `error`. Its own text is not quoted: it holds the URL, query and all.

    >>> explain(requests.ConnectionError(ConnectionResetError(104, "reset"))).reason
    'network'
    """
    chain = list(_chain(error))
    # requests' own exceptions are all OSErrors: they say nothing about what happened below.
    below = [e for e in chain if not isinstance(e, requests.ConnectionError | requests.Timeout)]
    for kinds, reason, detail in _KINDS:
        for cause in below:
            if isinstance(cause, kinds):
                return Failure(reason, f"{detail} ({type(cause).__name__})")
    if any("ended prematurely" in str(e) for e in below):
        return Failure("short_body", "the connection ended within the body")
    return Failure("network", f"the connection failed ({type(error).__name__})")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and every exception that it carries: as cause, context, argument or reason."""
    visited: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        link = waiting.pop(0)
        if not isinstance(link, BaseException) or id(link) in visited:
            continue
        visited.add(id(link))
        yield link
        waiting += [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]
