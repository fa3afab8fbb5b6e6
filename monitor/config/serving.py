"""The serve section of a monitoring config: where the page is, and who may look at it."""

from __future__ import annotations

import re
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from monitor.config.faults import FaultAt
from monitor.config.section import Section, Text

_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise ValueError(
            "no host name: give one without scheme and port, such as monitor.example.com"
        )
    return value.lower()


def _header(value: str) -> str:
    if not _HEADER.fullmatch(value):
        raise ValueError("no name of a header: give one such as X-Forwarded-User")
    return value


class ServeConfig(Section):
    """Where `monitor serve` listens, and whom it believes.

    Examples
    --------
    >>> ServeConfig(hosts=["monitor.example.com"]).port
    8470
    """

    host: Text = Field(
        default="127.0.0.1",
        description="The address to listen on. Any but this machine's own needs a token (`monitor serve "
        "token create`) or user_header.",
    )
    port: int = Field(default=8470, ge=0, le=65_535, description="The port; 0 takes a free one.")
    hosts: tuple[Annotated[Text, AfterValidator(_host)], ...] = Field(
        default=(),
        description="The names that people reach it by, beside localhost and plain addresses, such as "
        "monitor.example.com; a request under another name is refused.",
    )
    user_header: Annotated[Text, AfterValidator(_header)] | None = Field(
        default=None,
        description="The header in which a proxy that knows who asks says so, such as X-Forwarded-User. "
        "It is believed from proxies only.",
    )
    proxies: tuple[Text, ...] = Field(
        default=("127.0.0.1", "::1"),
        description="The addresses of the proxies whose user_header is believed.",
    )
    max_points: int = Field(
        default=1_000_000,
        ge=1_000,
        le=5_000_000,
        description="How many rows the map shows at most; of more it shows a sample.",
    )

    @model_validator(mode="after")
    def _a_proxy_is_named(self) -> Self:
        if self.user_header is not None and not self.proxies:
            raise FaultAt(
                ("proxies",), "is empty, so that nobody's user_header is believed: name the proxy"
            )
        return self
