"""Compressed files of text ─► their bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from pathlib import PurePath
from typing import IO, Any, Final, Literal, TypeAlias, cast

Compression: TypeAlias = Literal["none", "gzip", "bz2", "xz", "zstd"]
BY_SUFFIX: Final[dict[str, Compression]] = {
    ".gz": "gzip",
    ".bz2": "bz2",
    ".xz": "xz",
    ".zst": "zstd",
}
"""What the ending of a name says of the bytes."""
DAMAGED: Final = (OSError, EOFError, zlib.error, lzma.LZMAError)
"""What reading raises of a file that is damaged, or compressed in another way."""


def without_compression(name: str) -> tuple[str, Compression]:
    """A file's name without the ending of its compression, and the compression.

    >>> without_compression("day.csv.gz"), without_compression("day.csv")
    (('day.csv', 'gzip'), ('day.csv', 'none'))
    """
    how = BY_SUFFIX.get(PurePath(name).suffix.lower(), "none")
    return (name, how) if how == "none" else (name[: name.rindex(".")], how)


def decompressed(file: IO[bytes], how: Compression) -> IO[bytes]:
    """The bytes of `file` from its beginning; `file` stays open when they are closed."""
    file.seek(0)
    if how == "none":
        return file
    if how == "zstd":
        return cast(IO[bytes], io.BufferedReader(_Zstd(file)))
    if how == "gzip":
        return cast(IO[bytes], gzip.open(file))
    return cast(IO[bytes], bz2.open(file) if how == "bz2" else lzma.open(file))


class _Kept(io.RawIOBase):
    """A file that stays open when Arrow has done with it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Zstd(_Kept):
    """Python has no reader of its own before 3.14, and Arrow's is no file of Python's."""

    def __init__(self, file: IO[bytes]) -> None:
        import pyarrow as pa

        super().__init__(pa.CompressedInputStream(_Kept(file), "zstd"))
