"""URLs, by a client that is loaded for the first of them: where there is none, a process starts sooner."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from monitor.errors import PolicyError

if TYPE_CHECKING:
    from monitor.failures import Failure
    from monitor.images.cancellation import Cancellation
    from monitor.images.fetch import HTTPFetcher
    from monitor.images.policy import SourcePolicy
    from monitor.images.raw import RawImage, Unchanged, Version


class Web:
    """Fetches over HTTP as a policy allows, until it is cancelled. Thread-safe; `close` it.

    Raises
    ------
    PolicyError
        If the certificate authorities are not there.
    """

    def __init__(self, policy: SourcePolicy, cancellation: Cancellation) -> None:
        self._policy = policy
        self._cancellation = cancellation
        self._authorities = authorities_of(policy)
        self._fetcher: HTTPFetcher | None = None
        self._lock = threading.Lock()

    def fetch(self, url: str, known: Version | None = None) -> RawImage | Unchanged | Failure:
        """See `HTTPFetcher.fetch`."""
        return self.fetcher().fetch(url, known)

    def fetcher(self) -> HTTPFetcher:
        """The client, made for the first who asks."""
        with self._lock:
            if self._fetcher is None:
                from monitor.images.fetch import HTTPFetcher

                self._fetcher = HTTPFetcher(self._policy, self._cancellation, self._authorities)
            return self._fetcher

    def close(self) -> None:
        """Close the idle connections."""
        if self._fetcher is not None:
            self._fetcher.close()


def authorities_of(policy: SourcePolicy) -> str | bool:
    """The certificate authorities of the policy, else of the environment; True for certifi's.

    Raises
    ------
    PolicyError
        If they are not there.

    Examples
    --------
    >>> from monitor.images import SourcePolicy
    >>> authorities_of(SourcePolicy(ca_bundle="nowhere.pem"))
    Traceback (most recent call last):
    ...
    monitor.errors.PolicyError: ca_bundle 'nowhere.pem' does not exist: name a file or folder...
    """
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
