"""HTTP connections to checked addresses only, kept alive, each under its fetch's deadline."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from monitor.errors import PolicyError
from monitor.images.addresses import Endpoint
from monitor.images.deadline import Deadline, watch
from monitor.images.policy import SourcePolicy
from monitor.images.redact import redact_url
from monitor.images.urls import Target

# Hosts whose idle connections are kept; an image column rarely names more at a time.
_N_HOSTS_KEPT = 64


class PinnedRequest(requests.PreparedRequest):
    """A request with the address that it goes to, beside the host that it names."""

    def __init__(self, target: Target, endpoint: Endpoint, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.target = target
        self.endpoint = endpoint
        self.prepare(method="GET", url=target.url, headers=headers)
        self.headers["Host"] = target.host_header

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


class _Watched(HTTPConnection):
    """A connection that puts itself under the deadline of the fetch that uses it."""

    def _new_conn(self) -> socket.socket:
        # Not urllib3's own, which hands the socket out once it is connected: that too is a wait that
        # someone may want to end. The host is an address here, so there is nothing to look up.
        host = self.host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            for option in self.socket_options or ():
                connection.setsockopt(*option)
            connection.settimeout(self.timeout)
            watch(connection)
            connection.connect((host, self.port))
            # Again: before it was connected it may have been shut without effect.
            watch(connection)
        except TimeoutError as error:
            connection.close()
            raise ConnectTimeoutError(self, "took too long") from error
        except OSError as error:
            connection.close()
            raise NewConnectionError(self, "failed") from error
        return connection

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is not None:
            watch(self.sock)
        super().request(*args, **options)

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
    """Sends one GET to one address. Thread-safe; connections are kept alive and shared.

    It sits on the adapters alone, without `requests.Session`: so there are no cookies, no .netrc,
    no proxies from the environment, no Referer, and nobody reads the body of a redirect.
    """

    def __init__(self, policy: SourcePolicy) -> None:
        self._connect_timeout = policy.connect_timeout_seconds
        self._verify = _ca_bundle(policy)
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
        endpoint: Endpoint,
        deadline: Deadline,
        conditions: Mapping[str, str],
    ) -> requests.Response:
        """The answer with its headers read and its body not; close it."""
        # The deadline itself cuts the connection; the read timeout only stands behind it.
        read_timeout = deadline.remaining + 1.0
        connect_timeout = max(0.001, min(self._connect_timeout, deadline.remaining))
        request = PinnedRequest(target, endpoint, {**self._headers, **conditions})
        response: requests.Response = self._adapters[target.scheme].send(
            request,
            stream=True,
            timeout=(connect_timeout, read_timeout),
            verify=self._verify,
            proxies={},
        )
        return response

    def close(self) -> None:
        """Close the idle connections."""
        for adapter in self._adapters.values():
            adapter.close()


def _ca_bundle(policy: SourcePolicy) -> str | bool:
    """The certificate authorities of the policy, else of the environment, else certifi's."""
    named = [policy.ca_bundle, *map(os.environ.get, ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"))]
    bundle = next((path for path in named if path), None)
    if bundle is None:
        return True
    if not os.path.exists(bundle):
        raise PolicyError(
            f"ca_bundle {bundle!r} does not exist: name a file or folder of certificate "
            "authorities, or leave it null for certifi's"
        )
    return bundle
