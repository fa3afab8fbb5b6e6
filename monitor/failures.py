"""Why a row has no vector: a closed set of reasons, and a short detail.

A bad image is data, not an exception. Its row stays where it is, its vector is null, and the reason is
counted in its window.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

REASONS: Final[dict[str, str]] = {
    # the cell
    "missing": "the cell is empty",
    "unsupported_type": "the cell holds neither an image nor the address of one",
    "invalid_url": "the address is not a valid URL",
    "url_too_long": "the URL is longer than 8,192 characters",
    "scheme": "the URL's scheme is not allowed by the source policy",
    "userinfo": "the URL carries a user name or password",
    "bad_data_uri": "the data: URI cannot be decoded",
    # files
    "bad_path": "the path is not valid",
    "path_outside_roots": "the path is outside the roots that the source policy allows",
    "not_found": "there is no such file",
    "not_a_file": "the path is not a regular file",
    "unreadable": "the file cannot be read",
    # the network
    "host": "the host is not on the source policy's list",
    "port": "the port is not on the source policy's list",
    "blocked_address": "the host's address is private, local or reserved",
    "dns": "the host's name cannot be resolved",
    "network": "the connection failed",
    "tls": "the secure connection failed",
    "protocol": "the server does not speak proper HTTP",
    "too_many_redirects": "the server redirects too often",
    "deadline": "the fetch took longer than the deadline",
    "host_down": "the host failed several times in a row and was left alone for a while",
    # the body
    "empty_body": "there are no bytes",
    "short_body": "the body is shorter than declared",
    "too_large": "the image has more bytes than allowed",
    "content_encoding": "the body is compressed, which was not asked for",
    # the pixels
    "not_an_image": "the bytes are not an image of an accepted format",
    "truncated": "the image ends before its pixels do",
    "corrupt": "the image is damaged",
    "too_many_pixels": "the image has more pixels than allowed",
    "too_small": "the image is too small to mean anything",
    "decoder_crashed": "decoding the image ended its worker process, or took too long",
    # vectors that arrive ready-made
    "wrong_dimension": "the vector has another width than the others",
    "not_numeric": "the vector holds something that is not a number",
    "not_finite": "the vector holds NaN or infinity",
    "zero_vector": "the vector is all zeros and has no direction",
}
"""Every reason but the HTTP statuses, with its meaning in a sentence."""

OF_VECTORS: Final = frozenset({"wrong_dimension", "not_numeric", "not_finite", "zero_vector"})
"""The reasons that lie in a vector that is there, not in what it should have been made from."""
_MAY_PASS: Final = frozenset(
    {"dns", "network", "tls", "protocol", "deadline", "host_down", "short_body", "decoder_crashed"}
)
_STATUS_MAY_PASS: Final = re.compile(r"http_(408|425|429|5[0-9]{2})")
_HTTP_STATUS = re.compile(r"http_[1-9][0-9]{2}")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one row has no vector.

    Parameters
    ----------
    reason
        A key of `REASONS`, or ``http_N`` with the status N that the server gave.
    detail
        One short line for a person, without secrets: query strings and credentials are removed.

    Raises
    ------
    ValueError
        If `reason` is not one of the closed set.

    Examples
    --------
    >>> str(Failure("too_large", "12,000,000 bytes, at most 10,000,000"))
    'too_large: 12,000,000 bytes, at most 10,000,000'
    >>> Failure("http_404").meaning
    'the server answered with status 404'
    """

    reason: str
    detail: str = ""

    def __post_init__(self) -> None:
        if self.reason not in REASONS and not _HTTP_STATUS.fullmatch(self.reason):
            raise ValueError(
                f"{self.reason!r} is not a failure reason; allowed: http_N or {', '.join(REASONS)}"
            )

    @property
    def meaning(self) -> str:
        """The reason in a sentence."""
        return describe(self.reason)

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


def may_pass(reason: str) -> bool:
    """Whether another attempt, later, may do better: the network or the server was at fault.

    Examples
    --------
    >>> may_pass("deadline"), may_pass("http_503"), may_pass("http_404"), may_pass("corrupt")
    (True, True, False, False)
    """
    return reason in _MAY_PASS or _STATUS_MAY_PASS.fullmatch(reason) is not None


def describe(reason: str) -> str:
    """The meaning of `reason`, a key of `REASONS` or ``http_N``, in a sentence."""
    if reason in REASONS:
        return REASONS[reason]
    return f"the server answered with status {reason.removeprefix('http_')}"


def count_failures(reasons: Iterable[str | None]) -> dict[str, int]:
    """Rows per reason, the most frequent first; None is a row that has a vector.

    Examples
    --------
    >>> count_failures(["http_404", None, "missing", "missing"])
    {'missing': 2, 'http_404': 1}
    """
    return dict(Counter(reason for reason in reasons if reason is not None).most_common())


def counts_in_words(counts: Mapping[str, int]) -> str:
    """Counts as a phrase.

    Examples
    --------
    >>> counts_in_words({"missing": 3, "http_404": 1})
    '3 missing, 1 http_404'
    """
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())
