"""Text that is safe to store and show: short, without credentials, queries and control codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import unquote, unquote_plus

LONGEST = 200
_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:)?([/\\]*)([^/\\?#]*)([^?#]*)(.*)", re.DOTALL)
_HOST = re.compile(r"(\[[^\]]*\]?|[^:]*)(:\d*)?")


def redact_url(url: str) -> str:
    """`url` without user name, password, query and fragment, cut to 200 characters.

    >>> redact_url("https://me:secret@example.com/a.jpg?token=abc#x")
    'https://example.com/a.jpg?…'
    """
    # Cut first: what follows is linear, but a cell can hold megabytes.
    url = url.strip()[: 10 * LONGEST]
    match = _PARTS.match(url)
    groups = match.groups("") if match else ("",) * 5
    scheme, slashes, authority, path, rest = groups
    if scheme.lower() == "data:":
        return "data:…"
    host = authority.rpartition("@")[2]
    if not _HOST.fullmatch(host):
        # What stands for a port is none: it may be a password, with a slash or without its "@".
        return f"{scheme}{slashes}…"
    return shorten(f"{scheme}{slashes}{host}{path}{'?…' if rest else ''}")


def shorten(text: str, longest: int = LONGEST) -> str:
    """`text` on one line with printable characters only, at most `longest` of them.

    >>> shorten("a\\nb" + "c" * 300, 10)
    'a bcccccc…'
    """
    line = "".join(c if c.isprintable() else " " for c in text[: 2 * longest])
    return line if len(line) <= longest else line[: longest - 1] + "…"


# In a message, whose author was not always us. Only what is worth looking at more closely.
_URL: Final = re.compile(r"(?:https?:/|[A-Za-z][A-Za-z0-9+.-]+://)[^\s'\"<>|]+")
_PASSWORD: Final = re.compile(
    r"(?i)\b(password|passwd|pwd|secret|token|api_?key|access_?key|signature|sig)(=|%3D)[^\s&'\",;)\]}]+"
)
_PUBLIC: Final = frozenset(
    {
        "http", "https", "ftp", "sftp", "s3", "gs", "gcs", "az", "abfs", "abfss", "adl", "hdfs",
        "hf", "memory", "github",
    }
)  # fmt: skip
"""Schemes whose hosts and paths say where, and hold no secret; of channels each part may."""
_DATABASES: Final = re.compile(r"(?i)(sqlite|postgres|mysql|mariadb|mssql|oracle)")
_HOOK: Final = re.compile(r"(?i)hook|/services/|bot[^/]*:")
_SECRET_NAME: Final = re.compile(r"(?i)pass|pw|secret|token|key|auth|cred|dsn|url")
_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_SHORTEST: Final = 3


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without passwords, tokens and queries, wherever in it they stand.

    Parameters
    ----------
    text
        A message, a traceback, the text of a file that is wrong.
    secrets
        Texts that are known to be secret, as from `secrets_in`.

    Examples
    --------
    >>> redacted("cannot connect to postgresql://me:pa@ss@db/shop?sslmode=require: no route")
    'cannot connect to postgresql://…@db/shop?… no route'
    >>> redacted("slack://TokenA/TokenB is not a key; see https://example.com/docs")
    'slack://… is not a key; see https://example.com/docs'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    return _PASSWORD.sub(r"\1\2…", _URL.sub(lambda url: _shown(url[0]), text))


def secrets_in(config: str, environment: Mapping[str, str]) -> frozenset[str]:
    """What is secret in the text of a config, whether it is well formed or not.

    Passwords, queries and the paths of channels' URLs in it, and the environment variables that these
    name, or whose own name says that they are secret.

    Examples
    --------
    >>> sorted(secrets_in("url: postgresql://${WHO}:${DB_PASSWORD}@db/shop", {"DB_PASSWORD": "hunter2"}))
    ['hunter2']
    """
    secrets = {
        environment[name].strip()
        for name in _VARIABLE.findall(config)
        if _SECRET_NAME.search(name) and name in environment
    }
    filled_in = _VARIABLE.sub(lambda name: environment.get(name[1], "").strip(), config)
    for url in _URL.findall(filled_in):
        secrets.update(_secret_parts(url))
    secrets.update(unquote(secret) for secret in tuple(secrets))
    return frozenset(secret for secret in secrets if len(secret) >= _SHORTEST)


def _shown(url: str) -> str:
    scheme, slashes, rest = re.split(r"(:/+)", url, maxsplit=1)
    if scheme.lower() == "file" or not rest:
        return url
    if scheme.lower() in _PUBLIC:
        return f"{scheme}{slashes}…" if _HOOK.search(rest) else redact_url(url)
    if not _DATABASES.match(scheme):
        return f"{scheme}{slashes}…"  # the path of a channel's URL is its token
    user, at, address = rest.rpartition("@")
    address, question, _ = address.partition("?")
    user = "…" if ":" in user else user
    return f"{scheme}{slashes}{user if at else ''}{at}{address}{'?…' if question else ''}"


def _secret_parts(url: str) -> Iterator[str]:
    scheme, _, rest = re.split(r"(:/+)", url, maxsplit=1)
    if scheme.lower() == "file":
        return
    address, _, query = rest.partition("?")
    for value in re.findall(r"=([^&#]+)", query):
        yield value
        yield unquote_plus(value)
    # A mark that should have been encoded ends a part for one reader and not for another.
    user, at, _ = (address if scheme.lower() in _PUBLIC else rest).rpartition("@")
    address = address.rpartition("@")[2]
    if at:
        password = user.partition(":")[2]
        yield password
        yield from (part for part in re.split(r"[@/#?:]", password) if len(part) > 4)
    if scheme.lower() in _PUBLIC:
        if _HOOK.search(rest):
            yield from (part for part in address.split("/")[1:] if len(part) > 6)
    elif not _DATABASES.match(scheme):
        yield address
        yield from (part for part in address.split("/") if len(part) > 6)
    elif ":" in (port := address.partition("/")[0]) and not port.rpartition(":")[2].isdigit():
        yield port.rpartition(":")[2]


_SECRET_PARAMETER: Final = re.compile(
    r"(?i)x-(amz|goog|oss|cos|obs|ms)-.*|q-(sign|ak|signature).*|sig|sas|pwd|pass|jwt|sid|policy|key-pair-id"
    r"|.*(token|secret|signature|passw|credential|api[-_]?key|access[-_]?key|access[-_]?id|session|hmac|auth).*"
)
"""Parameters of S3, Google, Azure, Alibaba, Tencent, Huawei and CloudFront, and what others call theirs."""
_DOUBTFUL_PARAMETER: Final = re.compile(
    r"(?i)key|k|s|h|oh|hm|md5|hash|st|e|hdnts|hdnea|ticket|code"
)
"""Sizes and versions have these names too, but they are short."""
_SHORTEST_SIGNATURE: Final = 16
_also: frozenset[str] = frozenset()


class SignedURL(str):
    """A URL without its signature, which is remembered as long as the process lives and never written.

    Parameters
    ----------
    url
        With the signature.
    """

    __slots__ = ("full",)
    full: str

    def __new__(cls, url: str) -> SignedURL:
        """What is left of `url`."""
        self = super().__new__(cls, _without_secrets(url))
        self.full = url
        return self


def unsigned(url: str) -> str:
    """`url` without what only who may read it should know; itself where there is no such thing.

    Examples
    --------
    >>> unsigned("https://b.example.com/a.jpg?w=300&X-Amz-Signature=0f1e&X-Amz-Date=2026")
    'https://b.example.com/a.jpg?w=300'
    >>> unsigned("photos/a.jpg?sig=none of a URL")
    'photos/a.jpg?sig=none of a URL'
    """
    if "?" not in url or "://" not in url:
        return url
    signed = SignedURL(url)
    return url if signed == url else signed


def full_url(url: str) -> str:
    """`url` with its signature, where this process knows it."""
    return url.full if isinstance(url, SignedURL) else url


def also_secret(parameters: Iterable[str]) -> None:
    """Take these parameters for secret too, from now on and everywhere in this process."""
    global _also
    _also |= {parameter.lower() for parameter in parameters}


def _without_secrets(url: str) -> str:
    address, _, rest = url.partition("?")
    query, mark, fragment = rest.partition("#")
    kept = [part for part in query.split("&") if not _is_secret(part)]
    return f"{address}{'?' if kept else ''}{'&'.join(kept)}{mark}{fragment}"


def _is_secret(part: str) -> bool:
    name, _, value = part.partition("=")
    if name.lower() in _also or _SECRET_PARAMETER.fullmatch(name):
        return True
    return len(value) >= _SHORTEST_SIGNATURE and _DOUBTFUL_PARAMETER.fullmatch(name) is not None
