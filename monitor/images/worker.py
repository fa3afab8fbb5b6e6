"""A process that does nothing but decode: bytes in on stdin, pixels or a reason out on stdout.

::

    parent ─► {"policy": …, "memory_bytes": …}  one block of JSON, once
    parent ─► the bytes of an image             one block
    parent ◄─ {"size": …, "notes": …, …} or {"reason": …, "detail": …}, then the pixels   two blocks

Nothing is unpickled on either side.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from monitor.failures import Failure
from monitor.images.blocks import read_block, write_block
from monitor.images.checked_policy import checked_policy
from monitor.images.child import begin
from monitor.images.decoding import decode
from monitor.images.raw import RawImage

if TYPE_CHECKING:
    from monitor.images.policy import SourcePolicy


def main() -> None:
    """Decode until the parent closes its end."""
    begun = begin()
    if begun is None:
        return
    answers, settings = begun
    policy = checked_policy(settings["policy"])
    Image.preinit()
    _limit_memory(settings["memory_bytes"])
    write_block(answers, b"ready")
    answers.flush()
    while (data := read_block(sys.stdin.buffer)) is not None:
        words, pixels = _answer(data, policy)
        write_block(answers, json.dumps(words).encode())
        write_block(answers, pixels)
        answers.flush()
        del data, pixels


def _answer(data: bytes, policy: SourcePolicy) -> tuple[dict[str, Any], bytes]:
    decoded = decode(RawImage(data, ""), policy)
    if isinstance(decoded, Failure):
        return {"reason": decoded.reason, "detail": decoded.detail}, b""
    words = {
        "size": decoded.image.size,
        "notes": decoded.notes,
        "missing_share": decoded.missing_share,
    }
    return words, decoded.image.tobytes()


def _limit_memory(n_bytes: int) -> None:
    """Let the process take so much beyond what it has; Linux only, since others do not heed it."""
    if sys.platform != "linux":
        return
    import resource

    n_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = n_pages * resource.getpagesize() + n_bytes
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
