"""Local files under the policy's roots become bytes."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from monitor.failures import Failure
from monitor.redaction import shorten

if TYPE_CHECKING:
    from monitor.images.policy import SourcePolicy

Outcome = TypeVar("Outcome")
_LONGEST_PATH = 4_096  # PATH_MAX of Linux; to resolve a path takes a look at each of its parts
_UNSETTLED_NS = 100_000_000
# Not to follow a link that was put there after the path was resolved, nor to wait for a pipe's
# writer.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def read_file(path: str, policy: SourcePolicy) -> bytes | Failure:
    """The bytes of a regular file under one of the policy's roots.

    A relative path is looked for under each root, then under the working folder. Links are followed
    first and the root is checked after, so a link that leads out of the roots is refused.

    >>> from monitor.images import SourcePolicy
    >>> print(read_file("/etc/passwd", SourcePolicy()))
    path_outside_roots: /etc/passwd; no local path may be read: name folders in roots
    """
    return _opened(path, policy, _read)


def check_file(path: str, policy: SourcePolicy) -> Failure | None:
    """Why a file cannot be read, as far as that can be told without opening it.

    >>> from monitor.images import SourcePolicy
    >>> print(check_file("no such.jpg", SourcePolicy(roots=["."])))
    not_found: no such.jpg
    """
    return _opened(path, policy, _check)


def _opened(
    path: str, policy: SourcePolicy, look: Callable[[Path, str, SourcePolicy], Outcome]
) -> Outcome | Failure:
    shown = shorten(path)
    if not policy.roots:
        return Failure(
            "path_outside_roots", f"{shown}; no local path may be read: name folders in roots"
        )
    if len(path) > _LONGEST_PATH:
        return Failure("bad_path", f"{len(path):,} characters, at most {_LONGEST_PATH:,}")
    try:
        file = _existing(path, policy)
        if file is None:
            return Failure("path_outside_roots", f"{shown}; allowed: {', '.join(policy.roots)}")
        return look(file, shown, policy)
    except OSError as error:
        return _explain(error, shown)
    except (ValueError, RuntimeError):
        # A NUL byte, text that is no file name, a link to itself.
        return Failure("bad_path", shown)


def file_state(path: str, policy: SourcePolicy) -> tuple[str, str] | None:
    """The file that `path` means and what changes with its content; None where it cannot be read.

    Size and time of change to the nanosecond; also the time of the entry's last change and its number,
    which tell a file that replaced it and carries an old time.
    """
    if not policy.roots or len(path) > _LONGEST_PATH:
        return None
    try:
        file = _existing(path, policy)
        if file is None:
            return None
        status = file.stat()
    except (OSError, ValueError, RuntimeError):
        return None
    if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < _UNSETTLED_NS:
        # A second change within one tick of the file system's clock would not show.
        return None
    parts = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    return str(file), ":".join(map(str, parts))


def _existing(path: str, policy: SourcePolicy) -> Path | None:
    """The first file inside a root that `path` can mean; one that exists, if any does."""
    inside = list(_inside_roots(path, policy))
    return next((p for p in inside if p.exists()), inside[0] if inside else None)


def _inside_roots(path: str, policy: SourcePolicy) -> Iterator[Path]:
    """The files that `path` can mean, resolved, as far as they lie inside a root."""
    roots = [Path(root).resolve() for root in policy.roots]
    for start in (*roots, Path.cwd()):
        file = (start / path).resolve()
        if any(file.is_relative_to(root) for root in roots):
            yield file


def _check(path: Path, shown: str, policy: SourcePolicy) -> Failure | None:
    # Looked at before opening: to open a device can do things.
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        return Failure("not_a_file", shown)
    return _too_large(shown, policy) if status.st_size > policy.max_bytes else None


def _too_large(shown: str, policy: SourcePolicy) -> Failure:
    return Failure("too_large", f"more than {policy.max_bytes:,} bytes: {shown}")


def _read(path: Path, shown: str, policy: SourcePolicy) -> bytes | Failure:
    if failure := _check(path, shown, policy):
        return failure
    with open(os.open(path, _FLAGS), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return Failure("not_a_file", shown)
        too_large = _too_large(shown, policy)
        if status.st_size > policy.max_bytes:
            return too_large
        # It may grow while it is read.
        data = file.read(policy.max_bytes + 1)
        return data if len(data) <= policy.max_bytes else too_large


def _explain(error: OSError, shown: str) -> Failure:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return Failure("not_found", shown)
    if error.errno in (errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL):
        return Failure("bad_path", shown)
    return Failure("unreadable", f"{error.strerror or type(error).__name__}: {shown}")
