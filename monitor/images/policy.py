"""What may be fetched, from where, and how much of it."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from monitor.errors import PolicyError
from monitor.images.checked_policy import OBJECT_STORES, SCHEMES, is_allowed, split_host
from monitor.redaction import also_secret
from monitor.validation import explained

Scheme = Literal["http", "https", "data", "file", "s3", "gs", "az"]

Port = Annotated[int, Field(ge=1, le=65_535)]
Shade = Annotated[int, Field(ge=0, le=255)]


class SourcePolicy(BaseModel):
    """What an `ImageReader` may fetch and decode; frozen, keyword only.

    The default is meant for columns that strangers wrote: images from public web hosts and `data:`
    URIs, nothing from this machine or its private network.

    Raises
    ------
    PolicyError
        If a value is out of range or two of them contradict each other; the message says how to go
        on.

    Examples
    --------
    >>> SourcePolicy().schemes
    ('http', 'https', 'data')
    >>> SourcePolicy(hosts=["127.0.0.1:8123"], allow_private=True).hosts
    ('127.0.0.1:8123',)
    >>> SourcePolicy(schemes=["s3"])
    Traceback (most recent call last):
    ...
    monitor.errors.PolicyError: schemes names s3 but buckets is empty, so nothing could be read:
    name the buckets...
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schemes: tuple[Scheme, ...] = Field(
        default=("http", "https", "data"),
        min_length=1,
        description="Where images may come from. 'data' covers data: URIs and bare base64; 'file' "
        "needs roots; 's3', 'gs' and 'az' need buckets.",
    )
    hosts: tuple[str, ...] | None = Field(
        default=None,
        description="Hosts that may be asked: 'example.com', 'example.com:8080' (that port only) "
        "or '*.example.com' (its subdomains); names in any script. Null allows every host with a public "
        "address.",
    )
    ports: tuple[Port, ...] | None = Field(
        default=None,
        min_length=1,
        description="Ports that may be asked, besides those named in hosts. Null allows 80 and 443, "
        "and with allow_private every port, because services inside a network stand on any.",
    )
    allow_private: bool = Field(
        default=False,
        description="Allow loopback and private addresses: of the named hosts, or of every host "
        "when hosts is null. Link-local and cloud metadata addresses stay blocked.",
    )
    roots: tuple[str, ...] = Field(
        default=(),
        description="Folders under which local paths and file: URIs may be read. Empty reads none.",
    )
    buckets: tuple[str, ...] = Field(
        default=(), description="Buckets (containers) that may be read through s3, gs or az."
    )
    max_bytes: int = Field(
        default=20_000_000, gt=0, description="Most bytes that one encoded image may have."
    )
    max_pixels: int = Field(
        default=50_000_000, gt=0, description="Most pixels (width times height) of one image."
    )
    max_decode_bytes: int = Field(
        default=1_000_000_000,
        gt=0,
        description="Most bytes of memory that all images that are decoded at the same time take. What "
        "takes more alone is refused; the others wait for each other.",
    )
    min_side: int = Field(
        default=2, gt=0, description="Fewest pixels along the shorter side of an image."
    )
    max_aspect_ratio: float = Field(
        default=500.0,
        ge=1,
        allow_inf_nan=False,
        description="Most that the longer side may be of the shorter; more is too small.",
    )
    deadline_seconds: float = Field(
        default=30.0,
        gt=0,
        allow_inf_nan=False,
        description="Longest time for one fetch with its look-ups, redirects and retries, counted "
        "from when it gets its slot at the host (max_connections_per_host).",
    )
    connect_timeout_seconds: float = Field(
        default=5.0,
        gt=0,
        allow_inf_nan=False,
        description="Longest time for one connection to be made.",
    )
    max_redirects: int = Field(default=5, ge=0, description="Most redirects that are followed.")
    retries: int = Field(
        default=2,
        ge=0,
        description="Further attempts after a failure that may pass: name not resolved, connection or TLS "
        "failed, no proper HTTP, short body, status 408, 425, 429 or 5xx.",
    )
    backoff_seconds: float = Field(
        default=0.5,
        ge=0,
        allow_inf_nan=False,
        description="Pause before the first retry; it doubles with each.",
    )
    max_retry_after_seconds: float = Field(
        default=10.0,
        ge=0,
        allow_inf_nan=False,
        description="Longest pause that a server's Retry-After can ask for.",
    )
    max_connections_per_host: int = Field(
        default=4, gt=0, description="Most fetches from one host at the same time."
    )
    max_host_failures: int = Field(
        default=5,
        ge=0,
        description="After so many fetches in a row that failed with dns, network, tls or deadline, a host "
        "is not asked for host_pause_seconds; its rows get the reason host_down. 0 always asks.",
    )
    host_pause_seconds: float = Field(
        default=30.0,
        ge=0,
        allow_inf_nan=False,
        description="How long a host is left alone before one fetch tries it again.",
    )
    background: tuple[Shade, Shade, Shade] = Field(
        default=(255, 255, 255),
        description="Red, green and blue (0-255) behind transparent pixels.",
    )
    truncated: Literal["accept", "refuse"] = Field(
        default="accept",
        description="'accept' takes a JPEG whose end is missing when at least 95 % of its pixels are there, "
        "as every viewer does, and notes it; 'refuse' gives its row the reason truncated.",
    )
    isolation: Literal["auto", "none", "process"] = Field(
        default="auto",
        description="'process' decodes in processes of their own: a decoder that crashes, hangs or takes "
        "too much memory costs one image, not the run. 'auto' does so with images whose headers do not "
        "prove that they are decoded in about a second. 'none' is for where no process can be started: an "
        "image that takes longer than deadline_seconds is refused then too, but only once it is decoded.",
    )
    ca_bundle: str | None = Field(
        default=None,
        description="File or folder of certificate authorities. Null takes REQUESTS_CA_BUNDLE or "
        "CURL_CA_BUNDLE, else certifi's.",
    )
    secret_parameters: tuple[str, ...] = Field(
        default=(),
        description="Names of query parameters, beside signatures, tokens and keys as clouds call them, "
        "that are removed from URLs before these are stored or shown.",
    )
    user_agent: str = Field(
        default="embedding-monitor",
        min_length=1,
        pattern=r"^[\x20-\x7e]+$",
        description="User-Agent header of each request.",
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise PolicyError(explained(error, SourcePolicy)) from None

    @field_validator("*", mode="before")
    @classmethod
    def _no_bool_for_a_number(cls, value: object, info: Any) -> object:
        # Pydantic reads True as 1.
        if isinstance(value, bool) and info.field_name != "allow_private":
            raise ValueError("expected a value, not true or false")
        return value

    @field_validator("roots", "ca_bundle", mode="before")
    @classmethod
    def _paths_as_text(cls, value: object) -> object:
        if isinstance(value, list | tuple):
            return tuple(str(part) if isinstance(part, PurePath) else part for part in value)
        return str(value) if isinstance(value, PurePath) else value

    @field_validator("hosts")
    @classmethod
    def _hosts_are_names(cls, hosts: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for entry in hosts or ():
            host, port = split_host(entry)
            if host and not host.isascii() and not _in_ascii(host):
                raise ValueError(f"{entry!r} is no name that a host can have")
            if not host or any(mark in host for mark in "/@?# ") or "*" in host.removeprefix("*."):
                raise ValueError(
                    f"{entry!r} is not a host: write 'example.com', 'example.com:8080' or "
                    "'*.example.com', without scheme or path"
                )
            if port is not None and not 1 <= port <= 65_535:
                raise ValueError(f"{entry!r} has no valid port: write a number from 1 to 65535")
        return None if hosts is None else tuple(map(_in_ascii, hosts))

    @model_validator(mode="after")
    def _not_contradictory(self) -> Self:
        if self.hosts == ():
            raise ValueError(
                "hosts is empty, so no host could be asked: name hosts, or leave it null for every "
                "public host"
            )
        if "file" in self.schemes and not self.roots:
            raise ValueError(
                "schemes names file but roots is empty, so no file could be read: name the folders "
                "in roots"
            )
        stores = [scheme for scheme in OBJECT_STORES if scheme in self.schemes]
        if stores and not self.buckets:
            raise ValueError(
                f"schemes names {', '.join(stores)} but buckets is empty, so nothing could be "
                "read: name the buckets in buckets"
            )
        if self.buckets and not stores:
            raise ValueError(
                f"buckets names {', '.join(self.buckets)} but schemes names no object store: "
                f"add one of {', '.join(OBJECT_STORES)} to schemes"
            )
        if any(not root or "\0" in root for root in self.roots):
            raise ValueError(
                "roots holds an empty or invalid folder: name the folder, '.' for this one"
            )
        if self.connect_timeout_seconds > self.deadline_seconds and "connect_timeout_seconds" in (
            self.model_fields_set
        ):
            raise ValueError(
                f"connect_timeout_seconds ({self.connect_timeout_seconds:g}) is longer than "
                f"deadline_seconds ({self.deadline_seconds:g}): lower the first or raise the second"
            )
        return self

    @model_validator(mode="after")
    def _secrets_are_known_everywhere(self) -> Self:
        also_secret(self.secret_parameters)
        return self

    def allows(self, scheme: str) -> bool:
        """Whether cells with `scheme` may be read; roots imply 'file'."""
        return is_allowed(scheme, self.schemes, self.roots)

    @property
    def allowed_schemes(self) -> tuple[str, ...]:
        """The schemes that may be read, in the order of the field's own list."""
        return tuple(scheme for scheme in SCHEMES if self.allows(scheme))


def _in_ascii(entry: str) -> str:
    """`entry` in lower case, with an international name as the network has it; "" where it has none.

    >>> _in_ascii("*.München.example:8080")
    '*.xn--mnchen-3ya.example:8080'
    """
    entry = entry.lower()
    if entry.isascii():
        return entry
    import idna

    wildcard = "*." if entry.startswith("*.") else ""
    name, colon, port = entry.removeprefix("*.").partition(":")
    try:
        # As urllib3 encodes the host of a URL, so that the two are equal.
        ascii_name = idna.encode(name, strict=True, std3_rules=True).decode("ascii")
    except idna.IDNAError:
        return ""
    return f"{wildcard}{ascii_name}{colon}{port}"
