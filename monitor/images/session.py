"""HTTP connections to checked addresses only, kept alive, each under its fetch's deadline."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests_hardened.ip_filter import filter_host
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from monitor.images.addresses import Endpoint
from monitor.images.deadline import Deadline, current_deadline, watch
from monitor.images.dialling import Dialled, dial, interleaved
from monitor.images.policy import SourcePolicy
from monitor.images.urls import Target
from monitor.redaction import redact_url

# Hosts whose idle connections are kept; an image column rarely names more at a time.
_N_HOSTS_KEPT = 64


# A name of HTTP/2 that no HTTP/1 header can have.
_PATH = ":path"
_N_ADDRESSES_REMEMBERED = 4_096
_DIALS = threading.local()


class PinnedRequest(requests.PreparedRequest):
    """A request with the address that it goes to, beside the host that it names."""

    def __init__(self, target: Target, endpoint: Endpoint, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.target = target
        self.endpoint = endpoint
        # Not `prepare`, which takes the URL apart once more and looks for what we never send: a body,
        # cookies, a password. The target was checked, and the headers are ours.
        self.method = "GET"
        # requests and urllib3 both rewrite percent-encodings, which breaks signed URLs: they see a bare
        # host, and the connection is told the path by a header that it keeps to itself.
        self.url = f"{target.scheme}://{target.host_header}/"
        self.headers = CaseInsensitiveDict(headers)
        self.headers["Host"] = target.host_header
        self.headers[_PATH] = target.path

    @property
    def at_address(self) -> requests.PreparedRequest:
        """The request with the address in the place of the host."""
        at = self.copy()
        address = self.endpoint.address
        literal = f"[{address}]" if ":" in address else address
        at.url = f"{self.target.scheme}://{literal}:{self.target.port}/"
        return at

    def copy(self) -> requests.PreparedRequest:
        plain = requests.PreparedRequest()
        plain.method, plain.url, plain.headers = self.method, self.url, self.headers.copy()
        return plain


class PinnedAdapter(IPFilterAdapter):  # type: ignore[misc]  # requests-hardened has no types
    """requests-hardened's adapter, told which address to dial.

    Left alone it looks the name up itself, without a time limit and in one piece with its check.
    Given a URL whose host is an address, it has nothing to look up and checks that address against
    its own list: a second opinion on each public address. Addresses that the policy allows although
    they are private do not get past it, so they go by the adapter below.
    """

    def __init__(self, *, is_https_proto: bool, max_connections: int) -> None:
        self._max_connections = max_connections
        super().__init__(is_https_proto=is_https_proto)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make pools whose connections the deadline can cut."""
        HTTPAdapter.init_poolmanager(self, _N_HOSTS_KEPT, self._max_connections)
        pools = {"http": _WatchedPool, "https": _WatchedSecurePool}
        self.poolmanager.pool_classes_by_scheme = pools

    def build_connection_pool_key_attributes(
        self, request: PinnedRequest, verify: bool | str, cert: Any = None
    ) -> tuple[Any, Any]:
        """Dial the pinned address, and check the certificate against the host that was named."""
        below = HTTPAdapter if request.endpoint.is_private else IPFilterAdapter
        pool: Any
        options: Any
        pool, options = below.build_connection_pool_key_attributes(
            self, request.at_address, verify, cert
        )
        if request.target.scheme == "https":
            options["assert_hostname"] = options["server_hostname"] = request.target.host
        return pool, options

    def build_response(self, req: PinnedRequest, resp: Any) -> requests.Response:
        """What we read of an answer: no cookies, and no encoding of a text."""
        response = requests.Response()
        response.status_code = resp.status
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw, response.reason, response.url = resp, resp.reason, req.url or ""
        return response


class _AnotherAnswered(Exception):
    """Another of the host's addresses was faster than the one that this connection is for."""

    def __init__(self, dialled: Dialled) -> None:
        super().__init__(dialled.address)
        self.dialled = dialled


class _FinalResponse(http.client.HTTPResponse):
    """An answer whose announcements (103 Early Hints, 102 Processing, 100 Continue) are passed over."""

    def _read_status(self) -> tuple[str, int, str]:
        # As http.client does for 100 alone; the deadline ends a flood of them.
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            # 101 is no announcement: what follows is another protocol.
            if not 100 <= status < 200 or status == 101:
                return version, status, reason
            http.client.parse_headers(self.fp)


