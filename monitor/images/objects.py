"""Objects in named buckets of a store (s3, gs, az) become bytes, through fsspec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.errors import MissingExtraError
from monitor.failures import Failure
from monitor.images.cancellation import Cancellation, ask
from monitor.redaction import redact_url

if TYPE_CHECKING:
    from monitor.images.policy import SourcePolicy

_PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs"}


def read_object(
    url: str, scheme: str, policy: SourcePolicy, cancellation: Cancellation
) -> bytes | Failure:
    """The bytes of ``scheme://bucket/key``.

    >>> from monitor.images import SourcePolicy
    >>> policy = SourcePolicy(schemes=["s3"], buckets=["ours"])
    >>> print(read_object("s3://other/a.jpg", "s3", policy, Cancellation()))
    host: bucket 'other'; allowed: ours
    """
    shown = redact_url(url)
    # fsspec reads 'a::b' as a chain of file systems, among them local ones.
    if "::" in url or not url[len(scheme) :].startswith("://"):
        return Failure("invalid_url", shown)
    bucket, _, key = url[len(scheme) + 3 :].partition("/")
    if bucket not in policy.buckets:
        return Failure("host", f"bucket {bucket[:80]!r}; allowed: {', '.join(policy.buckets)}")
    if not key:
        return Failure("invalid_url", f"a bucket without a key: {shown}")
    # The stores' clients have time limits of their own and no common way to be interrupted.
    data = ask(
        lambda: _read(scheme, f"{bucket}/{key}", shown, policy),
        name="monitor-object",
        seconds=policy.deadline_seconds,
        cancellation=cancellation,
    )
    if data is None:
        return Failure("deadline", f"not done after {policy.deadline_seconds:g} s: {shown}")
    return data


def _read(scheme: str, path: str, shown: str, policy: SourcePolicy) -> bytes | Failure:
    too_large = Failure("too_large", f"more than {policy.max_bytes:,} bytes: {shown}")
    try:
        import fsspec  # type: ignore[import-untyped]

        store = fsspec.filesystem(scheme)
        if (store.size(path) or 0) > policy.max_bytes:
            return too_large
        with store.open(path, "rb") as file:
            data: bytes = file.read(policy.max_bytes + 1)
        return data if len(data) <= policy.max_bytes else too_large
    except ImportError:
        return Failure("scheme", str(MissingExtraError.of(_PACKAGES[scheme], scheme)))
    except FileNotFoundError:
        return Failure("not_found", shown)
    except PermissionError:
        return Failure("unreadable", shown)
    except Exception as error:  # each store's client has a tree of errors of its own
        return Failure("network", f"{type(error).__name__}: {shown}")
