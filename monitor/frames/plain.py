"""One form for what writers of files spell in several: plain Arrow types, and tables that go together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

from monitor.empty_cells import is_missing
from monitor.errors import InvalidInputError
from monitor.frames.fingerprints import FINGERPRINT_KEY, fingerprint
from monitor.frames.table import is_arrow, is_pandas, narwhal
from monitor.frames.text import text_of

if TYPE_CHECKING:
    import pyarrow as pa


def as_arrow(frame: Any) -> pa.Table:
    """A frame of any kind as an Arrow table of plain types; a named index becomes a column.

    Raises
    ------
    InvalidInputError
        If it is no frame, or a column holds what Arrow cannot.
    """
    if is_arrow(frame):
        return plain(frame)
    if not is_pandas(frame):
        return plain(narwhal(frame).to_arrow())
    import pyarrow as pa

    from monitor.frames.table import column_names, series

    # Column by column: labels may be no texts, and one column of mixed kinds must not hide the others.
    arrays = {name: array_of(series(frame, name).to_native()) for name in column_names(frame)}
    table = pa.table(arrays)
    made = {name: mark for name in arrays if (mark := fingerprint(frame, name)) is not None}
    return plain(_marked(table, made))


def array_of(cells: Any) -> pa.Array:
    """Cells as an Arrow array; as text where they are of several kinds."""
    import pyarrow as pa

    try:
        return pa.array(cells, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        texts = [None if is_missing(cell) else text_of(cell) for cell in cells]
        return pa.array(texts, pa.string())


def plain(table: pa.Table) -> pa.Table:
    """`table` without dictionaries, extension types and views, with zoned times in UTC and texts in UTF-8."""
    import pyarrow as pa

    for position, field in enumerate(table.schema):
        column = original = table.column(position)
        kind = _plain_type(field.type)
        if kind != field.type:
            column = cast(column, kind)
        if _is_text(kind):
            column = _readable(column)
        if column is not original:
            changed = pa.field(field.name, column.type, metadata=field.metadata)
            table = table.set_column(position, changed, column)
    return table


def join(tables: Sequence[pa.Table]) -> pa.Table:
    """The rows of several plain tables as one; a column that one lacks is empty there.

    Columns that mean the same go together: whole and broken numbers, instants of any unit, dates and
    instants, lists of any kind, a column without values and any other; numbers and texts become texts.

    Raises
    ------
    InvalidInputError
        If the vectors of a column come from two encoders, or a column's types have nothing in common.
    """
    import pyarrow as pa

    if len(tables) == 1:
        return tables[0]
    made = _encoders(tables)
    names = list(dict.fromkeys(name for table in tables for name in table.column_names))
    for table in tables:
        for name in names:
            if table.column_names.count(name) > 1:
                raise InvalidInputError(f"there are two columns named {name!r}: rename one of them")
    kinds = {name: reduce(lambda a, b: _common(a, b, name), _types(tables, name)) for name in names}
    schema = pa.schema(list(kinds.items()))
    aligned = [
        pa.table(
            [
                cast(table.column(name), kind)
                if name in table.column_names
                else pa.nulls(table.num_rows, kind)
                for name, kind in kinds.items()
            ],
            schema=schema,
        )
        for table in tables
    ]
    about = [table.schema.metadata for table in tables]
    kept = about[0] if all(metadata == about[0] for metadata in about) else None
    return _marked(pa.concat_tables(aligned), made).replace_schema_metadata(kept)


def _types(tables: Sequence[pa.Table], name: str) -> list[pa.DataType]:
    """The types of a column in the tables that have it; one without values has none of its own."""
    import pyarrow as pa

    columns = [table.column(name) for table in tables if name in table.column_names]
    kinds = [c.type for c in columns if c.null_count < len(c)]
    # Without any value the first table's type stands, for it is still a column of that type.
    return kinds or [next((c.type for c in columns if c.type != pa.null()), pa.null())]


def _encoders(tables: Sequence[pa.Table]) -> dict[str, str]:
    known: dict[str, str] = {}
    for table in tables:
        for name in table.column_names:
            mark = fingerprint(table, name)
            if mark is not None and known.setdefault(name, mark) != mark:
                raise InvalidInputError(
                    f"the vectors in column {name!r} come from two encoders, {known[name]} and {mark}: "
                    "embed all rows with one model"
                )
    return known


def _marked(table: pa.Table, made: dict[str, str]) -> pa.Table:
    """`table` that remembers the encoder of each column."""
    import pyarrow as pa

    fields = [
        pa.field(
            f.name, f.type, metadata={FINGERPRINT_KEY: made[f.name]} if f.name in made else None
        )
        for f in table.schema
    ]
    return table.cast(pa.schema(fields))


def _plain_type(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        return _plain_type(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if pa.types.is_run_end_encoded(kind):
        return _plain_type(kind.value_type)
    if kind == pa.string_view():
        return pa.string()
    if kind == pa.binary_view():
        return pa.binary()
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return pa.timestamp(kind.unit, "UTC")
    if pa.types.is_list_view(kind):
        return pa.list_(kind.value_type)
    if pa.types.is_large_list_view(kind):
        return pa.large_list(kind.value_type)
    return kind


def _common(a: pa.DataType, b: pa.DataType, name: str) -> pa.DataType:
    """The type that holds the values of both."""
    import pyarrow as pa

    is_ = pa.types
    if a == b or is_.is_null(b):
        return a
    if is_.is_null(a):
        return b
    for both in (_common_number, _common_time, _common_list, _common_struct):
        kind = both(a, b, name)
        if kind is not None:
            return kind
    if is_.is_nested(a) or is_.is_nested(b) or _is_bytes(a) != _is_bytes(b):
        raise InvalidInputError(
            f"the rows do not make one table: column {name!r} is {a} in one file and {b} in another; give "
            "it one type in all files"
        )
    if _is_bytes(a):
        return pa.large_binary()
    return pa.large_string() if pa.large_string() in (a, b) else pa.string()


def _common_number(a: pa.DataType, b: pa.DataType, _: str) -> pa.DataType | None:
    import pyarrow as pa

    is_ = pa.types
    if is_.is_integer(a) and is_.is_integer(b):
        # No signed type holds the largest unsigned numbers.
        return pa.float64() if pa.uint64() in (a, b) else pa.int64()
    if is_.is_floating(a) and is_.is_floating(b):
        return a if a.bit_width > b.bit_width else b
    numeric = (is_.is_integer, is_.is_floating, is_.is_decimal)
    if all(any(test(kind) for test in numeric) for kind in (a, b)):
        return pa.float64()
    return None


def _common_time(a: pa.DataType, b: pa.DataType, _: str) -> pa.DataType | None:
    import pyarrow as pa

    is_ = pa.types
    if is_.is_date(a) and is_.is_date(b):
        return pa.date32()
    if not all(is_.is_date(kind) or is_.is_timestamp(kind) for kind in (a, b)):
        return None
    instants = [kind for kind in (a, b) if is_.is_timestamp(kind)]
    # Without a zone means UTC, as everywhere.
    zone = next((kind.tz for kind in instants if kind.tz is not None), None)
    units = {kind.unit for kind in instants}
    # Nanoseconds end in the year 2262.
    return pa.timestamp(units.pop() if len(units) == 1 else "us", zone)


def _common_list(a: pa.DataType, b: pa.DataType, name: str) -> pa.DataType | None:
    import pyarrow as pa

    is_ = pa.types
    tests = (is_.is_fixed_size_list, is_.is_list, is_.is_large_list)
    if not all(any(test(kind) for test in tests) for kind in (a, b)):
        return None
    value = _common(a.value_type, b.value_type, name)
    if is_.is_fixed_size_list(a) and is_.is_fixed_size_list(b) and a.list_size == b.list_size:
        return pa.list_(value, a.list_size)
    return pa.large_list(value) if is_.is_large_list(a) or is_.is_large_list(b) else pa.list_(value)


def _common_struct(a: pa.DataType, b: pa.DataType, name: str) -> pa.DataType | None:
    import pyarrow as pa

    if not (pa.types.is_struct(a) and pa.types.is_struct(b)):
        return None
    fields = {field.name: field.type for field in a}
    for field in b:
        mine = fields.get(field.name, pa.null())
        fields[field.name] = _common(mine, field.type, f"{name}.{field.name}")
    return pa.struct(list(fields.items()))


def cast(column: Any, kind: pa.DataType) -> Any:
    """A column as another type that can hold its values; numbers and the like as text."""
    import pyarrow as pa

    if column.type == kind:
        return column
    if column.null_count == len(column):
        return pa.chunked_array([pa.nulls(len(column), kind)])
    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([c.storage for c in column.chunks], column.type.storage_type)
        return cast(column, kind)
    if _is_text(kind) and pa.types.is_boolean(column.type):
        # As Python writes them, and a segment of truth values is called.
        return pa.compute.if_else(column, "True", "False").cast(kind)
    try:
        return column.cast(kind, safe=False)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        cells = column.to_pylist()
        if _is_text(kind):
            cells = [None if cell is None else str(cell) for cell in cells]
        return pa.chunked_array([pa.array(cells, kind)])


def _readable(column: Any) -> Any:
    """A text column whose cells are UTF-8; a byte that is none, such as half an emoji, becomes "\ufffd"."""
    import pyarrow as pa

    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        cells = column.cast(pa.large_binary()).to_pylist()
        texts = [None if cell is None else cell.decode(errors="replace") for cell in cells]
        return pa.chunked_array([pa.array(texts, column.type)])
    return column


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )
