"""Cells and what became of them, as blocks of bytes between processes; nothing is unpickled.

::

    parent ─► words of the cells, in JSON; then the bytes of each that holds some   1 + n blocks
    parent ◄─ words of the outcomes, in JSON; statistics; pictures                  3 blocks

A block is its length in eight bytes, then its bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor.embedding.reading import Read
from monitor.failures import Failure
from monitor.images.blocks import LENGTH, read_block, write_block
from monitor.images.quality import QUALITY_FIELDS
from monitor.images.raw import Version
from monitor.images.urls import scheme_of

_PLAIN_KINDS: Final = "biuf"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a cell.

    Parameters
    ----------
    read
        The image, or why there is none; None where it is to be read by the process that holds the cell.
    version
        What a server said about the version of the bytes.
    """

    read: Read | Failure | None
    version: Version | None = None


def travels(cell: object, most_bytes: int) -> bool:
    """Whether another process can read `cell`: text, a path, bytes or an array of at most `most_bytes`.

    Examples
    --------
    >>> travels("https://example.com/a.jpg", 10), travels(b"abc", 10), travels(b"abc", 2), travels(None, 2)
    (True, True, False, False)
    """
    if isinstance(cell, str | PurePath):
        return True
    if isinstance(cell, np.ndarray):
        return cell.dtype.kind in _PLAIN_KINDS and cell.nbytes <= most_bytes
    return isinstance(cell, bytes) and len(cell) <= most_bytes


def is_remote(cell: object) -> bool:
    """Whether what `cell` names comes over a network.

    >>> is_remote("https://example.com/a.jpg"), is_remote("a.jpg"), is_remote(b"")
    (True, False, False)
    """
    return isinstance(cell, str) and scheme_of(cell.strip()) not in (None, "file", "data")


def write_cells(stream: IO[bytes], cells: Sequence[object]) -> None:
    """Send cells that travel.

    >>> import io
    >>> stream = io.BytesIO()
    >>> write_cells(stream, ["a.png", Path("b.png"), b"abc"])
    >>> _ = stream.seek(0)
    >>> read_cells(stream)
    ['a.png', PosixPath('b.png'), b'abc']
    """
    words: list[Any] = []
    blocks: list[Any] = []
    for cell in cells:
        if isinstance(cell, str):
            words.append(cell)
        elif isinstance(cell, PurePath):
            words.append({"path": os.fspath(cell)})
        elif isinstance(cell, np.ndarray):
            words.append({"array": cell.dtype.str, "shape": cell.shape})
            blocks.append(np.ascontiguousarray(cell).tobytes())
        else:
            words.append(None)
            blocks.append(cell)
    write_block(stream, json.dumps(words).encode())
    for block in blocks:
        write_block(stream, block)
    stream.flush()


def read_cells(stream: IO[bytes]) -> list[Any] | None:
    """The cells that were sent; None when the other side has gone."""
    words = read_block(stream)
    if words is None:
        return None
    cells: list[Any] = []
    for word in json.loads(words):
        if isinstance(word, str):
            cells.append(word)
        elif word is not None and "path" in word:
            cells.append(Path(word["path"]))
        else:
            block = read_block(stream)
            if block is None:
                return None
            cells.append(block if word is None else _array(block, word))
    return cells


def _array(block: bytes, word: dict[str, Any]) -> NDArray[Any]:
    array: NDArray[Any] = np.frombuffer(block, dtype=np.dtype(word["array"]))
    return array.reshape(word["shape"])


def write_outcomes(stream: IO[bytes], outcomes: Sequence[Outcome]) -> None:
    """Send what became of cells."""
    words: list[Any] = []
    reads: list[Read] = []
    for outcome in outcomes:
        read, version = outcome.read, outcome.version
        if isinstance(read, Read):
            stated = version and [version.url_sha256, version.etag, version.last_modified]
            words.append({"sha256": read.sha256, "version": stated})
            reads.append(read)
        else:
            words.append(read and {"reason": read.reason, "detail": read.detail})
    write_block(stream, json.dumps(words).encode())
    write_block(stream, b"".join(read.quality.tobytes() for read in reads))
    pictures: list[Any] = [np.ascontiguousarray(read.tensor) for read in reads]
    stream.write(LENGTH.pack(sum(picture.nbytes for picture in pictures)))
    for picture in pictures:
        stream.write(picture.data.cast("B"))
    stream.flush()


def read_outcomes(stream: IO[bytes], side: int) -> list[Outcome] | None:
    """What became of the cells, with pictures (`side`, `side`, 3); None when the other side has gone.

    >>> import io
    >>> stream, pixels = io.BytesIO(), np.zeros((2, 2, 3), dtype=np.uint8)
    >>> read = Read("00ff", np.ones(len(QUALITY_FIELDS), dtype=np.float32), tensor=pixels)
    >>> write_outcomes(stream, [Outcome(read), Outcome(Failure("missing")), Outcome(None)])
    >>> _ = stream.seek(0)
    >>> first, second, third = read_outcomes(stream, 2)
    >>> first.read.sha256, first.read.tensor.shape, second.read, third.read
    ('00ff', (2, 2, 3), Failure(reason='missing', detail=''), None)
    """
    words, statistics, pixels = read_block(stream), read_block(stream), _read_writable(stream)
    if words is None or statistics is None or pixels is None:
        return None
    quality = iter(np.frombuffer(statistics, dtype=np.float32).reshape(-1, len(QUALITY_FIELDS)))
    pictures = iter(np.frombuffer(pixels, dtype=np.uint8).reshape(-1, side, side, 3))
    outcomes = []
    for word in json.loads(words):
        if word is None:
            outcomes.append(Outcome(None))
        elif "reason" in word:
            outcomes.append(Outcome(Failure(word["reason"], word["detail"])))
        else:
            read = Read(word["sha256"], next(quality), tensor=next(pictures))
            version = word["version"] and Version(*word["version"])
            outcomes.append(Outcome(read, version))
    return outcomes


def _read_writable(stream: IO[bytes]) -> bytearray | None:
    """The next block; torch takes no memory that may not be written to."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    block = bytearray(LENGTH.unpack(head)[0])
    rest = memoryview(block)
    while rest:
        n: int = stream.readinto(rest)  # type: ignore[attr-defined]
        if not n:
            return None
        rest = rest[n:]
    return block