class _Watched(HTTPConnection):
    """A connection that puts itself under the deadline of the fetch that uses it."""

    response_class = _FinalResponse

    def _new_conn(self) -> socket.socket:
        # Not urllib3's own, which knows one address and cannot be interrupted while it connects.
        deadline = current_deadline()
        address = self.host.strip("[]")
        dialled: Dialled | None = getattr(_DIALS, "dialled", None)
        _DIALS.dialled = None
        try:
            if dialled is None:
                dialled = dial(
                    getattr(_DIALS, "addresses", None) or [address],
                    self.port,
                    timeout=float(self.timeout or 0),
                    is_over=lambda: deadline is not None and deadline.has_passed,
                )
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "took too long") from error
        except OSError as error:
            raise NewConnectionError(self, "failed") from error
        if dialled.address != address:
            raise _AnotherAnswered(dialled)
        dialled.connection.settimeout(self.timeout)
        watch(dialled.connection)
        return dialled.connection

    def request(self, method: str, url: str, *args: Any, **options: Any) -> None:
        if self.sock is not None:
            watch(self.sock)
        options["headers"] = dict(options["headers"])
        super().request(method, options["headers"].pop(_PATH), *args, **options)

    def getresponse(self) -> Any:
        # urllib3 logs this URL, query and all, when the headers are malformed.
        if self._response_options is not None:
            shown = redact_url(self._response_options.request_url)
            self._response_options = self._response_options._replace(request_url=shown)
        return super().getresponse()


class _WatchedSecure(_Watched, HTTPSConnection):
    """The same over TLS."""


class _WatchedPool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _WatchedSecurePool(HTTPSConnectionPool):
    ConnectionCls = _WatchedSecure


class Session:
    """Sends one GET to one host. Thread-safe; connections are kept alive and shared.

    It sits on the adapters alone, without `requests.Session`: so there are no cookies, no .netrc,
    no proxies from the environment, no Referer, and nobody reads the body of a redirect.
    """

    def __init__(self, policy: SourcePolicy, authorities: str | bool) -> None:
        self._connect_timeout = policy.connect_timeout_seconds
        self._verify = authorities
        self._answered: dict[str, str] = {}
        self._headers = {
            "User-Agent": policy.user_agent,
            "Accept": "image/*,*/*;q=0.5",
            "Accept-Encoding": "identity",
        }
        self._adapters = {
            scheme: PinnedAdapter(
                is_https_proto=scheme == "https", max_connections=policy.max_connections_per_host
            )
            for scheme in ("http", "https")
        }

    def get(
        self,
        target: Target,
        endpoints: Sequence[Endpoint],
        deadline: Deadline,
        conditions: Mapping[str, str],
    ) -> requests.Response:
        """The answer of the first address that answers, its headers read and its body not; close it.

        Parameters
        ----------
        target
            What to ask for.
        endpoints
            The host's addresses, checked, in the order of preference.
        deadline
            Cuts the connection.
        conditions
            Headers that ask for changed bytes only.
        """
        headers = {**self._headers, **conditions}
        by_address = {endpoint.address: endpoint for endpoint in endpoints}
        if len(by_address) == 1:
            return self._send(PinnedRequest(target, endpoints[0], headers), deadline)
        for endpoint in endpoints:
            if not endpoint.is_private:
                # As the adapter does for the one address that it knows.
                filter_host(endpoint.address, target.port, allow_loopback=False)
        addresses = self._in_order(target.host, list(by_address))
        try:
            _DIALS.addresses = addresses
            request = PinnedRequest(target, by_address[addresses[0]], headers)
            try:
                response = self._send(request, deadline)
            except _AnotherAnswered as other:
                _DIALS.dialled = other.dialled
                request = PinnedRequest(target, by_address[other.dialled.address], headers)
                response = self._send(request, deadline)
        finally:
            _forget_dials()
        self._remember(target.host, request.endpoint.address)
        return response

    def _send(self, request: PinnedRequest, deadline: Deadline) -> requests.Response:
        # The deadline itself cuts the connection; the read timeout only stands behind it.
        timeout = (self._connect_timeout, deadline.remaining + 1.0)
        response: requests.Response = self._adapters[request.target.scheme].send(
            request,
            stream=True,
            timeout=timeout,
            verify=self._verify,
            proxies={},
        )
        return response

    def _in_order(self, host: str, addresses: list[str]) -> list[str]:
        """`addresses` with the one ahead that answered last time, where its connections are kept."""
        answered = self._answered.get(host)
        ordered = interleaved(addresses)
        return sorted(ordered, key=lambda address: address != answered)

    def _remember(self, host: str, address: str) -> None:
        if len(self._answered) >= _N_ADDRESSES_REMEMBERED:
            self._answered.clear()
        self._answered[host] = address

    def close(self) -> None:
        """Close the idle connections."""
        for adapter in self._adapters.values():
            adapter.close()


def _forget_dials() -> None:
    """Leave no address to the thread's next fetch, and close a connection that nobody took."""
    unused: Dialled | None = getattr(_DIALS, "dialled", None)
    if unused is not None:
        unused.connection.close()
    _DIALS.dialled = _DIALS.addresses = None
