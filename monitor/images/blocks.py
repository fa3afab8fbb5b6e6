"""Blocks of bytes between a process and its parent: the length in eight bytes, then the bytes."""

from __future__ import annotations

import struct
from typing import IO

LENGTH = struct.Struct(">Q")


def write_block(stream: IO[bytes], block: bytes) -> None:
    """Send one block."""
    stream.write(LENGTH.pack(len(block)))
    stream.write(block)


def read_block(stream: IO[bytes]) -> bytes | None:
    """The next block; None when the other side has gone.

    >>> import io
    >>> stream = io.BytesIO()
    >>> write_block(stream, b"abc")
    >>> _ = stream.seek(0)
    >>> read_block(stream), read_block(stream)
    (b'abc', None)
    """
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    block = stream.read(length)
    return block if len(block) == length else None
