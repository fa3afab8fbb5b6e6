"""One URL's bytes over HTTP, under one deadline, or the reason why there are none."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime

import requests

from monitor.failures import Failure, may_pass
from monitor.images import network_errors
from monitor.images.addresses import Endpoint, resolve
from monitor.images.breaker import HostBreaker
from monitor.images.cancellation import Cancellation
from monitor.images.deadline import Clock, Deadline
from monitor.images.host_slots import HostSlot, HostSlots
from monitor.images.policy import SourcePolicy
from monitor.images.raw import UNCHANGED, RawImage, Unchanged, Version
from monitor.images.session import Session
from monitor.images.urls import Target, check_port, check_url, redirect_url
from monitor.redaction import redact_url, shorten

_REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK = 1 << 16
_NO_PAUSE = 0.0
# Codings that change the bytes: the IANA registry as of 2026, and others that servers know. We ask for
# none. Every other word is passed over, as browsers do: stores replay "aws-chunked" or "utf-8" from the
# upload, servers say "none" or "binary", and the bytes are the image's own.
_COMPRESSIONS = re.compile(
    r"aes128gcm|br|brotli|bzip2|compress|dcb|dcz|deflate|exi|gzip|lz4|lzma|pack200-gzip|sdch|snappy"
    r"|x-bzip2|x-compress|x-gzip|xz|zstandard|zstd"
)

Outcome = RawImage | Unchanged | Failure


class HTTPFetcher:
    """Fetches over HTTP as a policy allows, until it is cancelled. Thread-safe; `close` it."""

    def __init__(
        self, policy: SourcePolicy, cancellation: Cancellation, authorities: str | bool
    ) -> None:
        self._policy = policy
        self._session = Session(policy, authorities)
        self._slots = HostSlots(policy.max_connections_per_host, cancellation)
        self._breaker = HostBreaker(policy.max_host_failures, policy.host_pause_seconds)
        self._cancellation = cancellation
        self._clock = Clock()

    def fetch(self, url: str, known: Version | None = None) -> Outcome:
        """The bytes at `url`, after redirects and retries; `UNCHANGED` if they are the `known` ones.

        The deadline covers all of it: look-ups, connections, TLS, headers, redirects, bodies,
        retries and the pauses before them. It counts from when the fetch gets its slot at the host,
        since a queue of our own is not the server's fault. A cancellation ends it at once.
        """
        target = check_url(url, self._policy)
        if isinstance(target, Failure):
            return target
        with HostSlot(self._slots) as slot:
            if not slot.move_to(target.host):
                return _too_late(url, self._policy)
            deadline = Deadline(self._policy.deadline_seconds, self._clock)
            with deadline, self._cancellation.wakes(deadline.end):
                fetch = _Fetch(
                    policy=self._policy,
                    session=self._session,
                    cancellation=self._cancellation,
                    breaker=self._breaker,
                    slot=slot,
                    deadline=deadline,
                    known=known,
                )
                outcome = fetch.with_retries(target)
                if deadline.has_passed and isinstance(outcome, Failure):
                    outcome = _too_late(url, self._policy)
                was_not_asked = isinstance(outcome, Failure) and outcome.reason == "host_down"
                if (
                    slot.host is not None
                    and not was_not_asked
                    and not self._cancellation.is_cancelled
                ):
                    self._breaker.record(slot.host, outcome)
                return outcome

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()
        self._clock.close()


@dataclass(frozen=True, slots=True)
class _Fetch:
    """One fetch under way: its rules, its connections, and what it holds."""

    policy: SourcePolicy
    session: Session
    cancellation: Cancellation
    breaker: HostBreaker
    slot: HostSlot
    deadline: Deadline
    known: Version | None
    asked: set[str] = field(default_factory=set)

    def with_retries(self, target: Target) -> Outcome:
        """The outcome of the last attempt that was worth making."""
        for attempt in range(self.policy.retries + 1):
            outcome, asked_pause = self._follow(target, attempt)
            if not isinstance(outcome, Failure) or not may_pass(outcome.reason):
                break
            if outcome.reason == "host_down":
                # It passes, but not within this fetch.
                break
            own_pause = self.policy.backoff_seconds * 2.0**attempt
            pause = max(own_pause, min(asked_pause, self.policy.max_retry_after_seconds))
            is_last = attempt == self.policy.retries
            if is_last or pause >= self.deadline.remaining or self.cancellation.wait(pause):
                break
        return outcome

    def _follow(self, target: Target, attempt: int) -> tuple[Outcome, float]:
        """One attempt: the answer where the redirects end, and the pause the server asks for."""
        for _ in range(self.policy.max_redirects + 1):
            outcome, pause = self._ask(target, attempt)
            if not isinstance(outcome, str):
                return outcome, pause
            self.breaker.record(target.host, outcome)
            redirected = redirect_url(target.url, outcome)
            if isinstance(redirected, Failure):
                return redirected, _NO_PAUSE
            following = check_url(redirected, self.policy)
            if isinstance(following, Failure):
                return following, _NO_PAUSE
            target = following
        most = self.policy.max_redirects
        return Failure("too_many_redirects", f"more than {most}: {redact_url(target.url)}"), 0.0

    def _ask(self, target: Target, attempt: int) -> tuple[Outcome | str, float]:
        """One request: bytes, a failure, or the location to go on to; and the pause asked for."""
        if not self.slot.move_to(target.host, self.deadline.remaining):
            return _too_late(target.url, self.policy), _NO_PAUSE
        if target.host not in self.asked:
            if fault := self.breaker.check(target.host):
                return fault, _NO_PAUSE
            self.asked.add(target.host)
        endpoints = resolve(
            target.host,
            target.port,
            allow_private=target.may_be_private,
            timeout=self.deadline.remaining,
            cancellation=self.cancellation,
        )
        if isinstance(endpoints, Failure):
            return endpoints, _NO_PAUSE
        if fault := check_port(target, self.policy):
            return fault, _NO_PAUSE
        # Another attempt begins with the host's next address, if it has one.
        first = attempt % len(endpoints)
        return self._ask_at(target, endpoints[first:] + endpoints[:first])

    def _ask_at(
        self, target: Target, endpoints: tuple[Endpoint, ...]
    ) -> tuple[Outcome | str, float]:
        conditions = {} if self.known is None else self.known.conditions(target.url)
        try:
            with self.session.get(target, endpoints, self.deadline, conditions) as response:
                if response.status_code == 304 and conditions:
                    return UNCHANGED, _NO_PAUSE
                return self._answer(response, target), _retry_after(response)
        except network_errors.CAUGHT as error:
            fault = network_errors.explain(error)
            return Failure(fault.reason, f"{fault.detail}: {redact_url(target.url)}"), _NO_PAUSE
        finally:
            self.deadline.release()

    def _answer(self, response: requests.Response, target: Target) -> RawImage | Failure | str:
        status = response.status_code
        if status in _REDIRECTS and "Location" in response.headers:
            return response.headers["Location"]
        if status < 200:
            where = redact_url(target.url)
            return Failure("protocol", f"status {status} where the answer should be: {where}")
        if status not in (200, 203):
            return Failure(f"http_{status}", redact_url(target.url))
        encoding = response.headers.get("Content-Encoding", "")
        if any(_COMPRESSIONS.fullmatch(word.strip().lower()) for word in encoding.split(",")):
            where = redact_url(target.url)
            return Failure("content_encoding", f"{shorten(encoding, 40)}: {where}")
        declared = response.headers.get("Content-Length", "")
        if declared.isascii() and declared.isdigit() and int(declared[:20]) > self.policy.max_bytes:
            return self._too_large(target.url)
        return self._body(response, target)

    def _body(self, response: requests.Response, target: Target) -> RawImage | Failure:
        parts: list[bytes] = []
        n_bytes = 0
        while part := response.raw.read(_CHUNK, decode_content=False):
            n_bytes += len(part)
            if n_bytes > self.policy.max_bytes:
                return self._too_large(target.url)
            parts.append(part)
        if self.deadline.has_passed:
            # A connection that was cut reads like one that ended.
            return _too_late(target.url, self.policy)
        if not n_bytes:
            return Failure("empty_body", redact_url(target.url))
        etag, modified = map(response.headers.get, ("ETag", "Last-Modified"))
        version = Version.of(target.url, etag=etag, last_modified=modified)
        return RawImage.of(b"".join(parts), version)

    def _too_large(self, url: str) -> Failure:
        most = self.policy.max_bytes
        return Failure("too_large", f"more than {most:,} bytes: {redact_url(url)}")


def _too_late(url: str, policy: SourcePolicy) -> Failure:
    return Failure("deadline", f"not done after {policy.deadline_seconds:g} s: {redact_url(url)}")


def _retry_after(response: requests.Response) -> float:
    """Seconds that the server asks to wait for, in digits or as a date; 0 if it does not."""
    asked = response.headers.get("Retry-After", "").strip()[:40]
    if asked.isascii() and asked.isdigit():
        return float(asked)
    try:
        moment = parsedate_to_datetime(asked)
    except (ValueError, TypeError):
        return _NO_PAUSE
    # A date without a zone is in UTC: RFC 9110, section 5.6.7.
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(_NO_PAUSE, aware.timestamp() - time.time())
