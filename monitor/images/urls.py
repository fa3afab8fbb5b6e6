"""A URL that may be asked, taken apart once, or the reason why it may not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from monitor.failures import Failure
from monitor.images.checked_policy import split_host
from monitor.redaction import redact_url

if TYPE_CHECKING:
    from monitor.images.policy import SourcePolicy

LONGEST_URL = 8_192
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_AFTER_SCHEME = re.compile(r"(/*)([^/?]*)(.*)", re.DOTALL)
# Neither printable ASCII nor the start of two hex digits; and what the URL standard encodes in a path
# or query, since many servers refuse it.
_UNSENDABLE = re.compile(r"""[^!-~]+|%(?![0-9A-Fa-f]{2})|["<>`{|}^]""")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_WEB_PORTS = tuple(_DEFAULT_PORTS.values())


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes.

    Parameters
    ----------
    scheme, host, port
        `host` is in lower case, in ASCII (IDNA), without brackets and trailing dot.
    path
        Path and query, as they are sent.
    may_be_private
        Whether loopback and private addresses are allowed.
    """

    scheme: str
    host: str
    port: int
    path: str
    may_be_private: bool

    @property
    def host_header(self) -> str:
        """The Host header: the port only when it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.scheme}://{self.host_header}{self.path}"


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

    >>> from monitor.images import SourcePolicy
    >>> check_url("ftp://example.com/a.jpg", SourcePolicy()).detail
    'ftp; allowed: http, https, data'
    """
    if len(url) > LONGEST_URL:
        return Failure("url_too_long", f"{len(url):,} characters, at most {LONGEST_URL:,}")
    scheme = scheme_of(url)
    if scheme not in ("http", "https") or not policy.allows(scheme):
        allowed = ", ".join(policy.allowed_schemes)
        return Failure("scheme", f"{redact_url(scheme or 'none')}; allowed: {allowed}")
    if any(ord(c) < 32 or ord(c) == 127 or c == "\\" for c in url):
        return Failure("invalid_url", f"control character or backslash: {redact_url(url)}")
    slashes, authority, tail = _parts(url[len(scheme) + 1 :])
    # Here, since who only asks for the scheme of a cell needs no client.
    from urllib3.util import parse_url

    try:
        if " " in authority:
            raise ValueError("a space within the host")
        path = sendable_path(tail)
        parts = parse_url(f"{scheme}:{slashes}{authority}")
    except ValueError:  # urllib3's own is one, too
        return Failure("invalid_url", redact_url(url))
    # Not `parts.auth`: urllib3 drops an empty one.
    if "@" in authority:
        return Failure("userinfo", redact_url(url))
    host = (parts.host or "").strip("[]").rstrip(".").lower()
    port = _DEFAULT_PORTS[scheme] if parts.port is None else parts.port
    if not host or not 1 <= port <= 65_535:
        return Failure("invalid_url", redact_url(url))
    if policy.hosts is not None and not _named_ports(host, policy):
        return Failure("host", f"{host}; allowed: {', '.join(policy.hosts)}"[:200])
    return Target(scheme, host, port, path, may_be_private=policy.allow_private)


def _parts(text: str) -> tuple[str, str, str]:
    """Slashes, authority, and path with query, of what follows a scheme.

    The fragment never leaves this machine.
    """
    match = _AFTER_SCHEME.match(text.partition("#")[0])
    return (match[1], match[2], match[3]) if match else ("", "", "")


def sendable_path(text: str) -> str:
    """Path and query as HTTP sends them: what is percent-encoded already stays as it is.

    What a request line cannot hold, or servers refuse, is encoded as UTF-8, a percent sign that encodes
    nothing too. Dot segments are resolved as browsers do (RFC 3986, section 5.2.4).

    Raises
    ------
    UnicodeEncodeError
        If `text` holds half of a surrogate pair.

    >>> sendable_path("/My Photo%e4.jpg?sig=a%2fb"), sendable_path("?q"), sendable_path("/100%.jpg")
    ('/My%20Photo%e4.jpg?sig=a%2fb', '/?q', '/100%25.jpg')
    """
    path, mark, query = text.partition("?")
    if "/." in path:
        path = _without_dots(path)
    if not path.startswith("/"):
        path = f"/{path}"
    return _UNSENDABLE.sub(lambda match: quote(match[0], safe=""), path + mark + query)


def _without_dots(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    is_folder = segments[-1] in (".", "..")
    return "/" + "/".join([*kept, ""] if is_folder else kept)


def redirect_url(url: str, location: str) -> str | Failure:
    """Where `location` in an answer to `url` points."""
    try:
        return urljoin(url, _readable(location).strip())
    except ValueError:
        return Failure("invalid_url", f"redirect from {redact_url(url)} to no valid URL")


def _readable(location: str) -> str:
    # http.client reads headers as Latin-1. What servers mean is UTF-8, else these very bytes.
    sent = location.encode("latin-1")
    try:
        return sent.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(chr(byte) if byte < 128 else f"%{byte:02X}" for byte in sent)


def check_port(target: Target, policy: SourcePolicy) -> Failure | None:
    """Why `policy` does not allow the port of `target`, or None where it does.

    Asked once the host's addresses are known, so that a forbidden address is named as that.

    >>> from monitor.images import SourcePolicy
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
