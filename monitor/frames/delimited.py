"""CSV ─► tables of text: nothing is guessed, and no row moves a cell into another column."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from operator import itemgetter
from typing import IO, TYPE_CHECKING, Any, Final

from monitor.errors import InvalidInputError
from monitor.frames.options import ReadOptions

if TYPE_CHECKING:
    import pyarrow as pa

_LONGEST_CELL: Final = 2**31 - 1
"""An image may stand in a cell, as a `data:` URI."""
_SEPARATORS: Final = (";", "\t", "|")
_BYTE_ORDER_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
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
        rows = self._rows()
        header = next(rows, None)
        if header is None:
            raise InvalidInputError(
                f"{self.name} cannot be read: it is empty; its first line must name the columns"
            )
        while len(header) > 1 and not header[-1].strip() and self._ends_in_nothing(len(header)):
            header = header[:-1]
        return [title or f"Unnamed: {i}" for i, title in enumerate(header)]

    @cached_property
    def n_rows(self) -> int:
        """How many rows there are."""
        return sum(1 for _ in self._records())

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
        pick = itemgetter(*kept) if len(kept) > 1 else (lambda cells: tuple(cells[i] for i in kept))
        records = self._records()
        is_first = True
        while True:
            rows = [pick(cells) for cells in islice(records, chunk_rows)]
            if not rows and not is_first:
                return
            is_first = False
            columns: Sequence[Any] = list(zip(*rows, strict=True)) if rows else [()] * len(kept)
            arrays = [pa.array([cell or None for cell in cells], pa.string()) for cells in columns]
            yield pa.Table.from_arrays(arrays, names=names)

    def _records(self) -> Iterator[list[str]]:
        """The rows below the header, each as long as it."""
        n = len(self.columns)
        rows = self._rows()
        next(rows, None)
        for number, cells in enumerate(rows, start=1):
            if len(cells) == n:
                yield cells
            elif len(cells) < n:
                yield cells + [""] * (n - len(cells))
            elif any(cell.strip() for cell in cells[n:]):
                raise InvalidInputError(
                    f"{self.name} cannot be read: row {number} has {len(cells)} cells and the header "
                    f"{n}; put a cell that holds {self._separator!r} in quotes, or name the column that "
                    "is missing in the header"
                )
            else:  # separators at the end of a line
                yield cells[:n]

    def _ends_in_nothing(self, width: int) -> bool:
        """Whether the last cell of the first row is empty too: lines end in a separator."""
        rows = self._rows()
        next(rows, None)
        first = next(rows, None)
        return first is None or len(first) < width or not first[width - 1].strip()

    @cached_property
    def _separator(self) -> str:
        if self.options.separator is not None:
            return self.options.separator
        if self.name.lower().endswith(".tsv"):
            return "\t"
        head = list(islice(self._split(","), 2))
        if not head or len(head[0]) > 1:
            return ","
        for sign in _SEPARATORS:
            widths = [len(cells) for cells in islice(self._split(sign), 2)]
            if widths[0] > 1 and widths[0] == widths[-1]:
                return sign
        return ","

    def _rows(self) -> Iterator[list[str]]:
        return self._split(self._separator)

    def _split(self, separator: str) -> Iterator[list[str]]:
        """The lines that are not blank, split into cells."""
        # The limit is the whole process's, so it is only ever raised.
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
        encoding = self._encoding
        self.file.seek(0)
        text = io.TextIOWrapper(self.file, encoding=encoding, newline="")
        reader = csv.reader(text, delimiter=separator, strict=True)
        try:
            for cells in reader:
                if cells:
                    yield cells
        except csv.Error as error:
            raise InvalidInputError(
                f"{self.name} cannot be read: line {reader.line_num}: {error}"
            ) from error
        except UnicodeError as error:
            raise InvalidInputError(
                f"{self.name} cannot be read: after line {reader.line_num} it is not {encoding} "
                f"({error}): name its encoding, such as `read: {{encoding: cp1252}}`"
            ) from error
        finally:
            if not self.file.closed:
                text.detach()  # which would close the file at its own end

    @cached_property
    def _encoding(self) -> str:
        self.file.seek(0)
        start = self.file.read(4)
        known = next((e for mark, e in _BYTE_ORDER_MARKS.items() if start.startswith(mark)), None)
        return known or self.options.encoding
