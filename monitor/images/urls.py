"""A URL that may be asked, taken apart once, or the reason why it may not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from monitor.failures import Failure
from monitor.images.policy import SourcePolicy, split_host
from monitor.images.redact import redact_url

LONGEST_URL = 8_192
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_WEB_PORTS = tuple(_DEFAULT_PORTS.values())


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes. `host` is in lower case, without brackets and trailing dot."""

    url: str
    scheme: str
    host: str
    port: int
    may_be_private: bool

    @property
    def host_header(self) -> str:
        """The Host header: the port only when it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def scheme_of(text: str) -> str | None:
    """The scheme that `text` begins with, in lower case; None for a path.

    One letter is a drive and not a scheme.

    >>> scheme_of("HTTPS://example.com"), scheme_of("C:/a.jpg"), scheme_of("a.jpg")
    ('https', None, None)
    """
    match = _SCHEME.match(text)
    return match[1].lower() if match else None


def check_url(url: str, policy: SourcePolicy) -> Target | Failure:
    """The target of an http or https `url`, or why `policy` or its form does not allow it.

    >>> check_url("ftp://example.com/a.jpg", SourcePolicy()).detail
    'ftp; allowed: http, https, data'
    """
    if len(url) > LONGEST_URL:
        return Failure("url_too_long", f"{len(url):,} characters, at most {LONGEST_URL:,}")
    scheme = scheme_of(url)
    if scheme not in ("http", "https") or not policy.allows(scheme):
        allowed = ", ".join(policy.allowed_schemes)
        return Failure("scheme", f"{redact_url(scheme or 'none')}; allowed: {allowed}")
    if any(ord(c) <= 32 or ord(c) == 127 or c == "\\" for c in url):
        return Failure("invalid_url", f"space, control character or backslash: {redact_url(url)}")
    try:
        parts = parse_url(url)
    except (LocationParseError, ValueError):
        return Failure("invalid_url", redact_url(url))
    # Not `parts.auth`: urllib3 drops an empty one.
    authority = url.partition("//")[2]
    if "@" in re.split(r"[/?#]", authority, maxsplit=1)[0]:
        return Failure("userinfo", redact_url(url))
    host = (parts.host or "").strip("[]").rstrip(".").lower()
    port = _DEFAULT_PORTS[scheme] if parts.port is None else parts.port
    if not host or not 1 <= port <= 65_535:
        return Failure("invalid_url", redact_url(url))
    if policy.hosts is not None and not _named_ports(host, policy):
        return Failure("host", f"{host}; allowed: {', '.join(policy.hosts)}"[:200])
    # The fragment never leaves this machine.
    sent = parts._replace(fragment=None).url
    return Target(sent, scheme, host, port, may_be_private=policy.allow_private)


def redirect_url(url: str, location: str) -> str | Failure:
    """Where `location` in an answer to `url` points."""
    try:
        # http.client reads headers as Latin-1, and what servers mean is UTF-8.
        readable = location.encode("latin-1").decode("utf-8", "replace")
        return urljoin(url, readable.strip())
    except ValueError:
        return Failure("invalid_url", f"redirect from {redact_url(url)} to no valid URL")


def check_port(target: Target, policy: SourcePolicy) -> Failure | None:
    """Why `policy` does not allow the port of `target`, or None where it does.

    Asked once the host's addresses are known, so that a forbidden address is named as that.

    >>> check_port(check_url("http://example.com:8080/a.jpg", SourcePolicy()), SourcePolicy()).detail
    'port 8080; allowed: 80, 443'
    """
    mine = _named_ports(target.host, policy)
    is_shared = policy.hosts is None or None in mine
    shared = policy.ports or (() if policy.allow_private else _WEB_PORTS)
    is_any = is_shared and policy.ports is None and policy.allow_private
    if is_any or target.port in mine or (is_shared and target.port in shared):
        return None
    allowed = [*sorted(p for p in mine if p is not None), *(shared if is_shared else ())]
    return Failure("port", f"port {target.port}; allowed: {', '.join(map(str, allowed))}")


def _named_ports(host: str, policy: SourcePolicy) -> list[int | None]:
    """The ports of the entries of `policy.hosts` that name `host`; None for an entry without one."""
    named = [split_host(entry) for entry in policy.hosts or ()]
    return [port for name, port in named if _matches(host, name)]


def _matches(host: str, name: str) -> bool:
    if name.startswith("*."):
        return host.endswith(name[1:]) and len(host) > len(name) - 1
    return host == name


def file_path(uri: str) -> str | Failure:
    """The path of a `file:` URI of this machine.

    >>> file_path("file:///a%20b.jpg")
    '/a b.jpg'
    """
    from urllib.request import url2pathname

    try:
        parts = urlsplit(uri)
    except ValueError:
        return Failure("invalid_url", "a file: URI that cannot be read")
    if parts.netloc.lower() not in ("", "localhost"):
        return Failure("invalid_url", "a file: URI of another machine")
    return url2pathname(parts.path)
