"""How the cells of a file are to be understood: what nobody may guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from monitor.errors import InvalidInputError
from monitor.frames.compressed import Compression
from monitor.frames.plain import cast
from monitor.frames.vector_cells import NO_NUMBER

if TYPE_CHECKING:
    import pyarrow as pa

ColumnType: TypeAlias = Literal["text", "number"]


@dataclass(frozen=True)
class ReadOptions:
    """How files are read.

    Parameters
    ----------
    separator
        Between the cells of a CSV file. None takes a comma, or what the header shows if it holds none.
    decimal
        What stands before the decimals of numbers in text.
    encoding
        Of a CSV file, by Python's name for it.
    compression
        Of a CSV file: `"none"`, `"gzip"`, `"bz2"`, `"xz"` or `"zstd"`. None goes by the ending of its name,
        such as `.csv.gz`.
    types
        By column, `"text"` or `"number"`. Columns of a CSV file that are not named stay text; those of
        other files and of queries keep their types.

    Raises
    ------
    InvalidInputError
        If there is no such encoding, or a separator or decimal is not one character.
    """

    separator: str | None = None
    decimal: str = "."
    encoding: str = "utf-8"
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    compression: Compression | None = None

    def __post_init__(self) -> None:
        import codecs

        try:
            codecs.lookup(self.encoding)
        except LookupError as error:
            raise InvalidInputError(
                f"there is no encoding {self.encoding!r}: give a name such as utf-8, cp1252 or utf-16"
            ) from error
        for name, sign in (("separator", self.separator), ("decimal", self.decimal)):
            if sign is not None and (len(sign) != 1 or sign in '"\r\n'):
                raise InvalidInputError(f"the {name} {sign!r} must be one character")
        for column, kind in self.types.items():
            if kind not in {"text", "number"}:
                raise InvalidInputError(
                    f"the type of column {column!r} is {kind!r}: allowed are text and number"
                )

    def declared(self, table: pa.Table) -> pa.Table:
        """`table` with its columns of the types declared.

        Raises
        ------
        InvalidInputError
            If a cell of a column of numbers is none.
        """
        import pyarrow as pa

        for position, name in enumerate(table.column_names):
            kind = self.types.get(name)
            if kind is None:
                continue
            column = table.column(position)
            metadata = table.schema.field(position).metadata
            column = cast(column, pa.string()) if kind == "text" else self._numbers(column, name)
            table = table.set_column(
                position, pa.field(name, column.type, metadata=metadata), column
            )
        return table

    def _numbers(self, column: Any, name: str) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
            return column
        texts = pc.utf8_trim_whitespace(column)
        texts = pc.if_else(pc.is_in(pc.utf8_lower(texts), pa.array(NO_NUMBER)), None, texts)
        if self.decimal != ".":
            texts = pc.replace_substring(texts, self.decimal, ".")
        try:
            return texts.cast(pa.float64())
        except pa.ArrowInvalid as error:
            raise InvalidInputError(
                f"column {name!r} is declared a number, but {_first_text(texts)!r} is none: give the "
                "column the type text, or say with decimal how decimals are written"
            ) from error


def _first_text(texts: Any) -> str:
    for text in texts.drop_null().to_pylist():
        try:
            float(text)
        except ValueError:
            return str(text)[:60]
    return ""
