"""Which encoder made the vectors of a column, as a frame remembers it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from monitor.frames.table import is_arrow, is_pandas

if TYPE_CHECKING:
    import pyarrow as pa

FINGERPRINT_KEY = "monitor.fingerprint"
"""Where a frame remembers its encoders: pandas attrs, or the metadata of an Arrow field.

Each survives Parquet when the library that wrote the file reads it again, and Arrow reads what pandas
wrote. pandas drops it on a merge or concat with a frame whose attrs differ, and a renamed column leaves
it behind.
"""


def fingerprint(frame: Any, column: str) -> str | None:
    """The encoder that made the vectors of `column`, where the frame remembers it (polars cannot)."""
    if is_pandas(frame):
        return _recorded(frame.attrs, column)
    if is_arrow(frame) and column in frame.column_names:
        field = frame.schema.field(frame.column_names.index(column))
        known = (field.metadata or {}).get(FINGERPRINT_KEY.encode())
        return known.decode() if known else _recorded(_attrs_in_arrow(frame.schema), column)
    return None


def _recorded(attrs: Mapping[str, Any], column: str) -> str | None:
    """The fingerprint of `column` in pandas attrs, which anybody may have written."""
    recorded = attrs.get(FINGERPRINT_KEY)
    known = recorded.get(column) if isinstance(recorded, dict) else None
    return known if isinstance(known, str) else None


def _attrs_in_arrow(schema: pa.Schema) -> dict[str, Any]:
    """The attrs of the pandas DataFrame that an Arrow table came from."""
    metadata = schema.metadata or {}
    # pandas writes the one into Parquet files, pyarrow the other into every table.
    attrs = _json_object(metadata.get(b"PANDAS_ATTRS")) or (
        _json_object(metadata.get(b"pandas")).get("attributes")
    )
    return attrs if isinstance(attrs, dict) else {}


def _json_object(text: bytes | None) -> dict[str, Any]:
    try:
        value = json.loads(text or b"")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
