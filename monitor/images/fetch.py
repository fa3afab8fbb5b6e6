"""One URL's bytes over HTTP, under one deadline, or the reason why there are none."""

from __future__ import annotations

import time
from datetime import UTC
from email.utils import parsedate_to_datetime

import requests

from monitor.failures import Failure
from monitor.images import network_errors
from monitor.images.addresses import resolve
from monitor.images.deadline import Deadline
from monitor.images.policy import SourcePolicy
from monitor.images.raw import UNCHANGED, RawImage, Unchanged, Version
from monitor.images.redact import redact_url, shorten
from monitor.images.session import Session
from monitor.images.stop import Stop
from monitor.images.turns import Turn, Turns
from monitor.images.urls import Target, check_port, check_url, redirect_url

_REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK = 1 << 16
_NO_PAUSE = 0.0


class HTTPFetcher:
    """Fetches over HTTP as a policy allows, until `stop` is told. Thread-safe; `close` it."""

    def __init__(self, policy: SourcePolicy, stop: Stop) -> None:
        self._policy = policy
        self._session = Session(policy)
        self._turns = Turns(policy.max_connections_per_host, stop)
        self._stop = stop

    def fetch(self, url: str, known: Version | None = None) -> RawImage | Unchanged | Failure:
        """The bytes at `url`, after redirects and retries; `UNCHANGED` if they are the `known` ones.

        The deadline covers all of it: look-ups, connections, TLS, headers, redirects, bodies,
        retries and the pauses before them. It counts from the fetch's turn at the host, since a
        queue of our own is not the server's fault. When the stop is told, the time is over.
        """
        target = check_url(url, self._policy)
        if isinstance(target, Failure):
            return target
        with Turn(self._turns) as turn:
            if not turn.move_to(target.host):
                return self._too_late(url)
            deadline = Deadline(self._policy.deadline_seconds)
            with deadline, self._stop.wakes(deadline.end):
                outcome = self._try_again_and_again(target, known, turn, deadline)
                if deadline.has_passed and isinstance(outcome, Failure):
                    return self._too_late(url)
                return outcome

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def _try_again_and_again(
        self, target: Target, known: Version | None, turn: Turn, deadline: Deadline
    ) -> RawImage | Unchanged | Failure:
        for attempt in range(self._policy.retries + 1):
            outcome, asked_pause = self._follow(target, known, attempt, turn, deadline)
            if not isinstance(outcome, Failure) or not _may_pass(outcome):
                break
            own_pause = self._policy.backoff_seconds * 2.0**attempt
            pause = max(own_pause, min(asked_pause, self._policy.max_retry_after_seconds))
            is_last = attempt == self._policy.retries
            if is_last or pause >= deadline.remaining or self._stop.wait(pause):
                break
        return outcome

    def _follow(
        self,
        target: Target,
        known: Version | None,
        attempt: int,
        turn: Turn,
        deadline: Deadline,
    ) -> tuple[RawImage | Unchanged | Failure, float]:
        """One attempt: the answer where the redirects end, and the pause the server asks for."""
        for _ in range(self._policy.max_redirects + 1):
            outcome, pause = self._ask(target, known, attempt, turn, deadline)
            if not isinstance(outcome, str):
                return outcome, pause
            redirected = redirect_url(target.url, outcome)
            if isinstance(redirected, Failure):
                return redirected, _NO_PAUSE
            following = check_url(redirected, self._policy)
            if isinstance(following, Failure):
                return following, _NO_PAUSE
            target = following
        most = self._policy.max_redirects
        return Failure("too_many_redirects", f"more than {most}: {redact_url(target.url)}"), 0.0

    def _ask(
        self,
        target: Target,
        known: Version | None,
        attempt: int,
        turn: Turn,
        deadline: Deadline,
    ) -> tuple[RawImage | Unchanged | Failure | str, float]:
        """One request: bytes, a failure, or the location to go on to; and the pause asked for."""
        if not turn.move_to(target.host, deadline.remaining):
            return self._too_late(target.url), _NO_PAUSE
        endpoints = resolve(
            target.host,
            target.port,
            allow_private=target.may_be_private,
            timeout=deadline.remaining,
            stop=self._stop,
        )
        if isinstance(endpoints, Failure):
            return endpoints, _NO_PAUSE
        if fault := check_port(target, self._policy):
            return fault, _NO_PAUSE
        try:
            # Another attempt takes the host's next address, if it has one.
            endpoint = endpoints[attempt % len(endpoints)]
            conditions = {} if known is None else known.conditions(target.url)
            with self._session.get(target, endpoint, deadline, conditions) as response:
                if response.status_code == 304 and conditions:
                    return UNCHANGED, _NO_PAUSE
                return self._answer(response, target, deadline), _retry_after(response)
        except network_errors.CAUGHT as error:
            fault = network_errors.explain(error)
            return Failure(fault.reason, f"{fault.detail}: {redact_url(target.url)}"), _NO_PAUSE
        finally:
            deadline.release()

    def _answer(
        self, response: requests.Response, target: Target, deadline: Deadline
    ) -> RawImage | Failure | str:
        status = response.status_code
        where = redact_url(target.url)
        if status in _REDIRECTS and "Location" in response.headers:
            return response.headers["Location"]
        if status < 200:
            return Failure("protocol", f"status {status} where the answer should be: {where}")
        if status not in (200, 203):
            return Failure(f"http_{status}", where)
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            return Failure("content_encoding", f"{shorten(encoding, 40)}: {where}")
        declared = response.headers.get("Content-Length", "")
        if (
            declared.isascii()
            and declared.isdigit()
            and int(declared[:20]) > self._policy.max_bytes
        ):
            return self._too_large(target.url)
        return self._body(response, target, deadline)

    def _body(
        self, response: requests.Response, target: Target, deadline: Deadline
    ) -> RawImage | Failure:
        parts: list[bytes] = []
        n_bytes = 0
        while part := response.raw.read(_CHUNK, decode_content=False):
            n_bytes += len(part)
            if n_bytes > self._policy.max_bytes:
                return self._too_large(target.url)
            parts.append(part)
        if deadline.has_passed:
            # A connection that was cut reads like one that ended.
            return self._too_late(target.url)
        if not n_bytes:
            return Failure("empty_body", redact_url(target.url))
        etag, modified = map(response.headers.get, ("ETag", "Last-Modified"))
        version = Version.of(target.url, etag=etag, last_modified=modified)
        return RawImage.of(b"".join(parts), version)

    def _too_large(self, url: str) -> Failure:
        return Failure(
            "too_large", f"more than {self._policy.max_bytes:,} bytes: {redact_url(url)}"
        )

    def _too_late(self, url: str) -> Failure:
        seconds = self._policy.deadline_seconds
        return Failure("deadline", f"not done after {seconds:g} s: {redact_url(url)}")


def _may_pass(failure: Failure) -> bool:
    """Whether another attempt may do better."""
    return failure.reason in ("network", "short_body", "http_429") or failure.reason.startswith(
        "http_5"
    )


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
