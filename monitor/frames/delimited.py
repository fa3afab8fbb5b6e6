"""CSV ─► tables of text: nothing is guessed, and no row moves a cell into another column."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import IO, TYPE_CHECKING, Final

import numpy as np

from monitor.errors import InvalidInputError
from monitor.frames.compressed import DAMAGED, decompressed, without_compression
from monitor.frames.options import ReadOptions

if TYPE_CHECKING:
    import pyarrow as pa

_LONGEST_CELL: Final = 2**31 - 1
"""An image may stand in a cell, as a `data:` URI."""
_ROWS_TO_COUNT: Final = 10_000
_SEPARATORS: Final = (";", "\t", "|")
_SAID_BY_EXCEL: Final = re.compile(r'"?sep=([^"\r\n])"?[\r\n]*', re.IGNORECASE)
"""A first line that names the separator and is no row."""
_BYTE_ORDER_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    # Before UTF-16, whose mark begins alike.
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class CsvTable:
    """A CSV file that is open.

    Parameters
    ----------
    file
        Its bytes, from the beginning; may be read more than once.
    name
        Of the file, for messages.
    options
        What is known of it.
    """

    file: IO[bytes]
    name: str
    options: ReadOptions = field(default_factory=ReadOptions)

    @cached_property
    def columns(self) -> list[str]:
        """The names of the columns; one without a name is called by its position."""
        header, first = self._head(self._separator)
        if not header:
            raise InvalidInputError(
                f"{self.name} cannot be read: it is empty; its first line must name the columns"
            )
        if any("\0" in title for title in header):
            raise InvalidInputError(
                f"{self.name} cannot be read: its header holds NUL, as text in UTF-16 does: name its "
                "encoding, such as `read: {encoding: utf-16-le}`"
            )
        # Lines that end in a separator have a last cell that nobody means.
        while len(header) > 1 and not header[-1].strip() and not "".join(first[len(header) - 1 :]):
            header = header[:-1]
        header[0] = header[0].removeprefix("\ufeff")
        return [title or f"Unnamed: {i}" for i, title in enumerate(header)]

    @cached_property
    def n_rows(self) -> int:
        """How many rows there are."""
        return sum(len(rows) for rows in self._rows(_ROWS_TO_COUNT))

    @property
    def notes(self) -> list[str]:
        """What had to be assumed, in sentences."""
        separator = self._separator
        if self.options.separator is None and separator != ",":
            note = (
                f"{self.name} separates its cells by {separator!r}, not by a comma, and was read so; "
                f"`read: {{separator: {separator!r}}}` says it"
            )
            return [note]
        return []

    def tables(
        self, wanted: Collection[str] | None, chunk_rows: int, span: object = None
    ) -> Iterator[pa.Table]:
        """The rows in pieces, all cells text, an empty cell null; one piece at least.

        `span` is of no use here, where all of the file is read to know what is when.
        """
        import pyarrow as pa

        kept = [i for i, name in enumerate(self.columns) if wanted is None or name in wanted]
        names = [self.columns[i] for i in kept]
        is_empty = True
        for rows in self._rows(chunk_rows):
            is_empty = False
            columns = list(zip(*rows, strict=True))
            yield pa.Table.from_arrays([_texts(columns[i]) for i in kept], names=names)
        if is_empty:
            yield pa.Table.from_arrays([_texts(())] * len(kept), names=names)

    def _rows(self, size: int) -> Iterator[list[list[str]]]:
        """The rows below the header, `size` at a time, each as long as the header."""
        n_before, width = 0, {len(self.columns)}
        parts = self._split(self._separator, size)
        next(parts, None)
        for rows in parts:
            if set(map(len, rows)) != width:
                rows = [self._as_wide(row, n_before + i) for i, row in enumerate(rows, start=1)]
            yield rows
            n_before += len(rows)

    def _as_wide(self, cells: list[str], number: int) -> list[str]:
        """A row as long as the header."""
        n = len(self.columns)
        if any(cell.strip() for cell in cells[n:]):
            raise InvalidInputError(
                f"{self.name} cannot be read: row {number} has {len(cells)} cells and the header {n}; put a "
                f"cell that holds {self._separator!r} in quotes, or name the column that is missing in the "
                "header"
            )
        return cells[:n] + [""] * (n - len(cells))

    def _head(self, separator: str) -> tuple[list[str], list[str]]:
        """The header and the first row; empty where there is none."""
        first_two = list(islice(self._split(separator, 1), 2))
        rows = [*(part[0] for part in first_two if part), [], []]
        return rows[0], rows[1]

    @cached_property
    def _separator(self) -> str:
        if self.options.separator is not None:
            return self.options.separator
        if said := _SAID_BY_EXCEL.fullmatch(self._first_line):
            return said[1]
        if without_compression(self.name)[0].lower().endswith(".tsv"):
            return "\t"
        if len(self._tried(",")[0]) > 1:
            return ","
        for sign in _SEPARATORS:
            header, first = self._tried(sign)
            if len(header) > 1 and len(first) in (0, len(header)):
                return sign
        return ","

    def _tried(self, separator: str) -> tuple[list[str], list[str]]:
        """The header and the first row, empty where they cannot be read so."""
        try:
            return self._head(separator)
        except InvalidInputError:
            return [], []

    def _split(self, separator: str, size: int) -> Iterator[list[list[str]]]:
        """The lines that are not blank, split into cells: the header alone, then `size` at a time."""
        # The limit is the whole process's, so it is only ever raised.
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
        is_row = _SAID_BY_EXCEL.fullmatch(self._first_line) is None
        with self._text() as text:
            reader = csv.reader(
                text if is_row else islice(text, 1, None), delimiter=separator, strict=True
            )
            lines = filter(None, reader)
            try:
                yield list(islice(lines, 1))
                while rows := list(islice(lines, size)):
                    yield rows
            except csv.Error as error:
                line = reader.line_num + (not is_row)
                raise InvalidInputError(
                    f"{self.name} cannot be read: line {line}: {error}"
                ) from error
            except UnicodeError as error:
                raise self._other_encoding(error, reader.line_num) from error

    @cached_property
    def _first_line(self) -> str:
        """As it is, and no more than a separator needs."""
        with self._text() as text:
            try:
                return text.readline(len('"sep=;"\r\n'))
            except UnicodeError as error:
                raise self._other_encoding(error, 0) from error

    @contextmanager
    def _text(self) -> Iterator[io.TextIOWrapper]:
        """The file's text from the beginning, line ends as they are."""
        encoding = self._encoding
        with self._content() as content:
            text = io.TextIOWrapper(content, encoding=encoding, newline="")
            try:
                yield text
            finally:
                if not content.closed:
                    text.detach()  # which would close the file at its own end

    @contextmanager
    def _content(self) -> Iterator[IO[bytes]]:
        """The file's bytes from the beginning, not compressed."""
        how = self.options.compression or without_compression(self.name)[1]
        try:
            yield decompressed(self.file, how)
        except DAMAGED as error:
            if how == "none":
                raise
            raise InvalidInputError(
                f"{self.name} cannot be read: it is damaged, or not compressed by {how}: {error}"
            ) from error

    def _other_encoding(self, error: UnicodeError, line: int) -> InvalidInputError:
        return InvalidInputError(
            f"{self.name} cannot be read: after line {line} it is not {self._encoding} "
            f"({error}): name its encoding, such as `read: {{encoding: cp1252}}`"
        )

    @cached_property
    def _encoding(self) -> str:
        with self._content() as content:
            start = content.read(4)
        known = next((e for mark, e in _BYTE_ORDER_MARKS.items() if start.startswith(mark)), None)
        return known or self.options.encoding


def _texts(cells: Sequence[str]) -> pa.Array:
    """(n,) the cells, an empty one null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    together = "".join(cells)
    if not together.isascii() or len(together) > _LONGEST_CELL:
        texts = pa.array(cells, pa.string())
        return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    # A byte for each character: Arrow's three buffers take a quarter of the time of its loop over cells.
    lengths = np.fromiter(map(len, cells), np.int32, len(cells))
    ends = np.zeros(len(cells) + 1, np.int32)
    np.cumsum(lengths, out=ends[1:])
    is_there = np.packbits(lengths > 0, bitorder="little")
    validity, offsets, data = map(pa.py_buffer, (is_there, ends, together.encode("ascii")))
    return pa.StringArray.from_buffers(len(cells), offsets, data, validity)
