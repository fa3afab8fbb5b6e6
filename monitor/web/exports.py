"""Selected rows ─► a file: with labels and sources, so that they are found again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from monitor.web.cloud import Cloud

_EXPORT_BLOCK: Final = 2_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def _lines(cloud: Cloud, points: np.ndarray[Any, Any]) -> Iterator[list[dict[str, Any]]]:
    for first in range(0, len(points), _EXPORT_BLOCK):
        rows = []
        for known in cloud.describe(points[first : first + _EXPORT_BLOCK].tolist()):
            window, time = known["window"], known["time"]
            rows.append(
                {
                    "row": known["row"],
                    "source": known["source"],
                    "time": None if time is None else time.isoformat(),
                    "side": "baseline" if window is None else "window",
                    "window_start": None if window is None else window.isoformat(),
                    "cluster": known["cluster"],
                    "distance": round(known["distance"], 4),
                    **{f"column.{name}": known["columns"].get(name) for name in cloud.columns},
                }
            )
        yield rows


def as_csv(cloud: Cloud, points: np.ndarray[Any, Any]) -> Iterator[str]:
    """The rows as CSV, in pieces."""
    names = [
        "row", "source", "time", "side", "window_start", "cluster", "distance",
        *(f"column.{name}" for name in cloud.columns),
    ]  # fmt: skip
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, names)
    writer.writeheader()
    for rows in _lines(cloud, points):
        writer.writerows([{key: _no_formula(cell) for key, cell in row.items()} for row in rows])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _no_formula(cell: Any) -> Any:
    """A text that a spreadsheet takes for a text: strangers write cells, too (OWASP, CSV injection)."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def as_json(cloud: Cloud, points: np.ndarray[Any, Any]) -> Iterator[str]:
    """The rows as a JSON list, in pieces."""
    yield "["
    is_first = True
    for rows in _lines(cloud, points):
        for row in rows:
            clean = {k: None if isinstance(v, float) and v != v else v for k, v in row.items()}
            yield ("" if is_first else ",") + "\n" + json.dumps(clean)
            is_first = False
    yield "\n]\n"


def as_parquet(cloud: Cloud, points: np.ndarray[Any, Any]) -> bytes:
    """The rows as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [row for block in _lines(cloud, points) for row in block]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()
